package dev.troupe.server.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import dev.troupe.v1.MemoryContent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells what items are about apart; see {@code MemoryItem.content_hash}. */
final class ContentHash {

  private static final int BYTES = 16;

  private ContentHash() {}

  static String of(MemoryContent content) {
    MessageDigest digest = sha256();
    add(digest, 't', content.getTextBytes().toByteArray());
    switch (content.getDataCase()) {
      case STRUCT_DATA -> add(digest, 's', deterministic(content.getStructData()));
      case BYTES_DATA -> add(digest, 'b', content.getBytesData().toByteArray());
      case DATA_NOT_SET -> {
        if (content.getText().isEmpty()) {
          add(digest, 'e', floats(content));
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
  }

  /** Each part behind its length, so that no two contents look the same. */
  private static void add(MessageDigest digest, char kind, byte[] part) {
    digest.update((kind + ":" + part.length + ":").getBytes(UTF_8));
    digest.update(part);
  }

  private static byte[] floats(MemoryContent content) {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * content.getEmbeddingCount());
    content.getEmbeddingList().forEach(bytes::putFloat);
    return bytes.array();
  }

  /** The order of a map is not part of what it says. */
  private static byte[] deterministic(Message message) {
    byte[] bytes = new byte[message.getSerializedSize()];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization();
    try {
      message.writeTo(out);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
