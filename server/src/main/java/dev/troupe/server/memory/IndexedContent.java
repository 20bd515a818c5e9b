package dev.troupe.server.memory;

import static com.google.protobuf.WireFormat.WIRETYPE_FIXED32;
import static com.google.protobuf.WireFormat.WIRETYPE_LENGTH_DELIMITED;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.troupe.v1.MemoryContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What an index needs of an encoded {@link MemoryContent}. Read without making the message, as an
 * index reads all items of a space when a server starts: numbers are copied at once, and data are
 * passed over.
 */
record IndexedContent(String text, float[] embedding) {

  static IndexedContent parse(ByteString encoded) {
    try {
      return read(encoded.newCodedInput());
    } catch (IOException e) {
      throw new IllegalStateException("a stored item cannot be read", e);
    }
  }

  private static IndexedContent read(CodedInputStream in) throws IOException {
    String text = "";
    float[] embedding = {};
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int field = WireFormat.getTagFieldNumber(tag);
      int type = WireFormat.getTagWireType(tag);
      if (field == MemoryContent.TEXT_FIELD_NUMBER && type == WIRETYPE_LENGTH_DELIMITED) {
        text = in.readStringRequireUtf8();
      } else if (field == MemoryContent.EMBEDDING_FIELD_NUMBER
          && type == WIRETYPE_LENGTH_DELIMITED) {
        embedding = append(embedding, in.readByteBuffer());
      } else if (field == MemoryContent.EMBEDDING_FIELD_NUMBER && type == WIRETYPE_FIXED32) {
        // Protobuf lets a writer encode them one by one.
        embedding = Arrays.copyOf(embedding, embedding.length + 1);
        embedding[embedding.length - 1] = in.readFloat();
      } else {
        in.skipField(tag);
      }
    }
    return new IndexedContent(text, embedding);
  }

  private static float[] append(float[] before, ByteBuffer packed) {
    if (packed.remaining() % Float.BYTES != 0) {
      throw new IllegalStateException("a stored embedding is cut short");
    }
    int more = packed.remaining() / Float.BYTES;
    float[] all = Arrays.copyOf(before, before.length + more);
    packed.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(all, before.length, more);
    return all;
  }
}
