package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.config.Setting;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeCommandTest {

  private final Terminal terminal = new Terminal();

  @Test
  void it_prints_the_settings_in_force_and_how_to_reach_the_server() {
    assertThat(terminal.run(null, "serve", "--port", "7171", "--redis.data-dir=elsewhere"))
        .isZero();

    assertThat(terminal.outLines())
        .containsExactly(
            "grpc.port       7171       --grpc.port",
            "redis.data-dir  elsewhere  --redis.data-dir",
            "all other settings are the defaults; troupe serve --print-config shows them",
            "listening on 127.0.0.1:7171",
            "data in elsewhere",
            "try: grpcurl -plaintext localhost:7171 list");
  }

  @Test
  void settings_that_are_the_defaults_are_not_printed() {
    assertThat(terminal.run(null, "serve")).isZero();
    assertThat(terminal.outLines())
        .startsWith(
            "all settings are the defaults; troupe serve --print-config shows them",
            "listening on 127.0.0.1:7070");

    terminal.clear();
    assertThat(terminal.run(null, "serve", "--grpc.port=7070", "--data-dir", "mine")).isZero();
    assertThat(terminal.outLines())
        .startsWith(
            "redis.data-dir  mine  --redis.data-dir",
            "all other settings are the defaults; troupe serve --print-config shows them");
  }

  @Test
  void a_configuration_with_mistakes_ends_with_2_and_tells_all_of_them(@TempDir Path directory)
      throws Exception {
    Path file = Files.writeString(directory.resolve("t.properties"), "grpc.prot=1\n");

    assertThat(terminal.run(null, "serve", "--config", file.toString(), "--grpc.port=many"))
        .isEqualTo(2);

    assertThat(terminal.err())
        .contains("2 problems")
        .contains("t.properties:1: grpc.prot is no setting; did you mean grpc.port?")
        .contains("--grpc.port: many (expected: a whole number")
        .doesNotContain("--grpc.port: grpc.port");
  }

  @Test
  void a_file_that_cannot_be_read_is_told_in_a_line(@TempDir Path directory) throws Exception {
    String missing = directory.resolve("none").toString();
    assertThat(terminal.run(null, "serve", "--config=" + missing)).isEqualTo(2);
    assertThat(terminal.err())
        .isEqualTo(
            "the configuration is wrong: "
                + missing
                + ": no such file (expected: settings, a line each: name=value)\n");
    terminal.clear();
    assertThat(terminal.run(null, "serve", "--config=" + directory)).isEqualTo(2);
    assertThat(terminal.errLines())
        .singleElement(InstanceOfAssertFactories.STRING)
        .contains(directory + ": is a directory (expected: settings");
    terminal.clear();
    Path bytes = Files.write(directory.resolve("bytes"), new byte[] {(byte) 0xff});
    assertThat(terminal.run(null, "serve", "--config=" + bytes)).isEqualTo(2);
    assertThat(terminal.err()).contains("is no UTF-8 text").doesNotContain("Exception");
  }

  @Test
  void a_server_that_does_not_start_ends_with_1_and_says_why() {
    terminal.launcher(
        config -> {
          throw new IllegalStateException("port 7070 is taken");
        });

    assertThat(terminal.run(null, "serve")).isEqualTo(1);
    assertThat(terminal.err()).isEqualTo("the server did not start: port 7070 is taken\n");
  }

  @Test
  void the_help_lists_every_setting() {
    assertThat(terminal.run(null, "serve", "--help")).isZero();

    assertThat(terminal.out())
        .contains("--config=FILE")
        .contains("A duration is such as 250ms, ", "a size such as 512, 64KiB, ")
        .contains("--grpc.port=<number>")
        .contains("The port, 0 to 65535. Default: 7070.")
        .contains("100% durable.");
  }

  @Test
  void the_help_fits_into_a_terminal() {
    StringWriter out = new StringWriter();
    new TroupeCli(
            new Console(new PrintWriter(out), new PrintWriter(out), InputStream.nullInputStream()),
            List.of(Wordy.class),
            Map.of(),
            config -> {
              throw new AssertionError("started");
            })
        .run("serve", "--help");
    assertThat(out.toString().lines().toList())
        .allMatch(line -> line.length() <= 80)
        .containsSequence(
            "  --a=<number>",
            "        one two three four five six seven eight nine ten eleven twelve thirteen",
            "        fourteen. Default: 1.");
  }

  record Wordy(
      @Setting(
              name = "a",
              help =
                  "one two three four five six seven eight nine ten eleven twelve thirteen"
                      + " fourteen",
              fallback = "1")
          int a) {}

  @Test
  void the_settings_in_force_can_be_printed_without_a_start() {
    terminal.launcher(
        config -> {
          throw new AssertionError("started");
        });

    assertThat(terminal.run(null, "serve", "--print-config")).isZero();
    assertThat(terminal.outLines()).hasSize(2);
  }

  @Test
  void the_completion_script_is_one_that_bash_understands(@TempDir Path directory)
      throws Exception {
    assertThat(terminal.run(null, "completion", "bash")).isZero();

    Path script = Files.writeString(directory.resolve("completion"), terminal.out());
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                "source " + script + " && complete -p troupe && type _complete_troupe")
            .redirectErrorStream(true)
            .start();
    assertThat(bash.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(bash.exitValue()).isZero();
    assertThat(terminal.out())
        .contains("agents", "--namespace")
        .contains("conversations", "summarise", "promote", "--where", "--key", "--max-items");
  }

  @Test
  void the_version_is_told() {
    assertThat(terminal.run(null, "--version")).isZero();
    assertThat(terminal.out()).startsWith("troupe ");
  }
}
