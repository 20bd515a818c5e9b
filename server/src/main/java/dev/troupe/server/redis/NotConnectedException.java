package dev.troupe.server.redis;

/** There is no connection to Redis yet, or not any more. */
final class NotConnectedException extends IllegalStateException {

  private static final long serialVersionUID = 1;

  NotConnectedException() {
    super("not connected to Redis");
  }
}
