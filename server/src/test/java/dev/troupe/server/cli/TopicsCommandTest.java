package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.crash.TroupeProcess;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class TopicsCommandTest {

  private static TroupeProcess server;
  private Terminal terminal = new Terminal();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  private int run(String... arguments) {
    List<String> all = new ArrayList<>(List.of("events"));
    all.addAll(List.of(arguments));
    all.add("--server=localhost:" + server.port);
    terminal = new Terminal();
    return terminal.run(null, all.toArray(String[]::new));
  }

  @Test
  void a_topic_is_created_changed_listed_and_deleted() {
    assertThat(run("topics", "create", "builds", "--max-events", "5", "--compacted")).isZero();
    assertThat(terminal.out())
        .contains("5 events, 268435456 bytes, 7d, the last of each key", "STANDARD");
    assertThat(run("topics", "create", "builds")).isEqualTo(1);
    assertThat(
            run(
                "topics",
                "update",
                "builds",
                "--max-bytes=64KiB",
                "--max-age=1h",
                "--no-compacted",
                "--description=what is built",
                "--expected-version=1"))
        .isZero();
    assertThat(terminal.out())
        .contains("5 events, 65536 bytes, 1h", "what is built")
        .doesNotContain("each key");
    assertThat(run("topics", "update", "builds")).isEqualTo(2);
    assertThat(run("topics", "update", "builds", "--max-bytes=many")).isEqualTo(2);
    assertThat(run("topics", "get", "builds", "-o", "json")).isZero();
    assertThat(terminal.out()).contains("\"maxEvents\":\"5\"", "\"version\":\"2\"");
    assertThat(run("topics", "list", "--prefix", "bui")).isZero();
    assertThat(terminal.out()).contains("TOPIC", "builds");
    assertThat(run("topics", "delete", "builds", "--expected-version", "1")).isEqualTo(1);
    assertThat(run("topics", "delete", "builds")).isZero();
    assertThat(run("topics", "get", "builds")).isEqualTo(4);
    assertThat(terminal.err()).contains("no such topic");
  }

  @Test
  void a_tail_from_nowhere_lists_what_is_accepted() {
    assertThat(run("tail", "--from", "bogus", "--timeout", "20s")).isEqualTo(2);
    assertThat(terminal.errLines().get(0))
        .isEqualTo(
            "--from: bogus (expected: beginning, now, a time such as 2030-01-31T12:00:00Z, or a"
                + " token of a tail with the same topics and filter)");
    assertThat(run("tail", "--where", "type =", "--timeout", "20s")).isEqualTo(1);
    assertThat(terminal.err()).contains("  --where: ");
  }

  @Test
  void the_help_of_a_tail_tells_which_topics_no_pattern_covers() {
    terminal = new Terminal();
    assertThat(terminal.run(null, "events", "tail", "--help")).isZero();
    assertThat(terminal.out().replaceAll("\\s+", " "))
        .contains("the inboxes of agents match only what begins with")
        .contains("such as inbox.ann");
  }

  @Test
  void a_tail_prints_only_what_passes_its_filter() {
    for (String word : List.of("red", "green")) {
      assertThat(
              run(
                  "publish",
                  "lamps",
                  "--type",
                  "lamp",
                  "--subject",
                  "lamps/" + word,
                  "--attribute",
                  "colour=" + word,
                  "--data",
                  word,
                  "--key",
                  word))
          .isZero();
    }
    for (List<String> filter :
        List.of(
            List.of("--where", "colour = 'green'"),
            List.of("--subject", "lamps/g"),
            List.of("--attribute", "colour=green"))) {
      List<String> tail = new ArrayList<>(List.of("tail", "--topic", "lamps"));
      tail.addAll(List.of("--from", "beginning", "--limit", "1", "--timeout", "20s"));
      tail.addAll(filter);
      assertThat(run(tail.toArray(String[]::new))).isZero();
      assertThat(terminal.out()).contains("green").doesNotContain("red");
    }
  }

  @Test
  void history_is_printed_and_replayed() {
    for (int i = 0; i < 5; i++) {
      assertThat(
              run(
                  "publish",
                  "notes",
                  "--type",
                  i % 2 == 0 ? "note.even" : "note.odd",
                  "--data",
                  "text-" + i,
                  "--attribute",
                  "n=" + i))
          .isZero();
    }
    assertThat(run("history", "notes", "--newest-first", "--limit", "2")).isZero();
    assertThat(terminal.out()).containsSubsequence("text-4", "text-3").doesNotContain("text-2");
    assertThat(run("history", "notes", "--type", "*.odd", "--where", "n = '1'")).isZero();
    assertThat(terminal.out()).contains("text-1").doesNotContain("text-3");
    assertThat(run("history", "notes", "--since", "yesterday")).isEqualTo(2);
    assertThat(run("history", "notes", "--until", "2020-01-01T00:00:00Z")).isZero();
    assertThat(terminal.out()).doesNotContain("text-");
    assertThat(run("replay", "notes", "copies", "--type", "note.even")).isZero();
    assertThat(terminal.out()).containsPattern("appended +3").containsPattern("already +0");
    assertThat(run("replay", "notes", "copies")).isZero();
    assertThat(terminal.out()).containsPattern("appended +2").containsPattern("already +3");
    assertThat(run("history", "none")).isEqualTo(4);
  }
}
