package dev.troupe.server.event.cesql;

/**
 * The smallest part of an expression that means something.
 *
 * @param text as it is written; of a string, what it stands for
 * @param start of its first character in the expression, in UTF-16 units from 0
 * @param end behind its last character
 */
record Token(Kind kind, String text, int start, int end) {

  private static final int MOST_OF_A_WORD = 32;

  /** What a token is. */
  enum Kind {
    /** Digits, without a sign. */
    INTEGER,
    STRING,
    /** A keyword, an attribute or a function. */
    WORD,
    /** An operator, a bracket or a comma. */
    SYMBOL,
    END
  }

  /** Whether it is this symbol. */
  boolean is(String symbol) {
    return kind == Kind.SYMBOL && text.equals(symbol);
  }

  /** Whether it is this keyword, in whatever case. */
  boolean isKeyword(String keyword) {
    return kind == Kind.WORD && text.equalsIgnoreCase(keyword);
  }

  /** For one who wrote it; of a long word, its beginning. */
  String inWords() {
    return switch (kind) {
      case STRING -> "a string";
      case END -> "the end";
      default ->
          text.length() <= MOST_OF_A_WORD
              ? "'" + text + "'"
              : "'" + text.substring(0, MOST_OF_A_WORD) + "...'";
    };
  }
}
