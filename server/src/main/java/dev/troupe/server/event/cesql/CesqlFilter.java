package dev.troupe.server.event.cesql;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A filter in the CloudEvents SQL expression language 1.0, compiled once and asked per event.
 *
 * <p>As the specification has it of filters, an event passes if the expression evaluates to the
 * Boolean {@code true} without an error. What depends on an attribute that the event lacks is an
 * error, and so is a cast that fails or a division by zero; {@code AND} and {@code OR} do not
 * evaluate their right side if the left one decides. Ask {@code EXISTS x AND x = 1} where a missing
 * attribute is to be nothing special.
 *
 * <p>Where the specification leaves a choice: evaluation ends at the first error; a sum,
 * difference, product or negation beyond 32 bits is an error; {@code AND}, {@code OR} and {@code
 * XOR} are equals from left to right; characters are Unicode characters. An unknown function
 * refuses the expression.
 *
 * <p>Evaluation costs at most the length of the expression times that of the longest attribute it
 * asks for, and never throws. Immutable and safe for any thread; two filters are equal if their
 * texts are, so that many subscriptions may share one.
 */
public final class CesqlFilter {

  /** Longest expression, in bytes of UTF-8. */
  public static final int MAX_BYTES = 4096;

  /** How many brackets and unary operators may be open at once. */
  public static final int MAX_DEPTH = 64;

  private final String expression;
  private final Term root;

  private CesqlFilter(String expression, Term root) {
    this.expression = expression;
    this.root = root;
  }

  /** What became of an expression. */
  public sealed interface Compilation {}

  /** It can be asked. */
  public record Compiled(CesqlFilter filter) implements Compilation {}

  /** It is no filter, for these reasons: at least one, from left to right. */
  public record Refused(List<Problem> problems) implements Compilation {}

  /**
   * Compiles an expression. Refuses what is longer than {@link #MAX_BYTES}, nested deeper than
   * {@link #MAX_DEPTH}, no expression of the language, or one that evaluates to an Integer or a
   * String whatever the event. Never throws.
   */
  public static Compilation compile(String expression) {
    // A string of n chars has at least n bytes, so that huge ones are not encoded just to count.
    if (expression.length() > MAX_BYTES || expression.getBytes(UTF_8).length > MAX_BYTES) {
      return new Refused(
          List.of(
              new Problem(1, CesqlError.GENERIC, "too long (at most " + MAX_BYTES + " bytes)")));
    }
    Parser parser = new Parser(expression, MAX_DEPTH);
    Term root = parser.parse();
    if (root == null) {
      return new Refused(parser.problems());
    }
    Type type = root.type();
    if (type != null && type != Type.BOOLEAN) {
      String reason = "evaluates to " + type + ", so that no event would pass (expected Boolean)";
      return new Refused(List.of(new Problem(1, CesqlError.CAST, reason)));
    }
    return new Compiled(new CesqlFilter(expression, root));
  }

  /** Whether an event passes; one for which the evaluation meets an error does not. */
  public boolean matches(Attributes attributes) {
    return Boolean.TRUE.equals(root.evaluate(attributes));
  }

  /** The text that it was compiled from. */
  public String expression() {
    return expression;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CesqlFilter filter && filter.expression.equals(expression);
  }

  @Override
  public int hashCode() {
    return expression.hashCode();
  }

  @Override
  public String toString() {
    return expression;
  }
}
