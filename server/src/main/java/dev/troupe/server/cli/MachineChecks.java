package dev.troupe.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Looks at this machine: can a server with its own Redis run here? */
final class MachineChecks {

  private static final int OLDEST_JAVA = 17;
  private static final Pattern REDIS_VERSION = Pattern.compile("v=(\\d+)\\.(\\d+)[.\\d]*");

  private final Map<String, String> environment;

  MachineChecks(Map<String, String> environment) {
    this.environment = environment;
  }

  Diagnosis java() {
    Runtime.Version version = Runtime.version();
    return version.feature() >= OLDEST_JAVA
        ? Diagnosis.ok("java", version.toString())
        : Diagnosis.fail(
            "java",
            version.toString(),
            "Troupe needs 17 or newer: apt install openjdk-17-jre-headless, or brew install"
                + " openjdk@17");
  }

  /** Whether a Redis can be started here; a server that is given a Redis does not need one. */
  Diagnosis redisBinary() throws InterruptedException {
    Optional<Path> binary = onPath("redis-server");
    if (binary.isEmpty()) {
      return bundled();
    }
    String text = versionText(binary.get());
    Matcher version = REDIS_VERSION.matcher(text);
    if (!version.find()) {
      return Diagnosis.fail("redis-server", binary.get() + " does not tell its version", advice());
    }
    int number = Integer.parseInt(version.group(1)) * 100 + Integer.parseInt(version.group(2));
    String finding = version.group().substring(2) + " at " + binary.get();
    return number >= 602
        ? Diagnosis.ok("redis-server", finding)
        : Diagnosis.fail("redis-server", finding + " is older than 6.2", advice());
  }

  private static Diagnosis bundled() {
    String platform = System.getProperty("os.name", "") + " " + System.getProperty("os.arch", "");
    boolean comesAlong = platform.matches("(Linux|Mac OS X) (amd64|x86_64|aarch64|arm64)");
    return comesAlong
        ? Diagnosis.ok("redis-server", "none on the PATH; the one that comes along is used")
        : Diagnosis.fail("redis-server", "none on the PATH, and none for " + platform, advice());
  }

  private static String advice() {
    return "apt install redis-server, or brew install redis; not needed with a Redis of your own";
  }

  private Optional<Path> onPath(String program) {
    for (String directory : environment.getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
      Path candidate = Path.of(directory.isEmpty() ? "." : directory, program);
      if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  private static String versionText(Path binary) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(binary.toString(), "--version").redirectErrorStream(true).start();
      process.getOutputStream().close();
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return "";
      }
      return new String(process.getInputStream().readAllBytes(), UTF_8);
    } catch (IOException e) {
      return "";
    }
  }
}
