package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
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
    assertThat(matches("troupe.tasks", "**")).isFalse();
    assertThat(matches("troupe.x", "troupe*")).isFalse();
    assertThat(matches("troupe.x", "troupe.*")).isTrue();
    assertThat(matches("troupe.x", "**", "troupe.x")).isTrue();
  }

  @Test
  void onlyPatternsThatBeginLikeInboxesMatchThem() {
    assertThat(matches("inbox.a", "**")).isFalse();
    assertThat(matches("inbox.a", "inbox*")).isFalse();
    assertThat(matches("inbox.a", "inbox.*")).isTrue();
    assertThat(matches("inbox.a", "inbox.a")).isTrue();
    assertThat(matches("inbox.a", "inbox.b", "troupe.**")).isFalse();
    assertThat(matches("inboxes", "**")).isTrue();
  }

  private static boolean matches(String topic, String... patterns) {
    LogEntry entry =
        new LogEntry(0, LogPosition.BEGINNING, topic, "type", "subject", ByteString.EMPTY, 0);
    return filter(patterns)
        .matches(
            entry,
            () -> {
              throw new AssertionError("topics are no matter of attributes");
            });
  }

  private static EventFilter filter(String... patterns) {
    EventSelector all = new EventSelector(dev.troupe.v1.EventFilter.getDefaultInstance());
    return new EventFilter("default", List.of(patterns), List.of(), all);
  }

  @Test
  void onlyLiteralTopicsNarrowThePartitionsToBeRead() {
    assertThat(filter("a", "b").onlyTopics()).containsExactlyInAnyOrder("a", "b");
    assertThat(filter("a", "b*").onlyTopics()).isEmpty();
    assertThat(filter("a", "troupe.tasks").onlyTopics()).isEmpty();
    assertThat(filter("inbox.a").onlyTopics()).containsExactly("inbox.a");
  }

  @Test
  void filtersThatAskForTheSameAreEqual() {
    assertThat(filter("a", "b")).isEqualTo(filter("b", "a")).hasSameHashCodeAs(filter("b", "a"));
    assertThat(filter("a", "b")).isNotEqualTo(filter("a"));
    dev.troupe.v1.EventFilter one =
        dev.troupe.v1.EventFilter.newBuilder()
            .addTypes("x")
            .addTypes("y")
            .putAttributes("a", "1")
            .putAttributes("b", "2")
            .build();
    dev.troupe.v1.EventFilter other =
        dev.troupe.v1.EventFilter.newBuilder()
            .addTypes("y")
            .addTypes("x")
            .putAttributes("b", "2")
            .putAttributes("a", "1")
            .build();
    assertThat(new EventSelector(one)).isEqualTo(new EventSelector(other));
    assertThat(new EventSelector(one))
        .isNotEqualTo(new EventSelector(one.toBuilder().putAttributes("b", "1").build()))
        .isNotEqualTo(new EventSelector(one.toBuilder().setSubjectPrefix("x").build()));
  }
}
