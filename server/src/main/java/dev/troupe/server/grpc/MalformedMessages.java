package dev.troupe.server.grpc;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Answers bytes that are not the expected message with INVALID_ARGUMENT. Left to itself gRPC fails
 * such a call with UNKNOWN, as if the fault were the server's.
 */
final class MalformedMessages {

  private MalformedMessages() {}

  /** The same service, for clients who send anything. */
  static ServerServiceDefinition refusedBy(ServerServiceDefinition service) {
    return ServiceMethods.map(service, MalformedMessages::tolerant);
  }

  private static <Q, A> ServerMethodDefinition<Q, A> tolerant(ServerMethodDefinition<Q, A> method) {
    MethodDescriptor<Q, A> descriptor = method.getMethodDescriptor();
    MethodDescriptor<Q, A> tolerant =
        descriptor.toBuilder(
                new NullWhenMalformed<>(descriptor.getRequestMarshaller()),
                descriptor.getResponseMarshaller())
            .build();
    return ServerMethodDefinition.create(tolerant, refusing(method.getServerCallHandler()));
  }

  private static <Q, A> ServerCallHandler<Q, A> refusing(ServerCallHandler<Q, A> handler) {
    return (call, headers) ->
        new SimpleForwardingServerCallListener<Q>(handler.startCall(call, headers)) {
          private boolean refused;

          @Override
          public void onMessage(@Nullable Q message) {
            if (message != null) {
              super.onMessage(message);
            } else if (!refused) {
              refused = true;
              // First, so that nobody else says anything to the call while it is closed.
              super.onCancel();
              refuse(call);
            }
          }

          @Override
          public void onHalfClose() {
            if (!refused) {
              super.onHalfClose();
            }
          }
        };
  }

  private static void refuse(ServerCall<?, ?> call) {
    StatusRuntimeException refusal =
        StatusMapper.toStatus(
            TroupeException.of(
                ErrorReason.ERROR_REASON_INVALID_FIELD,
                "the message is not a "
                    + call.getMethodDescriptor().getFullMethodName()
                    + " request in Protobuf"));
    Metadata trailers = Status.trailersFromThrowable(refusal);
    call.close(refusal.getStatus(), trailers == null ? new Metadata() : trailers);
  }

  private record NullWhenMalformed<M>(Marshaller<M> delegate) implements Marshaller<M> {

    @Override
    public InputStream stream(M value) {
      return delegate.stream(value);
    }

    @Override
    @SuppressWarnings("NullAway") // The listener right behind it takes null for what it is.
    public M parse(InputStream stream) {
      try {
        return delegate.parse(stream);
      } catch (StatusRuntimeException malformed) {
        return null;
      }
    }
  }
}
