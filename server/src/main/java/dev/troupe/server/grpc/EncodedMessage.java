package dev.troupe.server.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/**
 * A response that is encoded already: what goes to a thousand callers is encoded once, and copied
 * only into what is written to each socket, in one piece. Immutable.
 */
public final class EncodedMessage {

  /** For the responses of a server; nothing is parsed with it. */
  public static final Marshaller<EncodedMessage> MARSHALLER = new Outgoing();

  private final byte[] bytes;

  private EncodedMessage(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The parts of one message, in order. */
  public static EncodedMessage of(List<ByteString> parts) {
    byte[] whole = new byte[parts.stream().mapToInt(ByteString::size).sum()];
    int end = 0;
    for (ByteString part : parts) {
      part.copyTo(whole, end);
      end += part.size();
    }
    return new EncodedMessage(whole);
  }

  /** The message as a whole. */
  public static EncodedMessage of(MessageLite message) {
    return new EncodedMessage(message.toByteArray());
  }

  private static final class Outgoing implements Marshaller<EncodedMessage> {

    @Override
    public InputStream stream(EncodedMessage message) {
      return new Whole(message.bytes);
    }

    @Override
    public EncodedMessage parse(InputStream stream) {
      throw new UnsupportedOperationException("responses are not read here");
    }
  }

  /** gRPC asks for the length, makes room, and has all of it written there. */
  private static final class Whole extends ByteArrayInputStream
      implements KnownLength, io.grpc.Drainable {

    Whole(byte[] bytes) {
      super(bytes);
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      // Not transferTo, which makes a copy for streams that it does not know on newer JDKs.
      int length = count - pos;
      target.write(buf, pos, length);
      pos = count;
      return length;
    }
  }
}
