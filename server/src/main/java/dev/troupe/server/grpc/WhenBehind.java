package dev.troupe.server.grpc;

/** What becomes of a stream that was live, when what it has not read has left the memory. */
public enum WhenBehind {
  /** It says so and reads history. */
  CATCH_UP,
  /** It ends. */
  DISCONNECT,
  /** It goes on with the oldest entry in memory. */
  DROP_OLDEST,
  /** It goes on with the newest entry in memory of each subject. */
  CONFLATE
}
