package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A {@code redis-server} that can be started.
 *
 * @param path of the executable
 * @param version such as "7.0.15"
 */
record RedisBinary(Path path, String version) {

  private static final Pattern VERSION = Pattern.compile("v=(\\d+)\\.(\\d+)\\.(\\d+)");

  /**
   * Finds one: the configured one; else one on the PATH, 6.2 or newer; else the one that comes with
   * us.
   *
   * @param unpackInto where the last one is put
   * @throws RedisStartupException when there is none that works
   */
  static RedisBinary find(String configured, Path unpackInto) {
    if (!configured.isEmpty()) {
      return probe(Path.of(configured))
          .orElseThrow(
              () ->
                  new RedisStartupException(
                      "redis.binary: " + configured + " is not a redis-server of 6.2 or newer"));
    }
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    for (String folder : path.split(File.pathSeparator)) {
      Path candidate = Path.of(folder.isEmpty() ? "." : folder, "redis-server");
      if (Files.isExecutable(candidate)) {
        Optional<RedisBinary> found = probe(candidate);
        if (found.isPresent()) {
          return found.get();
        }
      }
    }
    return unpack(unpackInto);
  }

  private static RedisBinary unpack(Path folder) {
    String platform = platform();
    Path target = folder.resolve("redis-server");
    try (InputStream in = RedisBinary.class.getResourceAsStream("/redis-server-" + platform)) {
      if (in == null) {
        throw new RedisStartupException(
            "no redis-server on the PATH, and none comes along for this platform ("
                + platform
                + "); install the package redis-server (Debian) or redis (Homebrew)");
      }
      Files.createDirectories(folder);
      Path fresh = Files.createTempFile(folder, "redis-server", ".new");
      Files.copy(in, fresh, StandardCopyOption.REPLACE_EXISTING);
      if (!fresh.toFile().setExecutable(true)) {
        throw new IOException("cannot make it executable: " + fresh);
      }
      Files.move(fresh, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new RedisStartupException("cannot unpack redis-server into " + folder + ": " + e, e);
    }
    return probe(target)
        .orElseThrow(
            () ->
                new RedisStartupException(
                    "the redis-server that comes along does not run here (it needs libssl 3);"
                        + " install the package redis-server (Debian) or redis (Homebrew)"));
  }

  private static String platform() {
    boolean arm = System.getProperty("os.arch").matches("aarch64|arm64");
    boolean mac = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac");
    if (mac) {
      return arm ? "6.2.6-v5-darwin-arm64" : "6.2.6-v5-darwin-amd64";
    }
    return arm ? "6.2.7-linux-arm64" : "6.2.6-v5-linux-amd64";
  }

  private static Optional<RedisBinary> probe(Path path) {
    try {
      Process process =
          new ProcessBuilder(path.toString(), "--version").redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      Matcher version = VERSION.matcher(output);
      if (process.waitFor() != 0 || !version.find()) {
        return Optional.empty();
      }
      int major = Integer.parseInt(version.group(1));
      int minor = Integer.parseInt(version.group(2));
      return major > 6 || (major == 6 && minor >= 2)
          ? Optional.of(new RedisBinary(path, version.group().substring(2)))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  int major() {
    return Integer.parseInt(version.substring(0, version.indexOf('.')));
  }
}
