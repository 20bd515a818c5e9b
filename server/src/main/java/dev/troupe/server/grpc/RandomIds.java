package dev.troupe.server.grpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * Ids that nobody guesses: 127 random bits as 22 characters, of which the first is a letter, as a
 * command line takes what begins with a dash for an option. Drawn many at a time, as each draw asks
 * the operating system. Thread-safe.
 */
public final class RandomIds {

  /** How many bytes an id is made of. */
  public static final int BYTES = 16;

  private static final Base64.Encoder TEXT = Base64.getUrlEncoder().withoutPadding();
  private static final int DRAWN_AT_ONCE = 128;

  /** The lower half of Base64's alphabet is letters only. */
  private static final int LETTER_FIRST = 0x7f;

  private final SecureRandom random = new SecureRandom();

  @GuardedBy("this")
  private final byte[] drawn = new byte[DRAWN_AT_ONCE * BYTES];

  @GuardedBy("this")
  private int used = drawn.length;

  /** A new id. */
  public String next() {
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

  /** An id of {@value #BYTES} bytes, of which all but the first bit count; leaves them changed. */
  public static String text(byte[] id) {
    id[0] &= LETTER_FIRST;
    return TEXT.encodeToString(id);
  }
}
