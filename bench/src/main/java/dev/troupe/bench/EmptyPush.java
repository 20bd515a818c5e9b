package dev.troupe.bench;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** The calls of the empty push. They carry bytes that the server never looks at. */
final class EmptyPush {

  static final String SERVICE = "bench.EmptyPush";

  /** Answered with the request itself, so that the caller knows it is live, then what comes. */
  static final MethodDescriptor<byte[], byte[]> SUBSCRIBE =
      method(MethodType.SERVER_STREAMING, "Subscribe");

  /** Goes to all subscribers as it is. Answered with nothing, before they have it. */
  static final MethodDescriptor<byte[], byte[]> PUBLISH = method(MethodType.UNARY, "Publish");

  private EmptyPush() {}

  private static MethodDescriptor<byte[], byte[]> method(MethodType type, String name) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
        .setRequestMarshaller(new Bytes())
        .setResponseMarshaller(new Bytes())
        .build();
  }

  private static final class Bytes implements Marshaller<byte[]> {

    @Override
    public InputStream stream(byte[] message) {
      return new Message(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** gRPC asks for the length, makes room, and has all of it written there, as Troupe's are. */
  private static final class Message extends ByteArrayInputStream
      implements KnownLength, Drainable {

    Message(byte[] message) {
      super(message);
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int drained = count - pos;
      target.write(buf, pos, drained);
      pos = count;
      return drained;
    }
  }
}
