package dev.troupe.server.redis;

/** The data is damaged in a way that only somebody who looks at it can repair. */
final class DamagedDataException extends RedisStartupException {

  DamagedDataException(String message) {
    super(message);
  }
}
