package dev.troupe.server.event.cesql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.event.cesql.CesqlFilter.Compilation;
import dev.troupe.server.event.cesql.CesqlFilter.Compiled;
import dev.troupe.server.event.cesql.CesqlFilter.Refused;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Expressions by those who mean no good, and by chance. */
final class CesqlHostileTest {

  private static final List<String> TOKENS =
      List.of(
          "AND",
          "or",
          "XOR",
          "NOT",
          "LIKE",
          "NOT LIKE",
          "IN",
          "EXISTS",
          "TRUE",
          "false",
          "(",
          ")",
          ",",
          "=",
          "!=",
          "<>",
          "<",
          "<=",
          ">",
          ">=",
          "+",
          "-",
          "*",
          "/",
          "%",
          "0",
          "1",
          "-7",
          "2147483647",
          "-2147483648",
          "2147483648",
          "''",
          "'a%_\\%'",
          "\"b\\\"\"",
          "'",
          "\"",
          "\\",
          "a",
          "b",
          "c",
          "type",
          "my_x",
          "1a",
          "ABS(",
          "INT(",
          "BOOL(",
          "STRING(",
          "LENGTH(",
          "CONCAT(",
          "CONCAT_WS(",
          "LEFT(",
          "RIGHT(",
          "SUBSTRING(",
          "TRIM(",
          "UPPER(",
          "FOO(",
          "é",
          "😀",
          "\u0000",
          "\ud83d",
          "\n");

  private static final List<Object> VALUES =
      List.of(
          0,
          1,
          -1,
          Integer.MIN_VALUE,
          Integer.MAX_VALUE,
          true,
          false,
          "",
          "1",
          "x",
          "true",
          "a😀%_",
          "\ud83d",
          1L,
          'c');

