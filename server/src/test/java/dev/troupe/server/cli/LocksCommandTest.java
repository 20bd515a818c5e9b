package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.Main;
import dev.troupe.server.crash.TroupeProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class LocksCommandTest {

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
    List<String> all = new ArrayList<>(List.of("locks", arguments[0]));
    all.add("--server=localhost:" + server.port);
    all.addAll(List.of(arguments).subList(1, arguments.length));
    return terminal.run(null, all.toArray(String[]::new));
  }

  @Test
  void a_lock_is_acquired_shown_refused_and_released() {
    assertThat(run("acquire", "build", "--owner", "me", "-o", "json")).isZero();
    String lease = terminal.out().replaceAll("(?s).*\"leaseId\":\\s*\"([^\"]*)\".*", "$1");
    assertThat(run("get", "build")).isZero();
    assertThat(terminal.out()).contains("EXCLUSIVE", "me (token ");
    assertThat(run("acquire", "build")).isEqualTo(5);
    assertThat(terminal.err())
        .matches("build cannot be had now: me holds it, until 20\\S+Z if not renewed\\n");
    terminal.clear();
    assertThat(run("run", "build", "--wait", "200ms", "--", "true")).isEqualTo(5);
    assertThat(terminal.err())
        .matches("waited 200ms for build in vain: me holds it, until 20\\S+Z if not renewed\\n");
    assertThat(run("list", "--prefix", "bui")).isZero();
    assertThat(terminal.out()).contains("build");
    assertThat(run("release", "build", lease)).isZero();
    assertThat(terminal.out()).contains("yes");
    assertThat(run("get", "build")).isZero();
    assertThat(terminal.out()).contains("free");
  }

  @Test
  void a_wait_ends_with_the_timeout_and_is_answered() {
    assertThat(run("acquire", "slow", "--owner", "me")).isZero();
    assertThat(run("acquire", "slow", "--wait", "1h", "--timeout", "300ms")).isEqualTo(5);
    assertThat(terminal.err()).startsWith("waited 300ms for slow in vain: me holds it");
    terminal.clear();
    assertThat(run("acquire", "slow", "--wait", "300ms", "--timeout", "300ms")).isEqualTo(5);
    assertThat(run("run", "slow", "--wait", "1h", "--timeout", "300ms", "--", "true")).isEqualTo(5);
    assertThat(terminal.errLines())
        .hasSize(2)
        .allMatch(line -> line.startsWith("waited 300ms for slow in vain: me holds it"));
  }

  @Test
  void a_long_wait_is_told() throws Exception {
    assertThat(run("acquire", "busy", "--owner", "me", "-o", "json")).isZero();
    assertThat(run("acquire", "busy", "--wait", "1500ms")).isEqualTo(5);
    assertThat(terminal.errLines().get(0)).isEqualTo("waiting for busy");
    assertThat(terminal.errLines().get(1)).startsWith("waited 1500ms for busy in vain");
    terminal.clear();
    assertThat(run("acquire", "busy", "--wait", "1500ms", "-o", "json")).isEqualTo(5);
    assertThat(terminal.err()).isEmpty();
  }

  @Test
  void a_watch_from_nowhere_tells_what_is_accepted() {
    assertThat(run("watch", "--from", "bogus", "--timeout", "20s")).isEqualTo(2);
    assertThat(terminal.errLines().get(0))
        .isEqualTo("--from: bogus (expected: a token of a watch with the same arguments)");
    assertThat(terminal.err()).doesNotContain("resume_token");
  }

  @Test
  void a_lock_that_cannot_be_had_is_a_document_when_documents_are_asked_for() {
    assertThat(run("acquire", "taken", "--owner", "me")).isZero();
    assertThat(run("acquire", "taken", "-o", "json")).isEqualTo(5);
    assertThat(run("run", "taken", "-o", "json", "--", "true")).isEqualTo(5);
    assertThat(terminal.outLines())
        .filteredOn(line -> line.contains("\"refusal\":\"REFUSAL_HELD\",\"heldBy\":\"me\""))
        .hasSize(2);
    assertThat(terminal.err()).isEmpty();
  }

  @Test
  void options_that_do_not_go_together_are_refused() {
    assertThat(run("acquire", "l", "--shared", "--limit", "3")).isEqualTo(2);
    assertThat(terminal.err()).contains("--shared: not with --limit");
    assertThat(run("acquire", "l", "--permits", "2")).isEqualTo(2);
    assertThat(run("watch", "--limit", "-3")).isEqualTo(2);
    assertThat(run("acquire", "l", "--wait", "2h", "--ttl", "1ms")).isEqualTo(1);
    assertThat(terminal.err()).contains("  --wait: out of range", "  --ttl: out of range");
  }

  @Test
  void breaking_a_lock_that_nobody_holds_says_so() {
    assertThat(run("break", "free", "--reason", "test")).isZero();
    assertThat(terminal.err()).isEqualTo("nobody holds free\n");
    assertThat(run("acquire", "free", "--owner", "me")).isZero();
    assertThat(run("break", "free", "--owner", "you", "--reason", "test")).isZero();
    assertThat(terminal.err()).contains("you does not hold free");
  }

  @Test
  void a_watch_tells_when_and_how_to_go_on() {
    assertThat(run("watch", "--timeout", "3s", "--prefix", "no-such-")).isZero();
    assertThat(terminal.err()).contains("nothing came\nto go on from here: --from ");
    String token = terminal.err().replaceAll("(?s).*--from (\\S+).*", "$1");
    assertThat(run("acquire", "no-such-lock", "--owner", "me")).isZero();
    assertThat(run("watch", "--prefix", "no-such-", "--from", token, "--limit", "1")).isZero();
    assertThat(terminal.outLines())
        .last(InstanceOfAssertFactories.STRING)
        .matches("20[0-9-]+T[0-9:.]+Z  ACQUIRED  no-such-lock  me  [0-9]+  -");
  }

  @Test
  void a_command_runs_under_a_lock_and_its_exit_status_is_passed_on() {
    assertThat(run("run", "job", "--", "sh", "-c", "test -n \"$TROUPE_FENCING_TOKEN\" && exit 7"))
        .isEqualTo(7);
    assertThat(run("get", "job")).isZero();
    assertThat(terminal.out()).contains("free");
  }

  @Test
  void a_signal_that_ends_the_command_too_gives_the_lock_back() throws Exception {
    // As Ctrl-C does, which reaches both; whichever thread comes first.
    for (int i = 0; i < 5; i++) {
      Process run =
          TroupeProcess.java(
              Main.class,
              "locks",
              "run",
              "--server=localhost:" + server.port,
              "signalled",
              "--",
              "sh",
              "-c",
              "kill -TERM $PPID");
      assertThat(run.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(run("get", "signalled")).isZero();
      assertThat(terminal.out()).contains("mode     free");
      terminal.clear();
    }
  }

  @Test
  void a_command_that_does_not_exist_leaves_no_lock() {
    assertThat(run("run", "none", "--", "no-such-command")).isEqualTo(127);
    assertThat(terminal.err()).contains("cannot run no-such-command");
    assertThat(run("get", "none")).isZero();
    assertThat(terminal.out()).contains("free");
  }

  @Test
  void all_that_a_command_started_ends_with_its_lock() throws Exception {
    java.nio.file.Path file = java.nio.file.Files.createTempFile("troupe", "alive");
    String script = "(trap '' TERM; while :; do date +%N > " + file + "; sleep 0.05; done); true";
    List<Integer> status = new ArrayList<>();
    Thread running =
        new Thread(() -> status.add(run("run", "tree", "--ttl", "10s", "--", "sh", "-c", script)));
    running.start();
    await().until(() -> java.nio.file.Files.size(file) > 0);
    Terminal other = new Terminal();
    String address = "--server=localhost:" + server.port;
    assertThat(other.run(null, "locks", "break", address, "tree", "--reason", "test")).isZero();
    await().until(() -> !running.isAlive());
    String last = java.nio.file.Files.readString(file);
    long end = System.nanoTime() + 500_000_000L;
    await().until(() -> System.nanoTime() > end);
    assertThat(java.nio.file.Files.readString(file)).isEqualTo(last);
    assertThat(status).containsExactly(1);
    java.nio.file.Files.delete(file);
  }

  @Test
  void a_command_is_ended_when_its_lock_is_taken_away() {
    List<Integer> status = new ArrayList<>();
    Thread running =
        new Thread(() -> status.add(run("run", "stuck", "--ttl", "10s", "--", "sleep", "60")));
    running.start();
    Terminal other = new Terminal();
    await()
        .until(
            () -> {
              other.run(
                  null,
                  "locks",
                  "break",
                  "--server=localhost:" + server.port,
                  "stuck",
                  "--reason",
                  "test");
              return other.out().contains("troupe-cli-");
            });
    await().until(() -> !running.isAlive());
    assertThat(status).containsExactly(1);
    assertThat(terminal.err()).contains("taken away");
  }
}
