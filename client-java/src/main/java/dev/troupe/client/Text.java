package dev.troupe.client;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Texts for people, cut to what the contract takes: better a short message than a refused one. */
final class Text {

  static final int PROGRESS_BYTES = 1 << 10;
  static final int MESSAGE_BYTES = 8 << 10;
  static final int NAME_BYTES = 256;

  private Text() {}

  static String upTo(int bytes, String text) {
    if (text.length() <= bytes / 4 || text.getBytes(UTF_8).length <= bytes) {
      return text;
    }
    int end = 0;
    int used = 0;
    while (end < text.length()) {
      int point = text.codePointAt(end);
      int size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (used + size > bytes) {
        break;
      }
      used += size;
      end += Character.charCount(point);
    }
    return text.substring(0, end);
  }
}
