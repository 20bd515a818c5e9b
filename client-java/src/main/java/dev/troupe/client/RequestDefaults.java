package dev.troupe.client;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.MethodDescriptor;
import java.util.UUID;

/**
 * Fills in what a caller left out: the client's namespace, and a request id of its own for each
 * call. It sits above gRPC's retries, so that all repeats of a call carry the same id.
 */
final class RequestDefaults implements ClientInterceptor {

  private final String namespace;

  RequestDefaults(String namespace) {
    this.namespace = namespace;
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      @SuppressWarnings("unchecked") // A message of the same type as the one that came in.
      public void sendMessage(Q message) {
        super.sendMessage(message instanceof Message request ? (Q) fill(request) : message);
      }
    };
  }

  private Message fill(Message request) {
    Descriptor type = request.getDescriptorForType();
    Message.Builder filled = null;
    if (!namespace.isEmpty() && isEmpty(request, type.findFieldByName("namespace"))) {
      filled = request.toBuilder().setField(type.findFieldByName("namespace"), namespace);
    }
    if (isEmpty(request, type.findFieldByName("request_id"))) {
      filled = filled == null ? request.toBuilder() : filled;
      filled.setField(type.findFieldByName("request_id"), UUID.randomUUID().toString());
    }
    return filled == null ? request : filled.build();
  }

  @SuppressWarnings("NullAway") // A field that is not there is null.
  private static boolean isEmpty(Message request, FieldDescriptor field) {
    return field != null && request.getField(field).equals("");
  }
}
