package dev.troupe.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script {@code troupe}, as far as it answers by itself. */
@SuppressWarnings("NullAway.Init")
final class LauncherTest {

  private static final Path BIN = Path.of("/bin");
  private static final Path USR_BIN = Path.of("/usr/bin");

  @TempDir Path tools;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "test --help",
        "test help",
        "recall --help",
        "recall -h",
        "recall help",
        "recall --server localhost:1 --help",
        "soak --help",
        "soak help",
        "soak locks 5 --help",
        "generate --help",
        "generate help",
        "survey --help",
        "survey help",
        "survey some/folder --kill -h",
        "bench --help",
        "bench help",
        "bench locks 3 --help"
      })
  void its_commands_tell_what_they_do_instead_of_doing_it(String line) throws Exception {
    Ended ended = run(line.split(" ", -1));

    assertThat(ended.status).isZero();
    assertThat(ended.output).startsWith("Usage: ./troupe " + line.split(" ", -1)[0]);
    assertThat(ended.output).doesNotContain("building", "preparing", "missing");
  }

  @Test
  void what_a_command_does_not_take_is_named() throws Exception {
    Ended ended = run("recall", "everything");
    assertThat(ended.status).isEqualTo(1);
    assertThat(ended.output)
        .isEqualTo(
            "troupe: recall: everything (expected: --server HOST:PORT or nothing); see ./troupe"
                + " recall --help\n");
    assertThat(run("soak").output).contains("soak: nothing (expected: locks or events)");
  }

  @Test
  void help_is_about_the_command_that_is_named() throws Exception {
    for (String command : List.of("test", "survey", "bench")) {
      assertThat(run("help", command)).isEqualTo(run(command, "--help"));
    }
    assertThat(run("memory", "help")).isEqualTo(run("memory", "--help"));
    Ended elsewhere = run("help", "memory", "spaces");
    assertThat(elsewhere).isEqualTo(run("memory", "spaces", "--help"));
    assertThat(elsewhere.output).as("asked of the server's command line").contains("java");
    assertThat(run("help").output).isEqualTo(run("--help").output).contains("COMMAND");
    assertThat(run("help", "--help")).isEqualTo(run("help"));
  }

  @Test
  void without_a_command_it_lists_them() throws Exception {
    Ended ended = run();
    assertThat(ended.status).isZero();
    assertThat(ended.output).contains("serve", "recall", "memory");
  }

  private record Ended(int status, String output) {}

  /** Runs the script where it finds neither Java nor Maven, so that it can start nothing. */
  private Ended run(String... arguments) throws IOException, InterruptedException {
    for (String tool : List.of("cat", "dirname")) {
      Path there = Files.exists(BIN.resolve(tool)) ? BIN.resolve(tool) : USR_BIN.resolve(tool);
      Files.copy(
          there,
          tools.resolve(tool),
          StandardCopyOption.COPY_ATTRIBUTES,
          StandardCopyOption.REPLACE_EXISTING);
    }
    List<String> command = new ArrayList<>(List.of("/bin/bash", script().getPath()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    Map<String, String> environment = builder.environment();
    environment.remove("JAVA_HOME");
    environment.put("PATH", tools.toString());
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ended(process.exitValue(), output);
  }

  /** Tests run in the folder of their module. */
  private static File script() {
    File here = new File("troupe").getAbsoluteFile();
    return here.isFile() ? here : new File("../troupe").getAbsoluteFile();
  }
}
