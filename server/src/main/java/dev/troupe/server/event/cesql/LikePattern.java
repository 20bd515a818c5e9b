package dev.troupe.server.event.cesql;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What stands right of {@code LIKE}: {@code %} for any text, {@code _} for one Unicode character,
 * either of them after a backslash for itself.
 *
 * <p>Pieces between two {@code %} are searched for in turn, each from where the one before was
 * found first, so that no text is read twice: a pattern comes from a caller and is asked of every
 * event, and must not cost more the more {@code %} it has. Immutable.
 */
final class LikePattern {

  private static final int ANY_CHARACTER = -1;

  private final List<Piece> pieces;

  private LikePattern(List<Piece> pieces) {
    this.pieces = pieces;
  }

  static LikePattern of(String pattern) {
    List<Piece> pieces = new ArrayList<>();
    List<Integer> piece = new ArrayList<>();
    int[] characters = pattern.codePoints().toArray();
    for (int i = 0; i < characters.length; i++) {
      int c = characters[i];
      if (c == '%') {
        // A run of them is one; only the first and the last piece may be empty.
        if (pieces.isEmpty() || !piece.isEmpty()) {
          pieces.add(new Piece(piece));
          piece.clear();
        }
      } else if (c == '\\' && i + 1 < characters.length && isWildcard(characters[i + 1])) {
        piece.add(characters[++i]);
      } else {
        piece.add(c == '_' ? ANY_CHARACTER : c);
      }
    }
    pieces.add(new Piece(piece));
    return new LikePattern(List.copyOf(pieces));
  }

  private static boolean isWildcard(int c) {
    return c == '%' || c == '_';
  }

  boolean matches(String text) {
    int last = pieces.size() - 1;
    int from = pieces.get(0).endAt(text, 0);
    if (last == 0 || from < 0) {
      return from == text.length();
    }
    int to = pieces.get(last).startAtEnd(text);
    for (int i = 1; i < last && from >= 0; i++) {
      from = pieces.get(i).endAfter(text, from, to);
    }
    return from >= 0 && from <= to;
  }

  /** Characters that follow one another. */
  private static final class Piece {

    private final int[] characters;

    /** The characters that are asked for, in order; the i-th has its places in the i-th mask. */
    private final int[] alphabet;

    private final long[][] places;

    /** The places of {@code _}, where characters that are not asked for may stand. */
    private final long[] anywhere;

    Piece(List<Integer> piece) {
      characters = piece.stream().mapToInt(Integer::intValue).toArray();
      alphabet = Arrays.stream(characters).filter(c -> c >= 0).distinct().sorted().toArray();
      places = new long[alphabet.length][];
      anywhere = placesOf(ANY_CHARACTER);
      for (int i = 0; i < alphabet.length; i++) {
        places[i] = placesOf(alphabet[i]);
      }
    }

    private long[] placesOf(int c) {
      long[] mask = new long[characters.length / Long.SIZE + 1];
      for (int i = 0; i < characters.length; i++) {
        if (characters[i] == c || characters[i] == ANY_CHARACTER) {
          mask[i / Long.SIZE] |= 1L << i;
        }
      }
      return mask;
    }

    /** Where it ends if it begins there; -1 if it does not. */
    int endAt(String text, int start) {
      int at = start;
      for (int wanted : characters) {
        int c = at < text.length() ? text.codePointAt(at) : ANY_CHARACTER;
        if (c == ANY_CHARACTER || (c != wanted && wanted != ANY_CHARACTER)) {
          return -1;
        }
        at += Character.charCount(c);
      }
      return at;
    }

    /** Where it begins if the text ends with it; -1 if it does not. */
    int startAtEnd(String text) {
      int at = text.length();
      for (int i = characters.length - 1; i >= 0; i--) {
        int c = at > 0 ? text.codePointBefore(at) : ANY_CHARACTER;
        if (c == ANY_CHARACTER || (c != characters[i] && characters[i] != ANY_CHARACTER)) {
          return -1;
        }
        at -= Character.charCount(c);
      }
      return at;
    }

    /**
     * Where its first occurrence from there on ends; -1 if it has none. Follows all beginnings at
     * once, one bit each: bit i says that the text up to here ends with the first i + 1 characters.
     */
    int endAfter(String text, int from, int to) {
      long[] begun = new long[anywhere.length];
      int last = characters.length - 1;
      for (int at = from; at < to; ) {
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        int known = Arrays.binarySearch(alphabet, c);
        long[] mask = known < 0 ? anywhere : places[known];
        long carry = 1;
        for (int i = 0; i < begun.length; i++) {
          long shifted = begun[i] << 1 | carry;
          carry = begun[i] >>> (Long.SIZE - 1);
          begun[i] = shifted & mask[i];
        }
        if ((begun[last / Long.SIZE] >>> last & 1) == 1) {
          return at;
        }
      }
      return -1;
    }
  }
}
