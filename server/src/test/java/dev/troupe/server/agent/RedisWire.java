package dev.troupe.server.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * A connection to one Redis process, to look at what the servers wrote. Texts stand for bytes: what
 * is read has a char per byte, what is sent is encoded the same way.
 */
public final class RedisWire implements AutoCloseable {

  private final Socket socket;
  private final DataInputStream in;

  public RedisWire(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(20_000);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
  }

  /** A text of which each char is a byte of its UTF-8. */
  public static String bytes(String text) {
    return new String(text.getBytes(UTF_8), ISO_8859_1);
  }

  /** One command and its reply: a text, a {@code Long}, a list or "" for nil. */
  public Object command(String... words) throws IOException {
    StringBuilder command = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      command.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
    }
    socket.getOutputStream().write(command.toString().getBytes(ISO_8859_1));
    return reply();
  }

  /** The reply to a command that answers with texts only. */
  public List<String> texts(String... words) throws IOException {
    List<String> texts = new ArrayList<>();
    ((List<?>) command(words)).forEach(text -> texts.add((String) text));
    return texts;
  }

  /** The next reply, or the next line of a MONITOR. */
  Object reply() throws IOException {
    String line = line();
    String rest = line.substring(1);
    switch (line.charAt(0)) {
      case '+':
        return rest;
      case ':':
        return Long.parseLong(rest);
      case '$':
        return text(Integer.parseInt(rest));
      case '*':
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(rest); i++) {
          list.add(reply());
        }
        return list;
      default:
        throw new IOException("Redis says " + line);
    }
  }

  private String text(int length) throws IOException {
    if (length < 0) {
      return "";
    }
    byte[] text = new byte[length + 2];
    in.readFully(text);
    return new String(text, 0, length, ISO_8859_1);
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.readByte(); b != '\r'; b = in.readByte()) {
      line.write(b);
    }
    in.readByte();
    return line.toString(ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** Whether a key is there and nothing says when it ends; one may end while we look. */
  public boolean isForEver(String key) throws IOException {
    return (Long) command("PTTL", key) == -1;
  }
}
