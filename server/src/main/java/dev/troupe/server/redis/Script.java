package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A Lua script from {@code resources/lua/<feature>/<verb>.lua}.
 *
 * <p>A line {@code --#include common/log} stands for the text of that file; each file is included
 * once. Redis runs the definitions on every call of the script, so what few calls need is included
 * within the block that needs it, and is then unknown outside of it. Comments stay in the
 * repository: they are cut before the script is sent.
 *
 * @param name such as {@code task/enqueue}
 * @param source the text that Redis runs
 * @param sha SHA-1 of the source, in hexadecimal
 */
public record Script(String name, String source, String sha) {

  private static final String INCLUDE = "--#include ";

  /** Loads a script from the class path. A missing one is a fault of the build. */
  public static Script load(String name) {
    return assemble(name, name);
  }

  /** The same script behind a check of a fence, whose name and token come before its arguments. */
  public Script fenced() {
    return assemble(name + " under a fence", "common/fenced", name);
  }

  private static Script assemble(String name, String... parts) {
    StringBuilder source = new StringBuilder();
    Set<String> seen = new LinkedHashSet<>();
    for (String part : parts) {
      append(part, source, seen);
    }
    return new Script(name, source.toString(), sha1(source.toString()));
  }

  private static void append(String name, StringBuilder source, Set<String> seen) {
    if (!seen.add(name)) {
      return;
    }
    for (String line : read(name).split("\n", -1)) {
      String trimmed = line.strip();
      if (trimmed.startsWith(INCLUDE)) {
        append(trimmed.substring(INCLUDE.length()).strip(), source, seen);
      } else if (!trimmed.isEmpty() && !trimmed.startsWith("--")) {
        source.append(trimmed).append('\n');
      }
    }
  }

  private static String read(String name) {
    String path = "/lua/" + name + ".lua";
    try (InputStream in = Script.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("no such script: " + path);
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sha1(String text) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-1").digest(text.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-1", e);
    }
  }
}
