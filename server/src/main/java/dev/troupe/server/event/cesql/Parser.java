package dev.troupe.server.event.cesql;

import dev.troupe.server.event.cesql.Token.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads an expression, a method per rule of the grammar. Goes on past what it can go on past, so
 * that all unknown functions and the like are told at once. For one expression and one thread.
 *
 * <p>Precedence is what the specification says, which is not what SQL says: {@code NOT} binds
 * tighter than any other operator, and {@code AND}, {@code OR} and {@code XOR} are equals that are
 * evaluated from left to right.
 */
final class Parser {

  private static final Set<String> KEYWORDS =
      Set.of("AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE");

  /** The binary operators, loosest first. */
  private static final List<Set<String>> LEVELS =
      List.of(
          Set.of("AND", "OR", "XOR"),
          Set.of("=", "!=", "<>", "<", "<=", ">", ">="),
          Set.of("+", "-"),
          Set.of("*", "/", "%"));

  private final String expression;
  private final int mostDepth;
  private final List<Problem> problems = new ArrayList<>();
  private List<Token> tokens = List.of();
  private int next;
  private int depth;

  /**
   * @param mostDepth how many brackets and unary operators may be open at once
   */
  Parser(String expression, int mostDepth) {
    this.expression = expression;
    this.mostDepth = mostDepth;
  }

  /** The expression; null if there are problems. */
  @Nullable Term parse() {
    try {
      tokens = Lexer.tokens(expression);
      Term term = binary(0);
      if (peek().kind() != Kind.END) {
        throw unexpected("an operator or the end");
      }
      return problems.isEmpty() ? term : null;
    } catch (SyntaxException e) {
      problem(e.at(), e.error(), e.reason());
      return null;
    }
  }

  /** What is wrong, from left to right; at most one of them is what ended the reading. */
  List<Problem> problems() {
    return problems.stream().sorted(Comparator.comparingInt(Problem::position)).toList();
  }

  private Term binary(int level) throws SyntaxException {
    if (level == LEVELS.size()) {
      return tested();
    }
    Term first = binary(level + 1);
    List<Step> steps = new ArrayList<>();
    for (String operator = operator(level); operator != null; operator = operator(level)) {
      steps.add(step(operator, binary(level + 1)));
    }
    return Term.Chain.of(first, steps);
  }

  /** Takes an operator of that level, if there is one. */
  private @Nullable String operator(int level) {
    Token token = peek();
    String text = token.text().toUpperCase(Locale.ROOT);
    boolean taken =
        (token.kind() == Kind.SYMBOL || token.kind() == Kind.WORD)
            && LEVELS.get(level).contains(text);
    if (taken) {
      next++;
    }
    return taken ? text : null;
  }

  private static Step step(String operator, Term right) {
    return switch (operator) {
      case "AND" -> new Step.Decide(false, right);
      case "OR" -> new Step.Decide(true, right);
      case "XOR" -> new Step.Differ(right);
      case "=" -> new Step.Compare(Comparison.EQUAL, right);
      case "!=", "<>" -> new Step.Compare(Comparison.NOT_EQUAL, right);
      case "<" -> new Step.Compare(Comparison.LESS, right);
      case "<=" -> new Step.Compare(Comparison.LESS_OR_EQUAL, right);
      case ">" -> new Step.Compare(Comparison.GREATER, right);
      case ">=" -> new Step.Compare(Comparison.GREATER_OR_EQUAL, right);
      case "+" -> new Step.Compute(Arithmetic.ADD, right);
      case "-" -> new Step.Compute(Arithmetic.SUBTRACT, right);
      case "*" -> new Step.Compute(Arithmetic.MULTIPLY, right);
      case "/" -> new Step.Compute(Arithmetic.DIVIDE, right);
      case "%" -> new Step.Compute(Arithmetic.REMAINDER, right);
      default -> throw new AssertionError(operator);
    };
  }

  /** An operand and the {@code LIKE} and {@code IN} that follow it. */
  private Term tested() throws SyntaxException {
    Term first = operand();
    List<Step> steps = new ArrayList<>();
    while (true) {
      boolean negated = take("NOT");
      if (take("LIKE")) {
        steps.add(new Step.Like(pattern(), negated));
      } else if (take("IN")) {
        expect("(");
        steps.add(new Step.In(list(), negated));
      } else if (negated) {
        throw unexpected("LIKE or IN");
      } else {
        return Term.Chain.of(first, steps);
      }
    }
  }

  private LikePattern pattern() throws SyntaxException {
    if (peek().kind() != Kind.STRING) {
      throw unexpected("a string, as the pattern of LIKE");
    }
    return LikePattern.of(take().text());
  }

