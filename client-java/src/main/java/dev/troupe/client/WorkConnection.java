package dev.troupe.client;

import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import org.jspecify.annotations.Nullable;

/** One stream of a worker. What is sent is serialised by the worker's lock. */
final class WorkConnection implements ClientResponseObserver<WorkRequest, WorkResponse> {

  private final Worker worker;
  private @Nullable ClientCallStreamObserver<WorkRequest> up;

  /** The server knows what this worker holds, so reports make sense. Guarded by the worker. */
  boolean welcomed;

  /** Nothing more can be sent. Guarded by the worker. */
  boolean halfClosed;

  WorkConnection(Worker worker) {
    this.worker = worker;
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<WorkRequest> stream) {
    up = stream;
    stream.setOnReadyHandler(() -> worker.ready(this));
  }

  boolean isReady() {
    return up != null && up.isReady();
  }

  void send(WorkRequest request) {
    if (up != null && !halfClosed) {
      up.onNext(request);
    }
  }

  void halfClose() {
    if (up != null && !halfClosed) {
      halfClosed = true;
      up.onCompleted();
    }
  }

  void cancel() {
    if (up != null) {
      halfClosed = true;
      up.cancel("the worker ends", null);
    }
  }

  @Override
  public void onNext(WorkResponse response) {
    switch (response.getMessageCase()) {
      case WELCOME -> worker.welcomed(this, response.getWelcome());
      case TASK -> worker.arrived(this, response.getTask());
      case OUTCOME -> worker.outcome(this, response.getOutcome());
      case STOP -> worker.stopped(response.getStop());
      // The server closes the stream once what is in hand is done, and another one is opened.
      case DRAIN, MESSAGE_NOT_SET -> {}
    }
  }

  @Override
  public void onError(Throwable failure) {
    worker.disconnected(this, TroupeClientException.of(failure));
  }

  @Override
  public void onCompleted() {
    worker.disconnected(this, null);
  }
}
