package dev.troupe.server.grpc;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.rpc.ErrorDetailsProto;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.reflection.v1.FileDescriptorResponse;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;

/**
 * Lets reflection know the details that refusals carry, such as {@code google.rpc.ErrorInfo}, so
 * that tools can show them. No service names them in its contract, and reflection knows nothing
 * else. Thread-safe.
 */
final class ErrorDetailsReflection implements ServerInterceptor {

  private static final FileDescriptor DETAILS = ErrorDetailsProto.getDescriptor();

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return next.startCall(
        new SimpleForwardingServerCall<Q, A>(call) {
          @Override
          @SuppressWarnings("unchecked") // An answer is exchanged for one of its own type.
          public void sendMessage(A message) {
            super.sendMessage(
                message instanceof ServerReflectionResponse answer
                    ? (A) withDetails(answer)
                    : message);
          }
        },
        headers);
  }

  private static ServerReflectionResponse withDetails(ServerReflectionResponse answer) {
    if (!answer.hasErrorResponse() || !asksForDetails(answer.getOriginalRequest())) {
      return answer;
    }
    FileDescriptorResponse.Builder files =
        FileDescriptorResponse.newBuilder()
            .addFileDescriptorProto(DETAILS.toProto().toByteString());
    DETAILS
        .getDependencies()
        .forEach(file -> files.addFileDescriptorProto(file.toProto().toByteString()));
    return answer.toBuilder().setFileDescriptorResponse(files).build();
  }

  private static boolean asksForDetails(ServerReflectionRequest request) {
    return switch (request.getMessageRequestCase()) {
      case FILE_CONTAINING_SYMBOL ->
          DETAILS.getMessageTypes().stream()
              .map(Descriptor::getFullName)
              .anyMatch(name -> (request.getFileContainingSymbol() + ".").startsWith(name + "."));
      case FILE_BY_FILENAME -> request.getFileByFilename().equals(DETAILS.getName());
      default -> false;
    };
  }
}
