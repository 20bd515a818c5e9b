package dev.troupe.server.event.cesql;

/**
 * What an evaluation comes to once there was an error: the first error, and the value that the
 * language says goes with it. An operator or function that is handed one does nothing but pass the
 * error on with the zero value of its own type.
 */
record Failure(CesqlError error, Object value) {

  /** The error with the zero value of a type. */
  static Failure of(CesqlError error, Type type) {
    return new Failure(error, type.zero());
  }

  /** The same error as the outcome of something that returns another type. */
  Failure as(Type type) {
    return of(error, type);
  }
}
