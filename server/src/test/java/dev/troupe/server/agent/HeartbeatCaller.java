package dev.troupe.server.agent;

import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A heartbeat stream as its caller sees it. */
final class HeartbeatCaller implements AutoCloseable {

  private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
  private final StreamObserver<HeartbeatRequest> up;
  private final String namespace;

  HeartbeatCaller(Channel channel, String namespace) {
    this.namespace = namespace;
    up =
        AgentStateServiceGrpc.newStub(channel)
            .heartbeat(
                new StreamObserver<>() {
                  @Override
                  public void onNext(HeartbeatResponse response) {
                    heard.add(response);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    heard.add(failure);
                  }

                  @Override
                  public void onCompleted() {
                    heard.add("completed");
                  }
                });
  }

  void send(HeartbeatRequest.Builder heartbeat) {
    up.onNext(heartbeat.setNamespace(namespace).build());
  }

  void send(Agent session) {
    send(of(session));
  }

  static HeartbeatRequest.Builder of(Agent session) {
    return HeartbeatRequest.newBuilder()
        .setAgentId(session.getAgentId())
        .setFencingToken(session.getFencingToken());
  }

  /** One heartbeat and what became of it. */
  HeartbeatOutcome beat(Agent session) throws InterruptedException {
    send(session);
    return next().getOutcome();
  }

  /** One heartbeat that also tells a status. */
  HeartbeatOutcome beat(Agent session, AgentStatus status) throws InterruptedException {
    send(of(session).setStatus(status));
    return next().getOutcome();
  }

  HeartbeatResponse next() throws InterruptedException {
    Object message = heard.poll(60, TimeUnit.SECONDS);
    if (message instanceof HeartbeatResponse response) {
      return response;
    }
    throw new AssertionError("no answer, but " + message);
  }

  StatusRuntimeException failure() throws InterruptedException {
    Object message = heard.poll(60, TimeUnit.SECONDS);
    if (message instanceof StatusRuntimeException failure) {
      return failure;
    }
    throw new AssertionError("no failure, but " + message);
  }

  /** Waits until the server ended the stream without a failure. */
  void ended() throws InterruptedException {
    Object message = heard.poll(60, TimeUnit.SECONDS);
    if (!"completed".equals(message)) {
      throw new AssertionError("not the end, but " + message);
    }
  }

  void halfClose() {
    up.onCompleted();
  }

  @Override
  public void close() {
    // An ended call takes it as well.
    up.onError(new IllegalStateException("the test is over"));
  }
}
