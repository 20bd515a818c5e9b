package dev.troupe.bench;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Places for servers that live as long as a benchmark. */
final class Scratch {

  private Scratch() {}

  /** A port of the loopback interface that nobody has right now. */
  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** An empty directory. */
  static Path directory(String prefix) throws IOException {
    return Files.createTempDirectory(prefix);
  }

  /** Such as "ext4": on a "tmpfs" writing through costs nothing, and durable is for free. */
  static String fileSystem() throws IOException {
    return Files.getFileStore(Path.of(System.getProperty("java.io.tmpdir"))).type();
  }

  static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
