package dev.troupe.server.grpc;

import io.grpc.Status;
import java.io.IOException;

/** What it looks like to a client when servers or Redis go away. */
public final class Outage {

  private Outage() {}

  /** Whether a call may end so when a server is killed, or cannot reach Redis. */
  public static boolean explains(Throwable failure) {
    Status status = Status.fromThrowable(failure);
    // grpc-java says UNKNOWN when a connection breaks while it writes (grpc-java issue 10120).
    return status.getCode() == Status.Code.UNAVAILABLE
        || (status.getCode() == Status.Code.UNKNOWN && status.getCause() instanceof IOException);
  }
}
