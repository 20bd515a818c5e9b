package dev.troupe.server.event.cesql;

import dev.troupe.server.event.cesql.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/** Cuts an expression into tokens. */
final class Lexer {

  private static final String SYMBOLS = "()+-*/%,=<>";
  private static final List<String> PAIRS = List.of("!=", "<>", "<=", ">=");

  private final String expression;
  private int at;

  private Lexer(String expression) {
    this.expression = expression;
  }

  /**
   * All tokens, the last of which is {@link Kind#END}.
   *
   * @throws SyntaxException at the first character that begins no token
   */
  static List<Token> tokens(String expression) throws SyntaxException {
    Lexer lexer = new Lexer(expression);
    List<Token> tokens = new ArrayList<>();
    do {
      tokens.add(lexer.next());
    } while (tokens.get(tokens.size() - 1).kind() != Kind.END);
    return tokens;
  }

  private Token next() throws SyntaxException {
    while (at < expression.length() && " \t\r\n".indexOf(expression.charAt(at)) >= 0) {
      at++;
    }
    if (at == expression.length()) {
      return new Token(Kind.END, "", at, at);
    }
    char c = expression.charAt(at);
    if (c == '\'' || c == '"') {
      return string(c);
    }
    if (isWordCharacter(c)) {
      return word();
    }
    for (String pair : PAIRS) {
      if (expression.startsWith(pair, at)) {
        return symbol(pair);
      }
    }
    if (SYMBOLS.indexOf(c) >= 0) {
      return symbol(String.valueOf(c));
    }
    int character = expression.codePointAt(at);
    boolean readable = character > ' ' && character < 127;
    throw new SyntaxException(
        at,
        (readable ? "'" + c + "'" : String.format("U+%04X", character))
            + " means nothing outside of a string");
  }

  private Token symbol(String symbol) {
    int start = at;
    at += symbol.length();
    return new Token(Kind.SYMBOL, symbol, start, at);
  }

  private Token word() {
    int start = at;
    boolean digitsOnly = true;
    while (at < expression.length() && isWordCharacter(expression.charAt(at))) {
      digitsOnly &= isDigit(expression.charAt(at++));
    }
    String text = expression.substring(start, at);
    return new Token(digitsOnly ? Kind.INTEGER : Kind.WORD, text, start, at);
  }

  /** A backslash stands for itself, unless the quote that would end the string comes next. */
  private Token string(char quote) throws SyntaxException {
    int start = at++;
    StringBuilder text = new StringBuilder();
    while (at < expression.length() && expression.charAt(at) != quote) {
      char c = expression.charAt(at++);
      if (c == '\\' && at < expression.length()) {
        char escaped = expression.charAt(at++);
        text.append(escaped == quote ? "" : "\\").append(escaped);
      } else {
        text.append(c);
      }
    }
    if (at == expression.length()) {
      throw new SyntaxException(start, "a string that does not end (expected " + quote + ")");
    }
    at++;
    return new Token(Kind.STRING, text.toString(), start, at);
  }

  private static boolean isWordCharacter(char c) {
    return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
