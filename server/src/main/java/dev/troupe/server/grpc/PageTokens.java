package dev.troupe.server.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.util.Base64;
import java.util.zip.CRC32;

/**
 * Makes and reads page tokens: opaque to callers, bound to the other arguments of the call, so that
 * one is not used with another listing by mistake. The checksum finds mistakes, not forgers: a
 * token gives access to nothing that the call would not.
 */
public final class PageTokens {

  private PageTokens() {}

  /** A token for the given place in the listing that the arguments describe. */
  public static String make(String arguments, String place) {
    String text = checksum(arguments + '\0' + place) + place;
    return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(UTF_8));
  }

  /**
   * The place that a token names.
   *
   * @return empty for an empty token: the beginning
   * @throws TroupeException INVALID_PAGE_TOKEN
   */
  public static String read(String arguments, String token) {
    if (token.isEmpty()) {
      return "";
    }
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), UTF_8);
      String place = text.substring(8);
      if (text.startsWith(checksum(arguments + '\0' + place))) {
        return place;
      }
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      // Falls through: not one of ours.
    }
    throw TroupeException.of(
        ErrorReason.ERROR_REASON_INVALID_PAGE_TOKEN,
        "page_token: not from this listing (expected the next_page_token of a call with the same"
            + " arguments)");
  }

  private static String checksum(String text) {
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(UTF_8));
    return String.format("%08x", crc.getValue());
  }
}
