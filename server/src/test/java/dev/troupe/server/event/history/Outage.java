package dev.troupe.server.event.history;

import io.grpc.Status;
import java.io.IOException;

/** What it looks like to a client when servers or Redis go away. */
final class Outage {

  private Outage() {}

  /** Whether a call may end so when a server is killed, or cannot reach Redis. */
  static boolean explains(Throwable failure) {
    Status status = Status.fromThrowable(failure);
    // The client's own transport says UNKNOWN when a connection breaks while it writes.
    return status.getCode() == Status.Code.UNAVAILABLE
        || (status.getCode() == Status.Code.UNKNOWN && status.getCause() instanceof IOException);
  }
}
