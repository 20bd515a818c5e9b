package dev.troupe.server.redis;

import java.util.concurrent.CompletionStage;

/**
 * Which server does what one at a time should do, such as a sweep. This saves work, it guards
 * nothing: a server that was paused may believe for a moment that it still leads, so what it does
 * has to bear being done by two.
 */
public interface Leaders {

  /** Stands for one duty. */
  Leader of(String duty);

  /** One server's part in a duty. */
  interface Leader {

    /** Whether this server has the duty, which it takes when nobody else has it. */
    CompletionStage<Boolean> isMe();
  }
}
