package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.server.log.PartitionTail.Cursor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whom news are for: a reader elsewhere, or of another log, would skip or repeat entries. */
final class NewsTest {

  private static final long EPOCH = 7;

  private final News news = new News(at(5), List.of(entry(6), entry(7)), EPOCH, 3, 11);

  @Test
  void theySuitWhoStandsRightBeforeThem() {
    assertThat(news.suits(live(at(5), EPOCH), 64, 1000)).isTrue();
  }

  @Test
  void theyDoNotSuitWhoStandsElsewhere() {
    assertThat(news.suits(live(at(4), EPOCH), 64, 1000)).isFalse();
    // The memory was behind Redis, which had told the reader of what is news here.
    assertThat(news.suits(live(at(6), EPOCH), 64, 1000)).isFalse();
    // The same number at another time: an entry of a log that lost its end.
    assertThat(news.suits(live(new LogPosition(99, 0, 5), EPOCH), 64, 1000)).isFalse();
    assertThat(news.suits(live(LogPosition.startOf(15), EPOCH), 64, 1000)).isFalse();
  }

  @Test
  void theyDoNotSuitWhoReadsAnotherLog() {
    assertThat(news.suits(live(at(5), EPOCH + 1), 64, 1000)).isFalse();
    assertThat(news.suits(live(at(5), 0), 64, 1000)).isFalse();
  }

  @Test
  void theyDoNotSuitWhoTakesLess() {
    assertThat(news.suits(live(at(5), EPOCH), 1, 1000)).isFalse();
    assertThat(news.suits(live(at(5), EPOCH), 64, 1)).isFalse();
  }

  @Test
  void whoReadThemStandsAtTheirEndAndKeepsWhatItKnows() {
    Cursor before = new Cursor(at(5), EPOCH, 2, 9, true, false, 0);
    assertThat(news.behind(before)).isEqualTo(new Cursor(at(7), EPOCH, 2, 9, true, true, 3));
    Cursor other = new Cursor(at(5), EPOCH, 1, 9, false, true, 3);
    assertThat(news.behind(other)).isEqualTo(new Cursor(at(7), EPOCH, 1, 9, false, true, 3));
    assertThat(news.behind(before)).isEqualTo(new Cursor(at(7), EPOCH, 2, 9, true, true, 3));
  }

  @Test
  void onlyWhoReadThemWaitsAtTheirEnd() {
    assertThat(news.endAt(news.behind(live(at(5), EPOCH)))).isTrue();
    assertThat(news.endAt(live(at(5), EPOCH))).isFalse();
    assertThat(news.endAt(news.behind(live(at(5), EPOCH)).behind())).isFalse();
  }

  private static Cursor live(LogPosition position, long epoch) {
    return new Cursor(position, epoch, 3, 10, false, true, 3);
  }

  private static LogPosition at(int i) {
    return new LogPosition(10 + i, 0, i);
  }

  private static LogEntry entry(int i) {
    return new LogEntry(0, at(i), "topic", "type", "", ByteString.EMPTY, 0);
  }
}
