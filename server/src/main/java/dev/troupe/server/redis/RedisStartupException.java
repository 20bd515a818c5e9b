package dev.troupe.server.redis;

import org.jspecify.annotations.Nullable;

/** Why there is no Redis to work with, in words for whoever starts the server. */
public class RedisStartupException extends RuntimeException {

  public RedisStartupException(String message) {
    super(message);
  }

  public RedisStartupException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
