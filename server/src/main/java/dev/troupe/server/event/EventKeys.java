package dev.troupe.server.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The keys of the event feature; all are derived in its scripts from the partition's prefix. */
final class EventKeys {

  private EventKeys() {}

  /**
   * Names an event in {@code ev:<digest>}, a STRING that says where it was appended, written by
   * {@code event/publish} and kept for 10 minutes; see {@code event/topic}. A digest, so that no
   * caller's text gets into a key. Names have no control characters, so the parts cannot run into
   * each other.
   */
  static String digest(String topic, String source, String id) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest((topic + '\0' + source + '\0' + id).getBytes(UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