  @Test
  void tokensInAnyOrderAreCompiledOrRefusedAndNeverThrow() {
    Random random = new Random(11);
    int compiled = 0;
    for (int i = 0; i < 200_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(12); length >= 0; length--) {
        text.append(TOKENS.get(random.nextInt(TOKENS.size())));
        text.append(random.nextInt(4) == 0 ? "" : " ");
      }
      compiled += survives(text.toString(), random);
    }
    assertThat(compiled).isGreaterThan(1_000);
  }

  @Test
  void anyCharactersAreCompiledOrRefusedAndNeverThrow() {
    Random random = new Random(12);
    for (int i = 0; i < 100_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(20); length >= 0; length--) {
        text.append((char) random.nextInt(random.nextBoolean() ? 128 : 65_536));
      }
      survives(text.toString(), random);
    }
  }

  @Test
  void expressionsOfTheGrammarAreEvaluatedWhateverTheirTypes() {
    Random random = new Random(13);
    int compiled = 0;
    for (int i = 0; i < 100_000; i++) {
      String text = expression(random, 5);
      int survived = survives("(" + text + ") = TRUE", random);
      // The only thing that can be wrong with one is its length.
      assertThat(survived)
          .as(text)
          .isEqualTo(text.length() < CesqlFilter.MAX_BYTES / 2 ? 1 : survived);
      compiled += survived;
    }
    assertThat(compiled).isGreaterThan(90_000);
  }

  private static String expression(Random random, int depth) {
    String x = depth == 0 ? "" : expression(random, depth - 1 - random.nextInt(depth));
    String y = depth == 0 ? "" : expression(random, depth - 1 - random.nextInt(depth));
    if (depth == 0) {
      return List.of("a", "b", "c", "1", "-2147483648", "2147483647", "'1'", "''", "true", "'x'")
          .get(random.nextInt(10));
    }
    return switch (random.nextInt(12)) {
      case 0 -> "NOT " + x;
      case 1 -> "- " + x;
      case 2 -> "(" + x + ")";
      case 3 -> "(" + x + ") LIKE '%1_'";
      case 4 -> x + " NOT IN (" + y + ", " + x + ")";
      case 5 -> x + List.of(" + ", " - ", " * ", " / ", " % ").get(random.nextInt(5)) + y;
      case 6 -> x + List.of(" = ", " <> ", " < ", " <= ", " > ").get(random.nextInt(5)) + y;
      case 7 -> x + List.of(" AND ", " OR ", " XOR ").get(random.nextInt(3)) + y;
      case 8 ->
          List.of("ABS", "INT", "BOOL", "TRIM", "LENGTH").get(random.nextInt(5)) + "(" + x + ")";
      case 9 ->
          List.of("LEFT", "RIGHT", "SUBSTRING").get(random.nextInt(3)) + "(" + x + ", " + y + ")";
      case 10 -> "SUBSTRING(" + x + ", " + y + ", " + y + ")";
      default -> "CONCAT_WS(" + x + ", " + y + ", EXISTS a)";
    };
  }

  /** 1 if it is a filter, 0 if it was refused. */
  private static int survives(String expression, Random random) {
    try {
      Compilation compilation = CesqlFilter.compile(expression);
      if (compilation instanceof Refused refused) {
        assertThat(refused.problems()).isNotEmpty();
        int end = expression.codePointCount(0, expression.length()) + 1;
        assertThat(refused.problems()).allMatch(p -> p.position() >= 1 && p.position() <= end);
        return 0;
      }
      Map<String, Object> event = new HashMap<>();
      for (String name : List.of("a", "b", "c", "type")) {
        if (random.nextInt(4) > 0) {
          event.put(name, VALUES.get(random.nextInt(VALUES.size())));
        }
      }
      CesqlFilter filter = ((Compiled) compilation).filter();
      assertThat(filter.matches(event::get)).isEqualTo(filter.matches(event::get));
      return 1;
    } catch (RuntimeException | StackOverflowError e) {
      throw new AssertionError(expression, e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "NOT ", "- ", "ABS(", "CONCAT('',", "1 IN (", "NOT (", "TRUE AND ("})
  void deepNestingIsRefusedAtTheLimitAndAsTextGrows(String opening) {
    int each = opening.startsWith("NOT (") ? 2 : 1;
    int most = CesqlFilter.MAX_DEPTH / each;
    String closing = opening.contains("(") ? ")" : "";
    assertThat(CesqlFilter.compile(nested(opening, most, closing))).isInstanceOf(Compiled.class);
    for (int depth : new int[] {most + 1, 4000 / opening.length()}) {
      String problem = "nested too deep (at most 64 brackets and unary operators)";
      assertThat(CesqlFilter.compile(nested(opening, depth, "")))
          .isInstanceOfSatisfying(
              Refused.class,
              refused ->
                  assertThat(refused.problems())
                      .extracting(Problem::reason)
                      .containsExactly(problem));
    }
  }

  private static String nested(String opening, int depth, String closing) {
    return "TRUE OR TRUE = " + opening.repeat(depth) + "TRUE" + closing.repeat(depth);
  }

  @Test
  void longExpressionsAreRefusedAndThoseBelowTheLimitAreEvaluatedInSmallStacks()
      throws InterruptedException {
    String longest = "a=1 OR " + "1+".repeat(2_040) + "1 = 2041";
    assertThat(longest).hasSizeLessThanOrEqualTo(CesqlFilter.MAX_BYTES);
    assertThat(CesqlFilter.compile("a".repeat(4097))).isInstanceOf(Refused.class);
    assertThat(CesqlFilter.compile("'" + "é".repeat(2048) + "' = a")).isInstanceOf(Refused.class);
    assertThat(CesqlFilter.compile("a".repeat(100_000_000))).isInstanceOf(Refused.class);

    String deepest = "TRUE OR 1 + 1 * CONCAT(".repeat(40) + "1" + ") = 1".repeat(40);
    boolean[] survived = new boolean[1];
    Thread small =
        new Thread(
            null,
            () -> {
              for (String expression : List.of(longest, deepest)) {
                CesqlFilter filter = ((Compiled) CesqlFilter.compile(expression)).filter();
                filter.matches(name -> 0);
              }
              survived[0] = true;
            },
            "small stack",
            256 * 1024);
    small.start();
    small.join();
    assertThat(survived[0]).isTrue();
  }

  @Test
  void aPatternMatchesWhatTheRegularExpressionOfTheSameMeaningMatches() {
    Random random = new Random(7);
    for (int i = 0; i < 100_000; i++) {
      String pattern = text(random, new String[] {"a", "b", "%", "_", "\\%", "\\_", "\\", "😀"});
      String text = text(random, new String[] {"a", "b", "a", "b", "%", "_", "\\", "😀", "\n"});
      assertThat(LikePattern.of(pattern).matches(text))
          .as("'%s' LIKE '%s'", text, pattern)
          .isEqualTo(regex(pattern).matcher(text).matches());
    }
  }

  @Test
  void longPiecesOfAPatternAreFound() {
    Random random = new Random(8);
    for (int i = 0; i < 2_000; i++) {
      StringBuilder piece = new StringBuilder();
      for (int length = 40 + random.nextInt(200); length > 0; length--) {
        piece.append("ab".charAt(random.nextInt(2)));
      }
      String found = "ab".repeat(random.nextInt(50)) + piece + "b".repeat(random.nextInt(50));
      int hole = random.nextInt(piece.length());
      LikePattern pattern =
          LikePattern.of("%" + new StringBuilder(piece).replace(hole, hole + 1, "_") + "%");
      assertThat(pattern.matches(found)).isTrue();
      assertThat(pattern.matches(found.substring(0, found.lastIndexOf(piece.toString())) + "a"))
          .isEqualTo(
              regex("%" + new StringBuilder(piece).replace(hole, hole + 1, "_") + "%")
                  .matcher(found.substring(0, found.lastIndexOf(piece.toString())) + "a")
                  .matches());
    }
  }

  private static Pattern regex(String like) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < like.length(); i++) {
      char c = like.charAt(i);
      char then = i + 1 < like.length() ? like.charAt(i + 1) : 0;
      if (c == '\\' && (then == '%' || then == '_')) {
        regex.append(then);
        i++;
      } else {
        regex.append(c == '%' ? ".*" : c == '_' ? "." : c == '\\' ? "\\\\" : String.valueOf(c));
      }
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL);
  }

  private static String text(Random random, String[] letters) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(9); length > 0; length--) {
      text.append(letters[random.nextInt(letters.length)]);
    }
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"%a", "%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%_a", "%_______b"})
  void aPatternFullOfWildcardsCostsNoMoreThanItsLength(String piece) {
    LikePattern pattern = LikePattern.of(piece.repeat(4_000 / piece.length()) + "c%");
    String text = "a".repeat(4_096);
    Assertions.assertTimeout(
        Duration.ofSeconds(5),
        () -> {
          for (int i = 0; i < 100; i++) {
            assertThat(pattern.matches(text)).isFalse();
          }
        });
  }
}
