package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.redisson.Redisson;
import org.redisson.api.RScript;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.config.Config;

/** A Redis of its own for one test class, which can be killed and started again. */
public final class OwnRedis implements TestRedis {

  private static final String BINARY = "redis-server-6.2.6-v5-linux-amd64";

  private final Path directory;
  private final int port;
  private final Path binary;
  private Process process;
  private final RedissonClient client;
  private final RedissonClient blocking;

  /** Whether there is a redis-server for this platform. */
  static boolean comesAlong() {
    return ClassLoader.getSystemResource(BINARY) != null
        && System.getProperty("os.name").equals("Linux")
        && System.getProperty("os.arch").equals("amd64");
  }

  public OwnRedis() throws Exception {
    directory = Files.createTempDirectory("troupe-redis");
    binary = directory.resolve("redis-server");
    try (InputStream in = ClassLoader.getSystemResourceAsStream(BINARY)) {
      Files.copy(in, binary);
    }
    binary.toFile().setExecutable(true);
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    start();
    client = connect(32);
    blocking = connect(256);
  }

  private RedissonClient connect(int connections) {
    Config config = new Config();
    config
        .useSingleServer()
        .setAddress("redis://127.0.0.1:" + port)
        .setConnectionPoolSize(connections)
        .setConnectionMinimumIdleSize(2)
        .setRetryAttempts(0)
        .setTimeout(2000);
    return Redisson.create(config);
  }

  public void start() throws Exception {
    process =
        new ProcessBuilder(
                binary.toString(),
                "--port",
                "" + port,
                "--bind",
                "127.0.0.1",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--dir",
                directory.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile())
            .start();
    for (int i = 0; ; i++) {
      try (Socket socket = new Socket("127.0.0.1", port)) {
        socket.getOutputStream().write("PING\r\n".getBytes(UTF_8));
        byte[] answer = new byte[5];
        if (socket.getInputStream().readNBytes(answer, 0, 5) == 5 && answer[1] == 'P') {
          return;
        }
      } catch (IOException e) {
        if (i > 1000) {
          throw e;
        }
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  public void kill() throws Exception {
    process.destroyForcibly().waitFor();
  }

  @Override
  public CompletionStage<List<Object>> run(Script script, Partition partition, Object... args) {
    Object[] values = new Object[args.length];
    for (int i = 0; i < args.length; i++) {
      values[i] = args[i] instanceof byte[] ? args[i] : args[i].toString().getBytes(UTF_8);
    }
    return client
        .getScript(ByteArrayCodec.INSTANCE)
        .evalAsync(
            RScript.Mode.READ_WRITE,
            script.source(),
            RScript.ReturnType.LIST,
            List.of(new String(partition.logKey(), UTF_8)),
            values);
  }

  @Override
  public String url() {
    return "redis://127.0.0.1:" + port;
  }

  @Override
  public List<Integer> masters() {
    return List.of(port);
  }

  @Override
  public RedissonClient commands() {
    return client;
  }

  @Override
  public RedissonClient blocking() {
    return blocking;
  }

  @Override
  public void close() throws Exception {
    client.shutdown(0, 1, TimeUnit.SECONDS);
    blocking.shutdown(0, 1, TimeUnit.SECONDS);
    kill();
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
