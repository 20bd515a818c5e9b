package dev.troupe.server.grpc;

/** What empty names stand for. */
public final class Names {

  private Names() {}

  /** The namespace that a request means. */
  public static String namespace(String given) {
    return given.isEmpty() ? "default" : given;
  }
}
