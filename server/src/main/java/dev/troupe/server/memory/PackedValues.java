package dev.troupe.server.memory;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the MessagePack that the scripts write with {@code cmsgpack}: numbers, strings and arrays
 * of them, which is all that they pack.
 */
final class PackedValues {

  private final ByteString packed;
  private final ByteBuffer in;

  private PackedValues(ByteString packed) {
    this.packed = packed;
    // Of a part of another one it would begin where that part does.
    in = packed.asReadOnlyByteBuffer().slice();
  }

  /**
   * The values of a packed array: {@code Long}, {@code Double}, {@code ByteString}, {@code List}.
   * Strings are parts of what was packed, not copies.
   */
  @SuppressWarnings("unchecked") // What is read at the top is an array.
  static List<Object> array(ByteString packed) {
    return (List<Object>) new PackedValues(packed).value();
  }

  private Object value() {
    int type = in.get() & 0xff;
    if (type < 0x80) {
      return (long) type;
    }
    if (type < 0x90) {
      // An empty table: it may be either.
      return list(2 * (type & 0x0f));
    }
    if (type < 0xa0) {
      return list(type & 0x0f);
    }
    if (type < 0xc0) {
      return bytes(type & 0x1f);
    }
    if (type >= 0xe0) {
      return (long) (byte) type;
    }
    return switch (type) {
      case 0xc4, 0xd9 -> bytes(in.get() & 0xff);
      case 0xc5, 0xda -> bytes(in.getShort() & 0xffff);
      case 0xc6, 0xdb -> bytes(in.getInt());
      case 0xca -> (double) in.getFloat();
      case 0xcb -> in.getDouble();
      case 0xcc -> (long) (in.get() & 0xff);
      case 0xcd -> (long) (in.getShort() & 0xffff);
      case 0xce -> in.getInt() & 0xffffffffL;
      case 0xcf, 0xd3 -> in.getLong();
      case 0xd0 -> (long) in.get();
      case 0xd1 -> (long) in.getShort();
      case 0xd2 -> (long) in.getInt();
      case 0xdc -> list(in.getShort() & 0xffff);
      case 0xdd -> list(in.getInt());
      default -> throw new IllegalStateException("not packed by a script of ours: " + type);
    };
  }

  private List<Object> list(int size) {
    List<Object> values = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      values.add(value());
    }
    return values;
  }

  private ByteString bytes(int size) {
    int from = in.position();
    in.position(from + size);
    return packed.substring(from, from + size);
  }
}
