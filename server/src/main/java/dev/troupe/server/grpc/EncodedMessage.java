package dev.troupe.server.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A response that is encoded already, in parts that may be shared by many of them: what goes to a
 * thousand callers is encoded once, and copied only into what is written to each socket. Immutable.
 */
public final class EncodedMessage {

  /** For the responses of a server; nothing is parsed with it. */
  public static final Marshaller<EncodedMessage> MARSHALLER = new Outgoing();

  private final List<ByteString> parts;
  private final int size;

  private EncodedMessage(List<ByteString> parts) {
    this.parts = parts;
    this.size = parts.stream().mapToInt(ByteString::size).sum();
  }

  /** The parts of one message, in order. */
  public static EncodedMessage of(List<ByteString> parts) {
    return new EncodedMessage(parts);
  }

  /** The message as a whole. */
  public static EncodedMessage of(MessageLite message) {
    return new EncodedMessage(List.of(message.toByteString()));
  }

  private static final class Outgoing implements Marshaller<EncodedMessage> {

    @Override
    public InputStream stream(EncodedMessage message) {
      return new Parts(message);
    }

    @Override
    public EncodedMessage parse(InputStream stream) {
      throw new UnsupportedOperationException("responses are not read here");
    }
  }

  /** gRPC asks for the length, makes room, and has all of it written there. */
  private static final class Parts extends InputStream implements KnownLength, io.grpc.Drainable {

    private final EncodedMessage message;
    private int left;
    private @Nullable InputStream reading;

    Parts(EncodedMessage message) {
      this.message = message;
      this.left = message.size;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      if (reading != null) {
        return (int) reading.transferTo(target);
      }
      for (ByteString part : message.parts) {
        part.writeTo(target);
      }
      int drained = left;
      left = 0;
      return drained;
    }

    @Override
    public int available() {
      return left;
    }

    @Override
    public int read() throws IOException {
      int next = bytes().read();
      if (next >= 0) {
        left--;
      }
      return next;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
      int count = bytes().read(target, from, length);
      left -= Math.max(0, count);
      return count;
    }

    /** Only transports within a process read byte by byte. */
    private InputStream bytes() {
      InputStream stream = reading;
      if (stream == null) {
        ByteString whole = ByteString.EMPTY;
        if (left > 0) {
          whole = ByteString.copyFrom(message.parts);
        }
        stream = whole.newInput();
        reading = stream;
      }
      return stream;
    }
  }
}
