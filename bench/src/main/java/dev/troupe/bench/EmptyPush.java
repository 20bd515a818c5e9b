package dev.troupe.bench;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;

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
        .setRequestMarshaller(new RawBytes())
        .setResponseMarshaller(new RawBytes())
        .build();
  }
}
