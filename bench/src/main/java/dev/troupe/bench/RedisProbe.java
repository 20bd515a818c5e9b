package dev.troupe.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Asks a Redis about itself. A connection with nothing behind it: a client library would add pings
 * and commands of its own to those that are counted.
 */
final class RedisProbe implements AutoCloseable {

  private static final Pattern CALLS = Pattern.compile("cmdstat_(\\S+):calls=(\\d+),.*");

  /** What a key is about, such as "ag:a" in "troupe:{default/0}:ag:a:agent-1". */
  private static final Pattern KIND = Pattern.compile("troupe:\\{[^}]*}:(\\w+(?::\\w+)?).*");

  private final Socket socket;
  private final InputStream in;

  /**
   * Connects.
   *
   * @param url such as "redis://:password@127.0.0.1:6379"
   */
  RedisProbe(String url) throws IOException {
    URI address = URI.create(url);
    socket = new Socket(address.getHost(), address.getPort());
    in = new BufferedInputStream(socket.getInputStream());
    ask("AUTH", address.getUserInfo().substring(1));
  }

  /** How often each command ran so far, those that scripts call included. */
  Map<String, Long> calls() throws IOException {
    Map<String, Long> calls = new HashMap<>();
    for (String line : info("commandstats")) {
      Matcher matcher = CALLS.matcher(line);
      if (matcher.matches()) {
        calls.put(matcher.group(1), Long.parseLong(matcher.group(2)));
      }
    }
    return calls;
  }

  long usedMemory() throws IOException {
    return info("memory").stream()
        .filter(line -> line.startsWith("used_memory:"))
        .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(':') + 1)))
        .findFirst()
        .orElseThrow();
  }

  /** Bytes of all keys by kind. */
  Map<String, Long> memoryByKind() throws IOException {
    Map<String, Long> bytes = new HashMap<>();
    String cursor = "0";
    do {
      List<?> page = (List<?>) ask("SCAN", cursor, "COUNT", "1000");
      cursor = (String) page.get(0);
      for (Object key : (List<?>) page.get(1)) {
        Matcher matcher = KIND.matcher((String) key);
        String kind = matcher.matches() ? matcher.group(1) : "other";
        // Nil when it expired meanwhile.
        if (ask("MEMORY", "USAGE", (String) key, "SAMPLES", "0") instanceof Long size) {
          bytes.merge(kind, size, Long::sum);
        }
      }
    } while (!cursor.equals("0"));
    return bytes;
  }

  long streamLength(String key) throws IOException {
    return (Long) ask("XLEN", key);
  }

  /** How many of the keys there are. */
  long existing(List<String> keys) throws IOException {
    List<String> command = new ArrayList<>(List.of("EXISTS"));
    command.addAll(keys);
    return (Long) ask(command.toArray(String[]::new));
  }

  long timeMicros() throws IOException {
    List<?> time = (List<?>) ask("TIME");
    return Long.parseLong((String) time.get(0)) * 1_000_000 + Long.parseLong((String) time.get(1));
  }

  private List<String> info(String section) throws IOException {
    return ((String) ask("INFO", section)).lines().toList();
  }

  /** A String, a Long, a List of them, or "" for nil. */
  private Object ask(String... command) throws IOException {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.write(("*" + command.length + "\r\n").getBytes(UTF_8));
    for (String word : command) {
      byte[] bytes = word.getBytes(UTF_8);
      message.write(("$" + bytes.length + "\r\n").getBytes(UTF_8));
      message.write(bytes);
      message.write("\r\n".getBytes(UTF_8));
    }
    socket.getOutputStream().write(message.toByteArray());
    return reply();
  }

  private Object reply() throws IOException {
    String line = line();
    String rest = line.substring(1);
    return switch (line.charAt(0)) {
      case '+' -> rest;
      case ':' -> Long.parseLong(rest);
      case '$' -> text(Integer.parseInt(rest));
      case '*' -> {
        List<Object> elements = new ArrayList<>();
        for (int left = Integer.parseInt(rest); left > 0; left--) {
          elements.add(reply());
        }
        yield elements;
      }
      default -> throw new IOException(rest);
    };
  }

  private String text(int length) throws IOException {
    if (length < 0) {
      return "";
    }
    byte[] bytes = in.readNBytes(length + 2);
    if (bytes.length < length + 2) {
      throw new EOFException();
    }
    return new String(bytes, 0, length, UTF_8);
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int next = in.read();
    while (next != '\r') {
      if (next < 0) {
        throw new EOFException();
      }
      line.write(next);
      next = in.read();
    }
    if (in.read() < 0) {
      throw new EOFException();
    }
    return line.toString(UTF_8);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
