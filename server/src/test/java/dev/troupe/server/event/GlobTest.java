package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

final class GlobTest {

  @Test
  void aPatternMatchesWhatTheRegularExpressionOfTheSameMeaningMatches() {
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      String pattern = text(random, "ab.*");
      String name = text(random, "ab.");
      Pattern regex =
          Pattern.compile(
              pattern
                  .replace(".", "\\.")
                  .replaceAll("\\*\\*+", "#")
                  .replace("*", "[^.]*")
                  .replace("#", ".*"));
      assertThat(Glob.of(pattern).matches(name))
          .as("%s matches %s", pattern, name)
          .isEqualTo(regex.matcher(name).matches());
    }
  }

  private static String text(Random random, String letters) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(8); length > 0; length--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }

  @Test
  void aPatternFullOfStarsCostsNoMoreThanItsLength() {
    Glob glob = Glob.of("*a".repeat(127) + "b");
    String name = "a".repeat(256);
    Assertions.assertTimeout(
        Duration.ofSeconds(5),
        () -> {
          for (int i = 0; i < 100; i++) {
            assertThat(glob.matches(name)).isFalse();
          }
        });
  }

  @Test
  void onlyPatternsThatBeginLikeTheServersOwnTopicsMatchThem() {
    assertThat(new EventFilter(List.of("**"), List.of()).matches("troupe.tasks", "t")).isFalse();
    assertThat(new EventFilter(List.of("troupe*"), List.of()).matches("troupe.x", "t")).isFalse();
    assertThat(new EventFilter(List.of("troupe.*"), List.of()).matches("troupe.x", "t")).isTrue();
    assertThat(new EventFilter(List.of("**", "troupe.x"), List.of()).matches("troupe.x", "t"))
        .isTrue();
  }

  @Test
  void onlyLiteralTopicsNarrowThePartitionsToBeRead() {
    assertThat(new EventFilter(List.of("a", "b"), List.of()).onlyTopics())
        .containsExactlyInAnyOrder("a", "b");
    assertThat(new EventFilter(List.of("a", "b*"), List.of()).onlyTopics()).isEmpty();
    assertThat(new EventFilter(List.of("a", "troupe.tasks"), List.of()).onlyTopics()).isEmpty();
  }
}
