package dev.troupe.server.event.cesql;

/** The kinds of errors that the language knows. */
public enum CesqlError {
  /** The text is not an expression. */
  PARSE,
  /** A division by zero, or a result beyond 32 bits. */
  MATH,
  /** A value that is not to be had in the type that an operator or function takes. */
  CAST,
  /** The event does not have the attribute. */
  MISSING_ATTRIBUTE,
  /** There is no function of that name, or none that takes so many arguments. */
  MISSING_FUNCTION,
  /** An argument that a function cannot work with. */
  FUNCTION_EVALUATION,
  /** Anything else, such as a limit of this implementation. */
  GENERIC
}
