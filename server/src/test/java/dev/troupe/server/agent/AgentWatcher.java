package dev.troupe.server.agent;

import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A watch as its caller sees it; it remembers the token of what was taken from it. */
final class AgentWatcher implements AutoCloseable {

  private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
  private @Nullable ClientCallStreamObserver<WatchAgentsRequest> call;
  private String token;

  AgentWatcher(Channel channel, WatchAgentsRequest request) {
    token = request.getResumeToken();
    AgentStateServiceGrpc.newStub(channel)
        .watchAgents(
            request,
            new ClientResponseObserver<WatchAgentsRequest, WatchAgentsResponse>() {
              @Override
              public void beforeStart(ClientCallStreamObserver<WatchAgentsRequest> requests) {
                call = requests;
              }

              @Override
              public void onNext(WatchAgentsResponse response) {
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

  /** A watch that is in place: whatever happens from now on, it hears. */
  static AgentWatcher begun(Channel channel, WatchAgentsRequest request)
      throws InterruptedException {
    AgentWatcher watcher = new AgentWatcher(channel, request);
    if (watcher.next().hasChange()) {
      throw new AssertionError("a watch begins with a checkpoint");
    }
    return watcher;
  }

  WatchAgentsResponse next() throws InterruptedException {
    Object message = heard.poll(60, TimeUnit.SECONDS);
    if (message instanceof WatchAgentsResponse response) {
      token = response.getResumeToken();
      return response;
    }
    throw new AssertionError("no response, but " + message);
  }

  /** The next change; checkpoints before it are dropped. */
  AgentChange change() throws InterruptedException {
    WatchAgentsResponse response = next();
    while (!response.hasChange()) {
      if (response.getMissed() != 0) {
        throw new AssertionError("missed " + response.getMissed());
      }
      response = next();
    }
    return response.getChange();
  }

  StatusRuntimeException failure() throws InterruptedException {
    Object message = heard.poll(60, TimeUnit.SECONDS);
    if (message instanceof WatchAgentsResponse) {
      // A last token may come before the failure.
      message = heard.poll(60, TimeUnit.SECONDS);
    }
    if (message instanceof StatusRuntimeException failure) {
      return failure;
    }
    throw new AssertionError("no failure, but " + message);
  }

  /** Resumes after the last response that was taken. */
  String token() {
    return token;
  }

  boolean isQuiet() {
    return heard.isEmpty();
  }

  @Override
  public void close() {
    if (call != null) {
      call.cancel("the test is over", null);
    }
  }
}
