package dev.troupe.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Ends of a log that were seen, and the entries that come to stand there. */
final class SeenPositionsTest {

  private final SeenPositions seen = new SeenPositions();

  private static LogPosition at(long sequence) {
    return new LogPosition(1000 + sequence, 0, sequence);
  }

  private static List<LogEntry> entries(long from, long to) {
    return LongStream.rangeClosed(from, to)
        .mapToObj(sequence -> new LogEntry(0, at(sequence), "t", "y", "u", ByteString.EMPTY, 0))
        .toList();
  }

  @Test
  void theLogThatWasSeenAgrees() {
    assertThat(seen.agreeWith(entries(1, 5))).isTrue();
    seen.add(at(7));
    seen.add(at(20));
    seen.add(at(9));
    assertThat(seen.newest()).isEqualTo(at(20));
    assertThat(seen.agreeWith(entries(6, 10))).isTrue();
    assertThat(seen.agreeWith(entries(11, 30))).isTrue();
    // What is behind an entry needs no proof.
    seen.add(at(25));
    assertThat(seen.agreeWith(entries(31, 32))).isTrue();
  }

  @Test
  void anEndThatWasLostIsFoundHoweverMuchWasSeenSince() {
    seen.add(new LogPosition(500, 3, 7));
    for (int sequence = 8; sequence < 100; sequence++) {
      seen.add(at(sequence));
    }
    assertThat(seen.agreeWith(entries(1, 6))).isTrue();
    assertThat(seen.agreeWith(entries(7, 8))).isFalse();
  }

  @Test
  void anotherLoadBeginsWithNothingSeen() {
    seen.add(new LogPosition(500, 3, 7));
    seen.clear();
    assertThat(seen.newest()).isEqualTo(SeenPositions.NOWHERE);
    assertThat(seen.agreeWith(entries(1, 8))).isTrue();
  }
}
