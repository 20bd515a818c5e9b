package dev.troupe.server.crash;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Six Redis processes on loopback: three masters with a replica each. */
public final class RedisCluster implements AutoCloseable {

  private static final int NODES = 6;
  private static final int BUS_OFFSET = 10_000;
  private static final int MASTERS = 3;
  private static final int SLOTS = 16_384;

  private final Path directory;
  private final List<Process> processes = new ArrayList<>();
  private final List<Integer> ports = new ArrayList<>();

  /**
   * Starts one.
   *
   * @param patience after which a master that does not answer is replaced
   */
  public RedisCluster(Duration patience) throws Exception {
    directory = Files.createTempDirectory("troupe-cluster");
    Path binary = directory.resolve("redis-server");
    try (InputStream in =
        ClassLoader.getSystemResourceAsStream("redis-server-6.2.6-v5-linux-amd64")) {
      Files.copy(in, binary);
    }
    binary.toFile().setExecutable(true);
    while (ports.size() < NODES) {
      int port = freePort();
      // The system may hand out a port again that nothing listens on yet.
      if (!ports.contains(port)
          && !ports.contains(port + BUS_OFFSET)
          && !ports.contains(port - BUS_OFFSET)) {
        ports.add(port);
      }
    }
    for (int port : ports) {
      Path data = Files.createDirectory(directory.resolve(Integer.toString(port)));
      processes.add(
          new ProcessBuilder(
                  binary.toString(),
                  "--port",
                  Integer.toString(port),
                  "--bind",
                  "127.0.0.1",
                  "--cluster-enabled",
                  "yes",
                  "--cluster-node-timeout",
                  Long.toString(patience.toMillis()),
                  "--save",
                  "")
              .directory(data.toFile())
              .redirectErrorStream(true)
              .redirectOutput(data.resolve("log").toFile())
              .start());
    }
    form();
  }

  /** The cluster's bus listens 10,000 ports above, which has to exist and be free as well. */
  private static int freePort() throws IOException {
    while (true) {
      try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        int port = socket.getLocalPort();
        if (port <= 55_000) {
          try (ServerSocket bus =
              new ServerSocket(port + BUS_OFFSET, 1, InetAddress.getLoopbackAddress())) {
            return bus.getLocalPort() - BUS_OFFSET;
          } catch (IOException e) {
            continue;
          }
        }
      }
    }
  }

  private void form() {
    for (int port : ports) {
      until(() -> RedisProcess.ask(port, "PING").startsWith("+PONG"));
    }
    for (int i = 0; i < MASTERS; i++) {
      StringBuilder slots = new StringBuilder("CLUSTER ADDSLOTS");
      for (int slot = i * SLOTS / MASTERS; slot < (i + 1) * SLOTS / MASTERS; slot++) {
        slots.append(' ').append(slot);
      }
      RedisProcess.ask(ports.get(i), slots.toString());
      // Masters that begin with the same epoch have to quarrel it out first.
      RedisProcess.ask(ports.get(i), "CLUSTER SET-CONFIG-EPOCH " + (i + 1));
    }
    for (int port : ports) {
      RedisProcess.ask(ports.get(0), "CLUSTER MEET 127.0.0.1 " + port);
    }
    for (int port : ports) {
      until(() -> RedisProcess.ask(port, "CLUSTER INFO").contains("cluster_known_nodes:" + NODES));
    }
    for (int i = 0; i < MASTERS; i++) {
      String master =
          RedisProcess.ask(ports.get(i), "CLUSTER MYID").lines().skip(1).findFirst().orElseThrow();
      int replica = ports.get(MASTERS + i);
      until(() -> RedisProcess.ask(replica, "CLUSTER REPLICATE " + master).startsWith("+OK"));
    }
    for (int port : ports) {
      until(() -> RedisProcess.ask(port, "CLUSTER INFO").contains("cluster_state:ok"));
    }
  }

  private interface Question {
    boolean answered() throws Exception;
  }

  private static void until(Question question) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(50))
        .ignoreExceptions()
        .until(question::answered);
  }

  /** Where it is, as {@code redis.url} wants it. */
  public String url() {
    return "redis-cluster://"
        + ports.stream()
            .limit(MASTERS)
            .map(port -> "127.0.0.1:" + port)
            .collect(Collectors.joining(","));
  }

  /** The ports of the masters. */
  public List<Integer> masters() {
    return List.copyOf(ports.subList(0, MASTERS));
  }

  /** Holds a master until its replica has taken over, then lets it go on, as that one's replica. */
  void replaceMaster(int number) throws Exception {
    TroupeProcess.signal(processes.get(number), true);
    try {
      int replica = ports.get(MASTERS + number);
      until(() -> RedisProcess.ask(replica, "ROLE").contains("master"));
    } finally {
      TroupeProcess.signal(processes.get(number), false);
    }
    int replaced = ports.get(number);
    until(() -> RedisProcess.ask(replaced, "ROLE").contains("slave"));
  }

  /** How many keys each master holds. */
  List<Integer> keys() {
    return ports.stream()
        .limit(MASTERS)
        .map(
            port ->
                Integer.parseInt(
                    RedisProcess.ask(port, "DBSIZE").lines().findFirst().orElse(":0").substring(1)))
        .toList();
  }

  @Override
  public void close() throws Exception {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
