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
    List<String> all = new ArrayList<>(List.of("memory", arguments[0]));
    all.add("--server=localhost:" + server.port);
    all.addAll(List.of(arguments).subList(1, arguments.length));
    return terminal.run(null, all.toArray(String[]::new));
  }

  @Test
  void settings_of_a_namespace_are_shown_and_changed() {
    String namespace = "--namespace=of-settings";
    assertThat(run("settings", namespace)).isZero();
    assertThat(terminal.out()).contains("as the server has it");
    assertThat(
            run(
                "settings",
                namespace,
                "--short-lifetime=2h",
                "--refresh-on-read",
                "--promote=short:5:long",
                "--max-bytes=1MiB"))
        .isZero();
    assertThat(terminal.out()).contains("7200s", "short:5:long", "1048576");
    assertThat(run("settings", namespace, "--short-lifetime=0s")).isZero();
    String before = terminal.out();
    assertThat(run("settings", namespace, "-o", "json")).isZero();
    assertThat(terminal.out().substring(before.length()))
        .containsPattern("\"version\":\\s*\"2\"")
        .contains("refreshOnRead", "1048576")
        .doesNotContain("lifetime");
    assertThat(run("settings", namespace, "--promote=short")).isNotZero();
    assertThat(terminal.err()).contains("--promote: short (expected: such as short:5:long)");
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
