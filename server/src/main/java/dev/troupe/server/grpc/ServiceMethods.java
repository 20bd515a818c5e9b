package dev.troupe.server.grpc;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.ServerCalls.BidiStreamingMethod;
import io.grpc.stub.ServerCalls.ServerStreamingMethod;
import java.util.List;
import java.util.function.Function;

/** Builds a service with methods that differ from those that were generated for it. */
public final class ServiceMethods {

  private ServiceMethods() {}

  /** The service with each method exchanged for what the function makes of it. */
  static ServerServiceDefinition map(
      ServerServiceDefinition service,
      Function<ServerMethodDefinition<?, ?>, ServerMethodDefinition<?, ?>> change) {
    ServiceDescriptor descriptor = service.getServiceDescriptor();
    ServiceDescriptor.Builder changed =
        ServiceDescriptor.newBuilder(descriptor.getName())
            .setSchemaDescriptor(descriptor.getSchemaDescriptor());
    List<ServerMethodDefinition<?, ?>> methods =
        service.getMethods().stream().<ServerMethodDefinition<?, ?>>map(change::apply).toList();
    methods.forEach(method -> changed.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder built = ServerServiceDefinition.builder(changed.build());
    methods.forEach(built::addMethod);
    return built.build();
  }

  /** The service with some methods in place of those of the same names. */
  public static ServerServiceDefinition replace(
      ServerServiceDefinition service, List<ServerMethodDefinition<?, ?>> others) {
    return map(
        service,
        method ->
            others.stream()
                .filter(other -> name(other).equals(name(method)))
                .findFirst()
                .orElse(method));
  }

  private static String name(ServerMethodDefinition<?, ?> method) {
    return method.getMethodDescriptor().getFullMethodName();
  }

  /** A method that streams messages which are encoded already. */
  public static <Q> ServerMethodDefinition<Q, EncodedMessage> streaming(
      MethodDescriptor<Q, ?> method, ServerStreamingMethod<Q, EncodedMessage> handler) {
    return ServerMethodDefinition.create(
        encoded(method), ServerCalls.asyncServerStreamingCall(handler));
  }

  /** The same for a method whose caller streams too. */
  public static <Q> ServerMethodDefinition<Q, EncodedMessage> bidirectional(
      MethodDescriptor<Q, ?> method, BidiStreamingMethod<Q, EncodedMessage> handler) {
    return ServerMethodDefinition.create(
        encoded(method), ServerCalls.asyncBidiStreamingCall(handler));
  }

  private static <Q> MethodDescriptor<Q, EncodedMessage> encoded(MethodDescriptor<Q, ?> method) {
    Marshaller<Q> requests = method.getRequestMarshaller();
    return method.toBuilder(requests, EncodedMessage.MARSHALLER).build();
  }
}