  private Term operand() throws SyntaxException {
    Token token = take();
    switch (token.kind()) {
      case STRING:
        return new Term.Literal(token.text());
      case INTEGER:
        return integer(token, "");
      case WORD:
        return word(token);
      case SYMBOL:
        if (token.is("(")) {
          enter(token);
          Term term = binary(0);
          expect(")");
          depth--;
          return term;
        }
        // A sign that touches digits is part of them: -2147483648 is a number, 2147483648 is none.
        boolean signsDigits = peek().kind() == Kind.INTEGER && peek().start() == token.end();
        if (signsDigits && (token.is("-") || token.is("+"))) {
          return integer(take(), token.text());
        }
        if (token.is("-")) {
          enter(token);
          Term term = new Term.Negative(operand());
          depth--;
          return term;
        }
        break;
      case END:
        break;
    }
    next--;
    throw unexpected("a value");
  }

  private Term integer(Token digits, String sign) {
    Object value = Type.INTEGER.cast(sign + digits.text());
    if (value instanceof Failure) {
      problem(
          digits.start() - sign.length(),
          CesqlError.PARSE,
          "an integer of more than 32 bits (expected -2147483648 to 2147483647)");
      return new Term.Literal(0);
    }
    return new Term.Literal(value);
  }

  private Term word(Token token) throws SyntaxException {
    String word = token.text().toUpperCase(Locale.ROOT);
    switch (word) {
      case "TRUE":
        return new Term.Literal(true);
      case "FALSE":
        return new Term.Literal(false);
      case "NOT":
        enter(token);
        Term term = new Term.Not(operand());
        depth--;
        return term;
      case "EXISTS":
        if (peek().kind() != Kind.WORD || isKeyword(peek())) {
          throw unexpected("an attribute");
        }
        return new Term.Exists(attribute(take()));
      default:
        if (isKeyword(token)) {
          next--;
          throw unexpected("a value");
        }
        return peek().is("(") ? call(token, word) : new Term.Attribute(attribute(token));
    }
  }

  private static boolean isKeyword(Token token) {
    return KEYWORDS.contains(token.text().toUpperCase(Locale.ROOT));
  }

  private String attribute(Token token) {
    if (token.text().indexOf('_') >= 0) {
      problem(
          token.start(),
          CesqlError.PARSE,
          token.inWords() + " is no attribute (expected only letters and digits)");
    }
    return token.text().toLowerCase(Locale.ROOT);
  }

  private Term call(Token token, String name) throws SyntaxException {
    take();
    List<Term> arguments = List.of();
    if (peek().is(")")) {
      take();
    } else {
      arguments = list();
    }
    Function function = Function.find(name, arguments.size());
    if (function != null) {
      return new Term.Call(function, arguments);
    }
    String arities = Function.arities(name);
    problem(
        token.start(),
        CesqlError.MISSING_FUNCTION,
        arities.isEmpty()
            ? "there is no function " + token.inWords()
            : name
                + " does not take "
                + arguments.size()
                + " arguments (expected "
                + arities
                + ")");
    return new Term.Literal(false);
  }

  /** Expressions up to the bracket that closes, the opening one being taken. */
  private List<Term> list() throws SyntaxException {
    enter(tokens.get(next - 1));
    List<Term> terms = new ArrayList<>();
    terms.add(binary(0));
    while (peek().is(",")) {
      take();
      terms.add(binary(0));
    }
    expect(")");
    depth--;
    return List.copyOf(terms);
  }

  private void enter(Token token) throws SyntaxException {
    if (++depth > mostDepth) {
      throw new SyntaxException(
          token.start(),
          "nested too deep (at most " + mostDepth + " brackets and unary operators)",
          CesqlError.GENERIC);
    }
  }

  private Token peek() {
    return tokens.get(next);
  }

  /** Takes the next token; the end is never taken twice, as it is no part of any rule. */
  private Token take() {
    return tokens.get(next++);
  }

  private boolean take(String keyword) {
    boolean taken = peek().isKeyword(keyword);
    if (taken) {
      next++;
    }
    return taken;
  }

  private void expect(String symbol) throws SyntaxException {
    if (!peek().is(symbol)) {
      throw unexpected("'" + symbol + "'");
    }
    next++;
  }

  private SyntaxException unexpected(String expected) {
    return new SyntaxException(
        peek().start(), peek().inWords() + " is not expected here (expected " + expected + ")");
  }

  private void problem(int at, CesqlError error, String reason) {
    problems.add(new Problem(expression.codePointCount(0, at) + 1, error, reason));
  }
}
