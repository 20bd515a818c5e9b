package dev.troupe.bench;

import com.google.protobuf.ByteString;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import io.grpc.Channel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.TimeUnit;

/** The calls that loads are made of. */
@SuppressWarnings("unchecked") // Nobody looks at the answer.
enum UnaryCall {
  /** The limit: nothing but gRPC. */
  EMPTY("empty call (health check)") {
    @Override
    void start(Channel channel, long timeoutMillis, StreamObserver<?> done) {
      HealthGrpc.newStub(channel)
          .withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS)
          .check(HealthCheckRequest.getDefaultInstance(), (StreamObserver) done);
    }
  },

  /** One task with a payload of 100 bytes. */
  ENQUEUE("enqueue") {
    @Override
    void start(Channel channel, long timeoutMillis, StreamObserver<?> done) {
      TaskQueueServiceGrpc.newStub(channel)
          .withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS)
          .enqueue(TASK, (StreamObserver) done);
    }
  };

  private static final EnqueueRequest TASK =
      EnqueueRequest.newBuilder()
          .setQueue("bench")
          .setTask(TaskSpec.newBuilder().setPayload(ByteString.copyFrom(new byte[100])))
          .build();

  final String label;

  UnaryCall(String label) {
    this.label = label;
  }

  abstract void start(Channel channel, long timeoutMillis, StreamObserver<?> done);
}
