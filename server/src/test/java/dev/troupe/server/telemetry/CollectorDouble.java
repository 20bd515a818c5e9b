package dev.troupe.server.telemetry;

import dev.troupe.server.grpc.RawBytes;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Takes what an OTLP collector takes over gRPC, and keeps the bytes. */
final class CollectorDouble implements AutoCloseable {

  final List<byte[]> traces = new CopyOnWriteArrayList<>();
  final List<byte[]> metrics = new CopyOnWriteArrayList<>();
  private final Server server;

  CollectorDouble() throws IOException {
    this.server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(service("opentelemetry.proto.collector.trace.v1.TraceService", traces))
            .addService(service("opentelemetry.proto.collector.metrics.v1.MetricsService", metrics))
            .build()
            .start();
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getPort();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private static ServerServiceDefinition service(String name, List<byte[]> received) {
    MethodDescriptor<byte[], byte[]> export =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(name + "/Export")
            .setRequestMarshaller(new RawBytes())
            .setResponseMarshaller(new RawBytes())
            .build();
    return ServerServiceDefinition.builder(name)
        .addMethod(
            export,
            ServerCalls.asyncUnaryCall(
                (request, observer) -> {
                  received.add(request);
                  observer.onNext(new byte[0]);
                  observer.onCompleted();
                }))
        .build();
  }
}
