package dev.troupe.server.lock;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * Ids that nobody guesses: 128 random bits as 22 characters. Drawn many at a time, as each draw
 * asks the operating system. Thread-safe.
 */
final class RandomIds {

  static final int BYTES = 16;

  private static final Base64.Encoder TEXT = Base64.getUrlEncoder().withoutPadding();
  private static final int DRAWN_AT_ONCE = 128;

  private final SecureRandom random = new SecureRandom();

  @GuardedBy("this")
  private final byte[] drawn = new byte[DRAWN_AT_ONCE * BYTES];

  @GuardedBy("this")
  private int used = drawn.length;

  String next() {
    byte[] id = new byte[BYTES];
    synchronized (this) {
      if (used == drawn.length) {
        random.nextBytes(drawn);
        used = 0;
      }
      System.arraycopy(drawn, used, id, 0, BYTES);
      used += BYTES;
    }
    return text(id);
  }

  /** An id of bytes, of which there are as many. */
  static String text(byte[] id) {
    return TEXT.encodeToString(id);
  }
}
