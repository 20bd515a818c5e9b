package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Reads a script's reply: an array whose elements are read by position. By our convention the first
 * one is a word that says what became of the call, {@code OK} or a reason.
 *
 * @param elements {@code Long}, {@code byte[]}, {@code List} or null
 */
public record Reply(List<Object> elements) {

  /** What became of the call. */
  public String code() {
    return text(0);
  }

  /** Whether the call went through. */
  public boolean ok() {
    return code().equals("OK");
  }

  public int size() {
    return elements.size();
  }

  /** Text at a position; empty for nil. */
  public String text(int index) {
    Object element = elements.get(index);
    if (element == null) {
      return "";
    }
    return element instanceof byte[] bytes ? new String(bytes, UTF_8) : element.toString();
  }

  /** A number at a position, also when Redis sent it as text; 0 for nil or an empty text. */
  public long number(int index) {
    Object element = elements.get(index);
    if (element instanceof Long number) {
      return number;
    }
    String text = text(index);
    if (text.isEmpty()) {
      return 0;
    }
    // Sorted-set scores may come with an exponent.
    return text.indexOf('e') < 0 && text.indexOf('.') < 0
        ? Long.parseLong(text)
        : (long) Double.parseDouble(text);
  }

  /** Bytes at a position, not copied; empty for nil. */
  public ByteString bytes(int index) {
    return elements.get(index) instanceof byte[] bytes
        ? UnsafeByteOperations.unsafeWrap(bytes)
        : ByteString.EMPTY;
  }

  /** Whether there is a nested array at a position. */
  public boolean isList(int index) {
    return elements.get(index) instanceof List;
  }

  /** A nested array. */
  @SuppressWarnings("unchecked") // Redis arrays are lists of what the class comment lists.
  public Reply nested(int index) {
    return new Reply((List<Object>) elements.get(index));
  }

  /** The texts from a position on. */
  public List<String> texts(int from) {
    return IntStream.range(from, size()).mapToObj(this::text).toList();
  }

  /** Some elements as a reply of their own, for rows that follow one another without nesting. */
  public Reply part(int first, int size) {
    return new Reply(elements.subList(first, first + size));
  }
}
