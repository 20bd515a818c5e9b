package dev.troupe.server.cli;

import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** Looks at a server from outside: is it there, does it serve, does its Redis answer? */
final class ServerChecks {

  private final Connection connection;
  private final ServerOptions options;
  private final Duration timeout;

  ServerChecks(Connection connection, ServerOptions options, Duration timeout) {
    this.connection = connection;
    this.options = options;
    this.timeout = timeout;
  }

  Diagnosis health() {
    try {
      ServingStatus status =
          Connection.within(HealthGrpc.newBlockingStub(connection.channel()), timeout)
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus();
      return status == ServingStatus.SERVING
          ? Diagnosis.ok("health", "SERVING")
          : Diagnosis.fail("health", status.name(), "it is starting, stopping, or lost its Redis");
    } catch (StatusRuntimeException e) {
      return Diagnosis.fail("health", describe(e), "is this a Troupe server?");
    }
  }

  /** Any answer at all proves that there is a gRPC server. */
  Diagnosis reachable() {
    try {
      Connection.within(HealthGrpc.newBlockingStub(connection.channel()), timeout)
          .check(HealthCheckRequest.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      Status.Code code = e.getStatus().getCode();
      if (code == Status.Code.UNAVAILABLE || code == Status.Code.DEADLINE_EXCEEDED) {
        return Diagnosis.fail(
            "server",
            options.server + " does not answer",
            "start one with `troupe serve`, or name another with --server HOST:PORT");
      }
    }
    return Diagnosis.ok("server", options.server + " answers");
  }

  Diagnosis reflection() throws InterruptedException {
    BlockingQueue<Optional<ServerReflectionResponse>> answers = new ArrayBlockingQueue<>(4);
    StreamObserver<ServerReflectionRequest> call =
        Connection.within(ServerReflectionGrpc.newStub(connection.channel()), timeout)
            .serverReflectionInfo(new FirstAnswer(answers));
    call.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    Optional<ServerReflectionResponse> answer =
        answers.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
    call.onCompleted();
    if (answer == null || answer.isEmpty()) {
      return Diagnosis.fail("reflection", "not offered", "grpcurl will need the .proto files");
    }
    List<String> services =
        answer.get().getListServicesResponse().getServiceList().stream()
            .map(ServiceResponse::getName)
            .filter(name -> name.startsWith("troupe."))
            .sorted()
            .toList();
    return services.isEmpty()
        ? Diagnosis.fail("reflection", "no troupe service", "is this a Troupe server?")
        : Diagnosis.ok("reflection", String.join(", ", services));
  }

  private record FirstAnswer(BlockingQueue<Optional<ServerReflectionResponse>> answers)
      implements StreamObserver<ServerReflectionResponse> {
    @Override
    public void onNext(ServerReflectionResponse response) {
      answers.offer(Optional.of(response));
    }

    @Override
    public void onError(Throwable failure) {
      answers.offer(Optional.empty());
    }

    @Override
    public void onCompleted() {
      answers.offer(Optional.empty());
    }
  }

  /** A call that the server cannot answer without its Redis. */
  Diagnosis redis() {
    try {
      Connection.within(TaskQueueServiceGrpc.newBlockingStub(connection.channel()), timeout)
          .listQueues(
              ListQueuesRequest.newBuilder()
                  .setNamespace(options.namespace)
                  .setPageSize(1)
                  .build());
      return Diagnosis.ok("redis", "the server read its queues");
    } catch (StatusRuntimeException e) {
      return Diagnosis.fail("redis", describe(e), "look at the server's log and at its Redis");
    }
  }

  private static String describe(StatusRuntimeException failure) {
    String reason = failure.getStatus().getDescription();
    return failure.getStatus().getCode() + (reason == null ? "" : ": " + reason);
  }
}
