package dev.troupe.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.config.Setting;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** Runs command lines and keeps what they print. */
final class Terminal {

  record DoorConfig(
      @Setting(name = "grpc.port", help = "The port, 0 to 65535.", fallback = "7070") int port,
      @Setting(name = "redis.data-dir", help = "100% durable.", fallback = "data")
          String directory) {}

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Map<String, String> environment = new HashMap<>();
  private InputStream in = InputStream.nullInputStream();
  private ServerLauncher launcher =
      config ->
          new ServerLauncher.Running(
              "127.0.0.1",
              config.get(DoorConfig.class).port(),
              List.of("data in " + config.get(DoorConfig.class).directory()),
              CompletableFuture.completedFuture(null));

  void typed(String text) {
    in = new ByteArrayInputStream(text.getBytes(UTF_8));
  }

  /** Sets a variable of the environment. */
  void variable(String name, String value) {
    environment.put(name, value);
  }

  void launcher(ServerLauncher other) {
    launcher = other;
  }

  int run(@Nullable String server, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    if (server != null) {
      all.add("--server");
      all.add(server);
    }
    return cli().run(all.toArray(String[]::new));
  }

  private TroupeCli cli() {
    return new TroupeCli(
        new Console(new PrintWriter(out), new PrintWriter(err), in),
        List.of(DoorConfig.class),
        environment,
        launcher);
  }

  /** Forgets what was printed. */
  void clear() {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
  }

  /** The first sentences on all commands, which the help of the command above them shows. */
  List<String> sentences() {
    List<String> sentences = new ArrayList<>();
    cli().commands().forEach(spec -> sentences.add(spec.usageMessage().description()[0]));
    return sentences;
  }

  /** All commands by their names, such as {@code troupe locks acquire}. */
  Map<String, CommandSpec> commands() {
    Map<String, CommandSpec> commands = new HashMap<>();
    cli().commands().forEach(spec -> commands.put(spec.qualifiedName(), spec));
    return commands;
  }

  String out() {
    return out.toString();
  }

  List<String> outLines() {
    return out().lines().toList();
  }

  String err() {
    return err.toString();
  }

  List<String> errLines() {
    return err().lines().toList();
  }
}
