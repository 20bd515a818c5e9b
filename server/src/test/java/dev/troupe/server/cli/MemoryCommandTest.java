package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.crash.TroupeProcess;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class MemoryCommandTest {

  private static TroupeProcess server;
  private final Terminal terminal = new Terminal();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  private int run(String... arguments) {
    List<String> all = new ArrayList<>(List.of("memory"));
    all.addAll(List.of(arguments));
    all.add("--server=localhost:" + server.port);
    return terminal.run(null, all.toArray(String[]::new));
  }

  private String put(String space, String text) {
    terminal.clear();
    assertThat(run("put", space, text, "-o", "json")).isZero();
    String id = terminal.out().replaceAll("(?s).*\"itemId\":\\s*\"([^\"]*)\".*", "$1");
    terminal.clear();
    return id;
  }

  @Test
  void an_item_is_changed_and_promoted() {
    String id = put("changing", "the build is red");
    assertThat(
            run("update", "changing", id, "--text", "it is green", "--tag", "ci", "--tag", "good"))
        .isZero();
    assertThat(terminal.out()).containsPattern("version +2");
    assertThat(run("get", "changing", id)).isZero();
    assertThat(terminal.out()).contains("it is green", "ci,good").doesNotContain("red");
    assertThat(run("update", "changing", id, "--no-tags", "--importance", "0.9")).isZero();
    terminal.clear();
    assertThat(run("get", "changing", id)).isZero();
    assertThat(terminal.out()).contains("0.9000").doesNotContain("ci");
    assertThat(run("promote", "changing", id, "--to", "pinned", "-o", "json")).isZero();
    assertThat(terminal.out()).contains("MEMORY_TIER_PINNED", "\"version\":\"4\"");
    assertThat(run("promote", "changing", id, "--to", "long", "--expected-version", "1"))
        .isEqualTo(1);
    assertThat(terminal.err()).contains("VERSION_MISMATCH", "current_version = 4");
    assertThat(run("update", "changing", id)).isEqualTo(2);
    assertThat(terminal.err()).contains("nothing to change");
    assertThat(run("update", "changing", id, "--tag", "a", "--no-tags")).isEqualTo(2);
    assertThat(run("update", "changing", "gone", "--source", "me")).isEqualTo(4);
  }

  @Test
  void a_space_is_created_shown_changed_and_deleted() {
    assertThat(
            run(
                "spaces",
                "create",
                "mine",
                "--short-lifetime",
                "5m",
                "--max-items",
                "10",
                "--max-bytes",
                "1MiB",
                "--promotion",
                "short:3:working",
                "--language",
                "english",
                "--dimension",
                "3",
                "--metric",
                "dot",
                "--recency-weight",
                "0.5"))
        .isZero();
    assertThat(terminal.out())
        .contains("0 of at most 10", "0 of at most 1048576", "3 numbers, DOT", "ENGLISH")
        .contains("short:3:working", "recency 0.5")
        .containsPattern("short +5m, told 1m before its end")
        .containsPattern("working +1h, told")
        .containsPattern("long +24h, told")
        .containsPattern("conversations +last 7d after");
    terminal.clear();
    assertThat(
            run(
                "spaces",
                "update",
                "mine",
                "--consolidation-lead",
                "20s",
                "--refresh-on-read",
                "--promotion",
                "none",
                "--text-weight",
                "2",
                "--description",
                "of tests"))
        .isZero();
    assertThat(terminal.out())
        .as("what was not given stays, in tiers and search too")
        .containsPattern("short +5m, told 20s")
        .containsPattern("working +1h, told 20s")
        .contains("text 2.0, recency 0.5", "of tests", "begin the lifetime anew")
        .doesNotContain("short:3:working");
    terminal.clear();
    assertThat(run("spaces", "get", "mine", "-o", "json")).isZero();
    assertThat(terminal.out())
        .contains("\"version\":\"2\"", "\"maxItems\":\"10\"", "\"lifetime\":\"300s\"");
    terminal.clear();
    assertThat(run("spaces", "--prefix", "mi")).isZero();
    String listed = terminal.out();
    assertThat(listed).contains("DIMENSION", "mine");
    terminal.clear();
    assertThat(run("spaces", "list", "--prefix", "mi")).isZero();
    assertThat(terminal.out()).isEqualTo(listed);
    terminal.clear();
    assertThat(run("spaces", "list", "--prefix", "no-such-", "--limit", "1")).isZero();
    assertThat(terminal.outLines()).hasSize(1);
    assertThat(run("spaces", "update", "mine", "--max-items", "5", "--expected-version", "1"))
        .isEqualTo(1);
    assertThat(run("spaces", "update", "mine")).isEqualTo(2);
    assertThat(run("spaces", "update", "mine", "--promotion", "often")).isEqualTo(2);
    assertThat(terminal.err()).contains("--promotion: often (expected: FROM:READS:TO");
    assertThat(run("spaces", "create", "mine")).isEqualTo(1);
    assertThat(run("spaces", "delete", "mine")).isZero();
    terminal.clear();
    assertThat(run("spaces", "get", "mine")).isEqualTo(4);
    assertThat(terminal.err())
        .as("each name once")
        .isEqualTo(
            "NOT_FOUND / SPACE_NOT_FOUND: no such memory space (namespace default, space mine)\n");
  }

  @Test
  void a_conversation_is_written_read_summarised_and_deleted() {
    for (int i = 1; i <= 5; i++) {
      assertThat(
              run(
                  "conversations",
                  "append",
                  "talks",
                  "c1",
                  "turn " + i,
                  "--role",
                  i % 2 == 1 ? "user" : "assistant"))
          .isZero();
    }
    assertThat(run("conversations", "append", "talks", "c1", "late", "--expected-last-turn", "3"))
        .isEqualTo(1);
    assertThat(terminal.err()).contains("TURN_MISMATCH", "last_turn = 5");
    terminal.clear();
    assertThat(run("conversations", "window", "talks", "c1", "--last", "2")).isZero();
    assertThat(terminal.out()).contains("turn 4", "turn 5", "assistant").doesNotContain("turn 3");
    assertThat(terminal.err()).isEqualTo("more before these: --before 4\n");
    terminal.clear();
    assertThat(run("conversations", "window", "talks", "c1", "--last", "2", "--before", "4"))
        .isZero();
    assertThat(terminal.out()).contains("turn 2", "turn 3").doesNotContain("turn 4");
    assertThat(run("conversations", "summarise", "talks", "c1", "all well", "--up-to", "3"))
        .isZero();
    terminal.clear();
    assertThat(run("conversations", "window", "talks", "c1", "--after-summary")).isZero();
    assertThat(terminal.out()).contains("1-3", "all well", "turn 4").doesNotContain("turn 3");
    terminal.clear();
    assertThat(run("conversations", "window", "talks", "c1", "-o", "json")).isZero();
    assertThat(terminal.outLines()).hasSize(1);
    assertThat(terminal.out()).contains("\"lastTurn\":\"5\"", "all well");
    terminal.clear();
    assertThat(run("conversations", "list", "talks")).isZero();
    assertThat(terminal.outLines().get(1)).startsWith("c1 ");
    assertThat(run("conversations", "delete", "talks", "c1")).isZero();
    terminal.clear();
    assertThat(run("conversations", "list", "talks")).isZero();
    assertThat(terminal.outLines()).hasSize(1);
  }

  @Test
  void what_a_space_does_not_say_itself_stays_the_namespaces_when_it_is_changed() {
    String namespace = "--namespace=of-both";
    assertThat(run("settings", namespace, "--short-lifetime=2h")).isZero();
    assertThat(run("spaces", "create", "mine", namespace)).isZero();
    assertThat(run("spaces", "update", "mine", namespace, "--consolidation-lead=20s")).isZero();
    assertThat(run("settings", namespace, "--short-lifetime=3h")).isZero();
    terminal.clear();
    assertThat(run("spaces", "get", "mine", namespace)).isZero();
    assertThat(terminal.out()).containsPattern("short +3h, told 20s");
    assertThat(run("spaces", "update", "mine", namespace, "--short-lifetime=5m")).isZero();
    assertThat(run("spaces", "update", "mine", namespace, "--short-lifetime=0s")).isZero();
    terminal.clear();
    assertThat(run("spaces", "get", "mine", namespace)).isZero();
    assertThat(terminal.out()).containsPattern("short +3h, told 20s");
  }

  @Test
  void settings_of_a_namespace_are_shown_and_changed() {
    String namespace = "--namespace=of-settings";
    assertThat(run("settings", namespace)).isZero();
    assertThat(terminal.out())
        .containsPattern("short +as the server has it\n")
        .containsPattern("refresh on read +no, as the server has it\n")
        .containsPattern("promotions +none, as the server has it\n");
    terminal.clear();
    assertThat(run("settings", namespace, "--no-refresh-on-read", "--promotion=none")).isZero();
    assertThat(terminal.out())
        .containsPattern("refresh on read +no\n")
        .containsPattern("promotions +none\n");
    assertThat(
            run(
                "settings",
                namespace,
                "--short-lifetime=2h",
                "--refresh-on-read",
                // As the option was called before.
                "--promote=short:5:long",
                "--max-bytes=1MiB"))
        .isZero();
    assertThat(terminal.out()).contains("2h", "short:5:long", "1048576");
    assertThat(run("settings", namespace, "--short-lifetime=0s")).isZero();
    String before = terminal.out();
    assertThat(run("settings", namespace, "-o", "json")).isZero();
    assertThat(terminal.out().substring(before.length()))
        .containsPattern("\"version\":\\s*\"3\"")
        .contains("refreshOnRead", "1048576")
        .doesNotContain("lifetime");
    assertThat(run("settings", namespace, "--max-bytes=0", "--consolidation-lead=20s")).isZero();
    assertThat(terminal.out())
        .contains("bytes", "as the server has it")
        .containsPattern("working .*told 20s before");
    assertThat(run("settings", namespace, "--promotion=short")).isNotZero();
    assertThat(terminal.err())
        .contains(
            "--promotion: short (expected: FROM:READS:TO such as short:3:working, none or"
                + " inherit)");
  }

  @Test
  void a_lead_is_given_back_to_the_namespace_and_the_namespaces_to_the_server() {
    String namespace = "--namespace=of-leads";
    assertThat(run("spaces", "create", "mine", namespace, "--consolidation-lead=0s")).isZero();
    assertThat(terminal.out()).containsPattern("short +15m, told never");
    assertThat(run("settings", namespace, "--consolidation-lead=20s")).isZero();
    terminal.clear();
    assertThat(run("spaces", "get", "mine", namespace)).isZero();
    assertThat(terminal.out()).containsPattern("short +15m, told never");
    terminal.clear();
    assertThat(run("spaces", "update", "mine", namespace, "--consolidation-lead=inherit")).isZero();
    assertThat(terminal.out()).containsPattern("short +15m, told 20s before its end");
    terminal.clear();
    assertThat(run("settings", namespace, "--consolidation-lead=inherit")).isZero();
    assertThat(terminal.out()).doesNotContain("told");
    terminal.clear();
    assertThat(run("spaces", "get", "mine", namespace)).isZero();
    assertThat(terminal.out()).containsPattern("short +15m, told 1m before its end");
    assertThat(run("spaces", "update", "mine", namespace, "--consolidation-lead=soon"))
        .isEqualTo(2);
    assertThat(terminal.err())
        .startsWith("--consolidation-lead: soon (expected: a duration such as")
        .contains(", or inherit)");
    terminal.clear();
    assertThat(run("settings", namespace, "--consolidation-lead=31d")).isEqualTo(1);
    assertThat(terminal.err().lines())
        .as("said once though it is meant for three tiers")
        .hasSize(2)
        .anyMatch(line -> line.startsWith("  --consolidation-lead: out of range"));
  }

  @Test
  void a_lead_that_is_longer_than_the_lifetime_is_told_as_what_it_does() {
    assertThat(run("spaces", "create", "leading", "--consolidation-lead=20m")).isZero();
    assertThat(terminal.out())
        .containsPattern("short +15m, told at once \\(20m before its end\\)")
        .containsPattern("working +1h, told 20m before its end");
    assertThat(run("spaces", "delete", "leading")).isZero();
  }

  @Test
  void a_space_without_promotions_of_its_own_promotes_as_its_namespace_or_not_at_all() {
    String namespace = "--namespace=of-promotions";
    assertThat(run("settings", namespace, "--promotion=short:3:working")).isZero();
    assertThat(run("spaces", "create", "mine", namespace)).isZero();
    terminal.clear();
    assertThat(run("spaces", "update", "mine", namespace, "--promotion=none")).isZero();
    assertThat(terminal.out()).containsPattern("promotions +none");
    terminal.clear();
    assertThat(
            run(
                "spaces",
                "update",
                "mine",
                namespace,
                "--promotion=none",
                "--promotion=working:2:long"))
        .isZero();
    assertThat(terminal.out()).containsPattern("promotions +working:2:long\n");
    terminal.clear();
    assertThat(run("spaces", "update", "mine", namespace, "--promotion=inherit")).isZero();
    assertThat(terminal.out()).containsPattern("promotions +short:3:working\n");
    terminal.clear();
    assertThat(run("settings", namespace, "--promotion=none")).isZero();
    assertThat(terminal.out()).containsPattern("promotions +none\n");
    assertThat(run("settings", namespace, "--promotion=middle:3:long")).isEqualTo(2);
    assertThat(terminal.err())
        .isEqualTo("--promotion: middle (expected: short, working, long, pinned)\n");
  }

  @Test
  void a_text_is_put_shown_listed_found_and_forgotten() {
    assertThat(
            run("put", "notes", "the build is red", "--tag", "ci", "--tier", "long", "-o", "json"))
        .isZero();
    String id = terminal.out().replaceAll("(?s).*\"itemId\":\\s*\"([^\"]*)\".*", "$1");
    String revision = terminal.out().replaceAll("(?s).*\"revision\":\\s*\"(\\d+)\".*", "$1");
    assertThat(run("put", "notes", "the build is red")).isZero();
    assertThat(terminal.out()).contains("merged");
    assertThat(run("get", "notes", id)).isZero();
    assertThat(terminal.out()).contains("the build is red", "LONG", "ci");
    assertThat(run("list", "notes", "--tag", "ci", "--tier", "long")).isZero();
    assertThat(terminal.out()).contains(id);
    assertThat(run("search", "notes", "red", "--revision", revision)).isZero();
    assertThat(terminal.out()).contains(id, "text=");
    assertThat(run("spaces")).isZero();
    assertThat(terminal.out()).contains("notes");
    assertThat(run("forget", "notes", id)).isZero();
    assertThat(terminal.out()).contains("1 of 1");
    assertThat(run("get", "notes", id)).isNotZero();
    assertThat(terminal.err()).contains("ITEM_NOT_FOUND");
  }
}
