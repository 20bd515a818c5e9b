package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.crash.TroupeProcess;
import io.grpc.ManagedChannel;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What tools such as grpcurl learn from the server itself. */
@SuppressWarnings("NullAway.Init")
final class ReflectionTest {

  private static TroupeProcess server;
  private static ManagedChannel channel;

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    channel = server.channel();
  }

  @AfterAll
  static void stop() throws Exception {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void the_details_of_errors_are_known_by_their_names() throws Exception {
    for (String name : List.of("ErrorInfo", "BadRequest", "RetryInfo", "PreconditionFailure")) {
      assertThat(files(symbol("google.rpc." + name)))
          .contains("google/rpc/error_details.proto", "google/protobuf/duration.proto");
    }
    assertThat(files(symbol("google.rpc.BadRequest.FieldViolation")))
        .contains("google/rpc/error_details.proto");
    assertThat(
            files(
                ServerReflectionRequest.newBuilder()
                    .setFileByFilename("google/rpc/error_details.proto")
                    .build()))
        .contains("google/rpc/error_details.proto");
  }

  @Test
  void the_contract_is_known_and_what_nobody_has_is_not() throws Exception {
    assertThat(files(symbol("troupe.v1.MemoryService")))
        .contains("troupe/v1/memory_service.proto", "troupe/v1/error_reason.proto");
    assertThat(ask(symbol("google.rpc.Nothing")).hasErrorResponse()).isTrue();
    assertThat(ask(symbol("google.rpc")).hasErrorResponse()).isTrue();
    assertThat(
            ask(ServerReflectionRequest.newBuilder().setListServices("").build())
                .getListServicesResponse()
                .getServiceList())
        .noneMatch(service -> service.getName().startsWith("google."));
  }

  private static ServerReflectionRequest symbol(String name) {
    return ServerReflectionRequest.newBuilder().setFileContainingSymbol(name).build();
  }

  private static List<String> files(ServerReflectionRequest request)
      throws InvalidProtocolBufferException {
    List<String> names = new ArrayList<>();
    for (ByteString file : ask(request).getFileDescriptorResponse().getFileDescriptorProtoList()) {
      names.add(FileDescriptorProto.parseFrom(file).getName());
    }
    return names;
  }

  private static ServerReflectionResponse ask(ServerReflectionRequest request) {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> asking =
        ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    answer.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {}
                });
    asking.onNext(request);
    asking.onCompleted();
    return answer.orTimeout(20, TimeUnit.SECONDS).join();
  }
}
