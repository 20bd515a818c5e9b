package dev.troupe.server.event;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Writes parts of messages whose fields are encoded already. */
final class Wire {

  private Wire() {}

  /** What writes into a buffer. */
  interface Writing {
    void to(CodedOutputStream out) throws IOException;
  }

  /** The bytes that are written. */
  static ByteString bytes(Writing writing) {
    ByteString.Output bytes = ByteString.newOutput(256);
    CodedOutputStream out = CodedOutputStream.newInstance(bytes, 256);
    try {
      writing.to(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("memory cannot be written to", e);
    }
    return bytes.toByteString();
  }

  /** Begins a field of a message, string or bytes that follow. */
  static void begin(CodedOutputStream out, int field, int size) throws IOException {
    out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    out.writeUInt32NoTag(size);
  }
}
