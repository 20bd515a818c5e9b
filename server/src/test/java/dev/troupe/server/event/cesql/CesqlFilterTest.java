package dev.troupe.server.event.cesql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.troupe.server.event.cesql.CesqlFilter.Compilation;
import dev.troupe.server.event.cesql.CesqlFilter.Compiled;
import dev.troupe.server.event.cesql.CesqlFilter.Refused;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What filters do beyond what the conformance suite asks. */
final class CesqlFilterTest {

  private static final Map<String, Object> EVENT =
      Map.of(
          "specversion", "1.0",
          "id", "1",
          "source", URI.create("/ci"),
          "type", "build.finished",
          "subject", "repo/troupe",
          "priority", 3,
          "text", "nine",
          "urgent", true,
          "least", Integer.MIN_VALUE,
          "emoji", "a😀b");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "type = 'build.finished' AND subject LIKE 'repo/%' AND EXISTS priority",
        "urgent",
        "source = '/ci'",
        "TYPE = \"build.finished\"",
        "exists SUBJECT and\r\n\tpriority >= 3",
        "priority IN (1, 2, 3) AND priority NOT IN ('4')",
        "2 = 4-2 AND 6 = 4--2 AND 1 = +1 AND - 2 = -2 AND -2147483648 = least",
        "LENGTH(emoji) = 3 AND RIGHT(emoji, 2) = '😀b' AND SUBSTRING(emoji, 2, 1) = '😀'",
        "emoji LIKE 'a_b' AND emoji LIKE '_😀_' AND emoji NOT LIKE 'a__b'",
        "'a' NOT LIKE 'b' NOT IN (FALSE)",
        "'it\\'s' = \"it's\" AND 'a\\b' LIKE '_\\_' = FALSE",
        "TRIM('\u00a0 \u0085x\u2028') = 'x' AND LENGTH(TRIM('\u200b')) = 1",
        "TRUE OR (1 / 0 = 1)",
        "INT('+7') = 7 AND INT('-0') = 0 AND BOOL('tRuE') AND BOOL(priority)",
        "least % -1 = 0"
      })
  void anEventPassesWhatIsTrueOfIt(String expression) {
    assertThat(filter(expression).matches(EVENT::get)).as(expression).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "type = 'build.started'",
        "subject", // a string, which is not cast to a Boolean for it
        "missing",
        "NOT missing",
        "missing != 'x'",
        "missing = 'x' OR TRUE",
        "missing NOT LIKE 'x'",
        "missing NOT IN ('x')",
        "priority != 'three'  AND priority != text AND text != 3",
        "NOT (text = 3)",
        "NOT (1 / 0 = 1)",
        "2147483647 + 1 != 0",
        "-least != 0",
        "least - 1 != 0",
        "least / -1 != 0",
        "65536 * 65536 = 0",
        "INT('2147483648') = 0 OR TRUE",
        "INT('') = 0 OR TRUE",
        "INT('٣') = 0 OR TRUE", // a digit, but not one of base 10 as the language has it
        "BOOL('falſe') = FALSE OR TRUE", // the long s of old print is no s
        "1 IN ('x', 1)",
        "TRUE OR FALSE AND FALSE", // from left to right
        "NOT type = 'build.started'" // (NOT type) = ...
      })
  void anEventForWhichItIsNotTrueOrCannotBeToldDoesNotPass(String expression) {
    assertThat(filter(expression).matches(EVENT::get)).as(expression).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``                    | at character 1: the end is not expected here (expected a value)",
        "type =                | at character 7: the end is not expected here (expected a value)",
        "(type = 'x'           | at character 12: the end is not expected here (expected ')')",
        "type 'x'              | at character 6: a string is not expected here (expected an operator or the end)",
        "type = 'x             | at character 8: a string that does not end (expected ')",
        "type LIKE subject     | at character 11: 'subject' is not expected here (expected a string, as the pattern of LIKE)",
        "type NOT = 'x'        | at character 10: '=' is not expected here (expected LIKE or IN)",
        "type IN ()            | at character 10: ')' is not expected here (expected a value)",
        "type IN 'x'           | at character 9: a string is not expected here (expected '(')",
        "EXISTS 'x'            | at character 8: a string is not expected here (expected an attribute)",
        "EXISTS and            | at character 8: 'and' is not expected here (expected an attribute)",
        "type AND OR TRUE      | at character 10: 'OR' is not expected here (expected a value)",
        "type == 'x'           | at character 7: '=' is not expected here (expected a value)",
        "a = 1; b = 2          | at character 6: ';' means nothing outside of a string",
        "'😀' = größe          | at character 9: U+00F6 means nothing outside of a string",
        "my_type = 'x'         | at character 1: 'my_type' is no attribute (expected only letters and digits)",
        "n < 2147483648        | at character 5: an integer of more than 32 bits (expected -2147483648 to 2147483647)",
        "n > -2147483649       | at character 5: an integer of more than 32 bits (expected -2147483648 to 2147483647)",
        "MATCHES(type)         | at character 1: there is no function 'MATCHES'",
        "left(type) = 'x'      | at character 1: LEFT does not take 1 arguments (expected 2)",
        "SUBSTRING(type) = 'x' | at character 1: SUBSTRING does not take 1 arguments (expected 2 or 3)",
        "CONCAT_WS() = 'x'     | at character 1: CONCAT_WS does not take 0 arguments (expected 1 or more)",
        "LENGTH(type)          | at character 1: evaluates to Integer, so that no event would pass (expected Boolean)",
        "'x'                   | at character 1: evaluates to String, so that no event would pass (expected Boolean)",
      })
  void whatIsWrongIsToldWithItsPlace(String expression, String problem) {
    assertThat(problems(expression)).extracting(Problem::toString).containsExactly(problem.strip());
  }

  @Test
  void everythingThatCanBeToldIsToldAtOnceFromLeftToRight() {
    assertThat(problems("FOO(1) = 99999999999 AND LEFT(my_x) = 'a' AND"))
        .extracting(Problem::position, Problem::error)
        .containsExactly(
            tuple(1, CesqlError.MISSING_FUNCTION),
            tuple(10, CesqlError.PARSE),
            tuple(26, CesqlError.MISSING_FUNCTION),
            tuple(31, CesqlError.PARSE),
            tuple(46, CesqlError.PARSE));
  }

  @Test
  void filtersOfTheSameTextAreEqual() {
    assertThat(filter("a = 1")).isEqualTo(filter("a = 1")).hasSameHashCodeAs(filter("a = 1"));
    assertThat(filter("a = 1")).isNotEqualTo(filter("a = 2"));
    assertThat(filter("a = 1")).hasToString("a = 1");
  }

  @Test
  void whatIsNotNeededIsNotAskedFor() {
    List<String> asked = new ArrayList<>();
    Attributes event =
        name -> {
          asked.add(name);
          return EVENT.get(name);
        };
    assertThat(filter("priority = 4 AND subject = 'x'").matches(event)).isFalse();
    assertThat(filter("priority = 3 OR subject = 'x'").matches(event)).isTrue();
    assertThat(filter("EXISTS id AND 3 IN (priority, subject)").matches(event)).isTrue();
    assertThat(asked).containsExactly("priority", "priority", "priority");
  }

  private static CesqlFilter filter(String expression) {
    Compilation compilation = CesqlFilter.compile(expression);
    assertThat(compilation).as(expression).isInstanceOf(Compiled.class);
    return ((Compiled) compilation).filter();
  }

  private static List<Problem> problems(String expression) {
    Compilation compilation = CesqlFilter.compile(expression);
    assertThat(compilation).as(expression).isInstanceOf(Refused.class);
    return ((Refused) compilation).problems();
  }
}
