package dev.troupe.server.event;

import java.util.ArrayList;
import java.util.List;

/**
 * A pattern of names: {@code *} stands for any text without a dot, {@code **} for any text.
 *
 * <p>Matching takes time in proportion to the lengths of pattern and name, whatever they are: a
 * pattern comes from a caller and must not cost more than its length. Immutable.
 */
final class Glob {

  /** Stands for any text without a dot; control characters do not appear in names. */
  private static final char SEGMENT = 1;

  private static final char ANYTHING = 2;

  private final String pattern;
  private final char[] steps;
  private final boolean literal;

  private Glob(String pattern, char[] steps, boolean literal) {
    this.pattern = pattern;
    this.steps = steps;
    this.literal = literal;
  }

  /** Compiles a pattern. Three stars and more mean the same as two. */
  static Glob of(String pattern) {
    StringBuilder steps = new StringBuilder(pattern.length());
    int i = 0;
    while (i < pattern.length()) {
      int star = i;
      while (i < pattern.length() && pattern.charAt(i) == '*') {
        i++;
      }
      if (i == star) {
        steps.append(pattern.charAt(i++));
      } else {
        steps.append(i - star == 1 ? SEGMENT : ANYTHING);
      }
    }
    return new Glob(pattern, steps.toString().toCharArray(), pattern.indexOf('*') < 0);
  }

  static List<Glob> all(List<String> patterns) {
    List<Glob> globs = new ArrayList<>(patterns.size());
    patterns.forEach(pattern -> globs.add(of(pattern)));
    return List.copyOf(globs);
  }

  /** Whether it has no stars, and so matches just itself. */
  boolean isLiteral() {
    return literal;
  }

  String pattern() {
    return pattern;
  }

  boolean matches(String name) {
    return literal ? pattern.equals(name) : walk(name);
  }

  /** Follows all ways through the pattern at once; {@code at[i]}: the first i steps are done. */
  private boolean walk(String name) {
    boolean[] at = new boolean[steps.length + 1];
    at[0] = true;
    skipStars(at);
    for (int n = 0; n < name.length(); n++) {
      char c = name.charAt(n);
      boolean[] then = new boolean[steps.length + 1];
      boolean alive = false;
      for (int i = 0; i < steps.length; i++) {
        if (!at[i]) {
          continue;
        }
        char step = steps[i];
        if (step == ANYTHING || (step == SEGMENT && c != '.')) {
          then[i] = true;
          alive = true;
        } else if (step == c) {
          then[i + 1] = true;
          alive = true;
        }
      }
      if (!alive) {
        return false;
      }
      at = then;
      skipStars(at);
    }
    return at[steps.length];
  }

  private void skipStars(boolean[] at) {
    for (int i = 0; i < steps.length; i++) {
      if (at[i] && (steps[i] == SEGMENT || steps[i] == ANYTHING)) {
        at[i + 1] = true;
      }
    }
  }
}
