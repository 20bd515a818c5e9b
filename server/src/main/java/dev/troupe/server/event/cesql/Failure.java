package dev.troupe.server.event.cesql;

/**
 * What an evaluation comes to once there was an error: the first error, and the value that the
 * language says goes with it. An operator or function that is handed one does nothing but pass the
 * error on with the zero value of its own type.
 */
record Failure(CesqlError error, Object value) {

  private static final Failure[][] WITH_ZERO =
      new Failure[CesqlError.values().length][Type.values().length];

  static {
    for (CesqlError error : CesqlError.values()) {
      for (Type type : Type.values()) {
        WITH_ZERO[error.ordinal()][type.ordinal()] = new Failure(error, type.zero());
      }
    }
  }

  /** The error with the zero value of a type; always the same object, as errors are everyday. */
  static Failure of(CesqlError error, Type type) {
    return WITH_ZERO[error.ordinal()][type.ordinal()];
  }

  /** The same error as the outcome of something that returns another type. */
  Failure as(Type type) {
    return of(error, type);
  }
}
