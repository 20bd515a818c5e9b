package dev.troupe.server.log;

import static dev.troupe.server.log.LogHarness.get;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.config.DataSize;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.redisson.api.RScript;
import org.redisson.client.codec.StringCodec;

/** What a log and its readers promise, on whatever Redis. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
abstract class PartitionLogsContract {

  private static final LogPosition NOTHING_YET = new LogPosition(0, 0, 0);

  private LogHarness harness;

  /** The Redis to test on; closed after the last test. */
  abstract TestRedis redis() throws Exception;

  private Partition partition;
  private RedisPartitionLogs logs;

  @BeforeAll
  void startRedis() throws Exception {
    harness = new LogHarness(redis());
  }

  @AfterAll
  void stopRedis() throws Exception {
    harness.close();
  }

  @BeforeEach
  void open() {
    partition = new Partition("t" + UUID.randomUUID(), 0, 1);
    logs = harness.logs();
  }

  @AfterEach
  void close() {
    logs.close();
  }

  @Test
  void theHeadOfALogWithoutEntriesIsAllZero() throws Exception {
    assertThat(get(logs.head(partition))).isEqualTo(new LogHead(NOTHING_YET, 0));
    assertThat(get(logs.before(partition, 0))).isEqualTo(new LogHead(NOTHING_YET, 0));
  }

  @Test
  void theHeadIsTheNewestEntryEvenWhenItIsTrimmed() throws Exception {
    harness.append(partition, 1, 1, 1);
    LogHead head = get(logs.head(partition));
    assertThat(head.position().sequence()).isEqualTo(3);
    assertThat(head.epoch()).isPositive();
    harness.trim(partition, 0);
    assertThat(get(logs.head(partition))).isEqualTo(head);
  }

  @Test
  void aReaderOfALogThatDoesNotExistGetsItsFirstEntry() throws Exception {
    try (LogReader reader = logs.open(partition, NOTHING_YET, 0)) {
      assertThat(get(reader.next(10))).isEqualTo(Page.of(List.of(), true));
      CompletionStage<Page> page = reader.next(10);
      harness.append(partition, 5);
      assertThat(get(page).entries()).extracting(each -> each.data().size()).containsExactly(6);
      assertThat(reader.epoch()).isEqualTo(get(logs.head(partition)).epoch());
    }
  }

  @Test
  void aReaderFromTheBeginningStartsWithTheOldestEntryKeptAndMissesNothing() throws Exception {
    harness.append(partition, new int[50]);
    harness.trim(partition, 10);
    try (LogReader reader = logs.open(partition, LogPosition.BEGINNING, 0)) {
      Page page = get(reader.next(100));
      assertThat(page.missed()).isZero();
      assertThat(page.entries()).hasSize(10);
      assertThat(page.entries().get(0).position().sequence()).isEqualTo(41);
    }
  }

  @Test
  void trimmedEntriesAreCountedOnce() throws Exception {
    harness.append(partition, 1);
    LogHead first = get(logs.head(partition));
    harness.append(partition, new int[50]);
    harness.trim(partition, 10);
    try (LogReader reader = logs.open(partition, first.position(), first.epoch())) {
      assertThat(get(reader.next(100))).isEqualTo(Page.trimmed(40, 41));
      assertThat(get(reader.next(100)).entries()).hasSize(10);
    }
  }

  @Test
  void aLogTrimmedToNothingIsReportedToo() throws Exception {
    harness.append(partition, 1);
    LogHead first = get(logs.head(partition));
    harness.append(partition, new int[50]);
    harness.trim(partition, 0);
    try (LogReader reader = logs.open(partition, first.position(), first.epoch())) {
      assertThat(get(reader.next(100))).isEqualTo(Page.trimmed(50, 51));
      assertThat(get(reader.next(100)).live()).isTrue();
      CompletionStage<Page> page = reader.next(100);
      harness.append(partition, 1);
      assertThat(get(page).entries().get(0).position().sequence()).isEqualTo(52);
    }
  }

  @Test
  void anotherEpochIsReportedAndTheNewLogReadFromItsBeginning() throws Exception {
    harness.append(partition, 1, 2, 3);
    LogHead head = get(logs.head(partition));
    try (LogReader reader = logs.open(partition, head.position(), head.epoch() - 1)) {
      assertThat(get(reader.next(100))).isEqualTo(Page.replaced());
      assertThat(get(reader.next(100)).entries()).hasSize(3);
      assertThat(reader.epoch()).isEqualTo(head.epoch());
    }
  }

  @Test
  void aSequenceAboveTheHeadsIsALogThatLostItsEnd() throws Exception {
    harness.append(partition, 1, 2, 3);
    LogHead head = get(logs.head(partition));
    LogPosition lost =
        new LogPosition(head.position().millis() + 1_000, 0, head.position().sequence() + 7);
    try (LogReader reader = logs.open(partition, lost, head.epoch())) {
      assertThat(get(reader.next(100))).isEqualTo(Page.replaced());
      assertThat(reader.position()).isEqualTo(head.position());
      harness.append(partition, 4);
      assertThat(entries(reader, 1).get(0).position().sequence()).isEqualTo(4);
    }
  }

  @Test
  void aLogLostWhileReadersWaitIsReportedEvenIfNobodyWritesToIt() throws Exception {
    harness.append(partition, 1, 2, 3);
    LogHead head = get(logs.head(partition));
    try (LogReader reader = logs.open(partition, head.position(), head.epoch())) {
      assertThat(get(reader.next(100)).live()).isTrue();
      CompletionStage<Page> page = reader.next(100);
      harness.redis.flush();
      assertThat(get(page)).isEqualTo(Page.replaced());
      assertThat(get(reader.next(100)).live()).isTrue();
      CompletionStage<Page> first = reader.next(100);
      harness.append(partition, 9);
      assertThat(get(first).entries()).hasSize(1);
    }
  }

  @Test
  void aLogReplacedBehindWaitingReadersIsReportedBeforeItsEntries() throws Exception {
    harness.append(partition, 1, 2, 3);
    LogHead head = get(logs.head(partition));
    try (LogReader reader = logs.open(partition, head.position(), head.epoch())) {
      assertThat(get(reader.next(100)).live()).isTrue();
      CompletionStage<Page> page = reader.next(100);
      harness.redis.flush();
      harness.append(partition, new int[20]);
      assertThat(get(page)).isEqualTo(Page.replaced());
      assertThat(entries(reader, 20)).hasSize(20);
    }
  }

  @Test
  void whoComesAnewIsNotGivenWhatThisServerHasNotNoticedToBeLost() throws Exception {
    harness.append(partition, new int[10]);
    List<byte[]> before = harness.dump(partition);
    LogHead kept = get(logs.head(partition));
    try (LogReader here = logs.open(partition, NOTHING_YET, 0)) {
      assertThat(entries(here, 10)).hasSize(10);
      assertThat(get(here.next(100)).live()).isTrue();
      harness.append(partition, new int[5]);
      assertThat(entries(here, 5)).hasSize(5);
      // The tail hears of it within two seconds; another server may have before.
      harness.restore(partition, before);
      try (LogReader anew = logs.open(partition, kept.position(), kept.epoch())) {
        assertThat(get(anew.next(100))).isEqualTo(Page.of(List.of(), true));
        CompletionStage<Page> next = anew.next(100);
        harness.append(partition, 7);
        assertThat(get(next).entries()).extracting(each -> each.data().size()).containsExactly(8);
      }
    }
  }

  @Test
  void aThousandReadersShareOneConnection() throws Exception {
    harness.append(partition, 1);
    LogHead head = get(logs.head(partition));
    List<LogReader> readers = new ArrayList<>();
    List<CompletableFuture<Page>> pages = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      LogReader reader = logs.open(partition, head.position(), head.epoch());
      readers.add(reader);
      assertThat(get(reader.next(10)).live()).isTrue();
      pages.add(reader.next(10).toCompletableFuture());
    }
    assertThat(logs.tails()).isEqualTo(1);
    Awaitility.await().until(() -> waitingReads() == 1);
    harness.append(partition, 2, 3);
    for (CompletableFuture<Page> page : pages) {
      assertThat(get(page).entries()).isNotEmpty();
    }
    assertThat(waitingReads()).isLessThanOrEqualTo(1);
    readers.forEach(LogReader::close);
    Awaitility.await().until(() -> logs.tails() == 0);
  }

  private long waitingReads() throws Exception {
    return harness
        .redis
        .clients()
        .lines()
        .filter(client -> client.contains("cmd=xread ") && client.contains("flags=b"))
        .count();
  }

  @Test
  void thePartitionsThatAreReadShareTheMemoryAndAQuietOneGivesItsPartBack() throws Exception {
    try (RedisPartitionLogs shared = harness.logs(LogHarness.config(1 << 20, 1 << 18))) {
      harness.append(partition, 1);
      LogHead head = get(shared.head(partition));
      LogReader slow = shared.open(partition, head.position(), head.epoch());
      assertThat(get(slow.next(1)).live()).isTrue();
      harness.append(partition, IntStream.generate(() -> 1_000).limit(150).toArray());
      Awaitility.await().until(() -> slow.inMemory().size() == 150);
      List<LogReader> others = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Partition other = new Partition("t" + UUID.randomUUID(), 0, 1);
        others.add(shared.open(other, NOTHING_YET, 0));
      }
      Awaitility.await().until(slow::isOverrun);
      slow.skipToMemory();
      assertThat(slow.inMemory()).isNotEmpty();
      assertThat(slow.inMemory().stream().mapToLong(LogEntry::weight).sum())
          .isLessThanOrEqualTo(1 << 16);
      harness.append(partition, IntStream.generate(() -> 1_000).limit(150).toArray());
      others.forEach(LogReader::close);
      slow.close();
    }
  }

  @Test
  void whatIsTrimmedBeforeAnybodyReadItIsReportedToThoseWhoWaitEvenIfNothingFollows()
      throws Exception {
    harness.append(partition, 1);
    LogHead head = get(logs.head(partition));
    try (LogReader reader = logs.open(partition, head.position(), head.epoch())) {
      assertThat(get(reader.next(10)).live()).isTrue();
      CompletionStage<Page> page = reader.next(10);
      harness
          .redis
          .commands()
          .getScript(StringCodec.INSTANCE)
          .eval(
              RScript.Mode.READ_WRITE,
              "for i = 1, 3 do local s = redis.call('HINCRBY', KEYS[2], 'seq', 1)"
                  + " redis.call('XADD', KEYS[1], '*', 's', s, 'd', 'e') end"
                  + " redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)",
              RScript.ReturnType.VALUE,
              List.of(new String(partition.logKey(), UTF_8), partition.key("head")));
      assertThat(get(page)).isEqualTo(Page.trimmed(3, 4));
    }
  }

  @Test
  void closingCompletesAWaitingReadWithNothing() throws Exception {
    LogReader reader = logs.open(partition, NOTHING_YET, 0);
    assertThat(get(reader.next(10)).live()).isTrue();
    CompletionStage<Page> page = reader.next(10);
    reader.close();
    assertThat(get(page)).isEqualTo(Page.NOTHING);
    assertThat(get(reader.next(10))).isEqualTo(Page.NOTHING);
    harness.append(partition, 1);
    assertThat(reader.position()).isEqualTo(NOTHING_YET);
  }

  @Test
  void aTailThatWasGivenUpIsReplacedByTheNextReader() throws Exception {
    logs.open(partition, NOTHING_YET, 0).close();
    Awaitility.await().until(() -> logs.tails() == 0);
    harness.append(partition, 1);
    try (LogReader reader = logs.open(partition, NOTHING_YET, 0)) {
      assertThat(entries(reader, 1)).hasSize(1);
    }
  }

  @Test
  void thePositionBeforeATimeIsThatOfTheEntryBefore() throws Exception {
    harness.append(partition, 1);
    LogHead first = get(logs.head(partition));
    Awaitility.await()
        .until(
            () -> {
              harness.append(partition, 1);
              return get(logs.head(partition)).position().millis() > first.position().millis();
            });
    LogHead last = get(logs.head(partition));
    LogHead before = get(logs.before(partition, last.position().millis()));
    assertThat(before.position().sequence()).isEqualTo(last.position().sequence() - 1);
    assertThat(before.epoch()).isEqualTo(last.epoch());
    LogHead oldest = get(logs.before(partition, 0));
    assertThat(oldest.position().sequence()).isZero();
    assertThat(get(logs.before(partition, last.position().millis() + 60_000)).position().isExact())
        .isFalse();
  }

  @Test
  void largeEntriesMakeShortPages() throws Exception {
    logs.close();
    logs = harness.logs(LogHarness.config(64 << 20));
    int[] large = new int[40];
    Arrays.fill(large, 200 << 10);
    harness.append(partition, large);
    try (LogReader reader = logs.open(partition, NOTHING_YET, 0)) {
      List<LogEntry> entries = entries(reader, 1);
      int shortest = Integer.MAX_VALUE;
      int read = entries.size();
      while (read < 40) {
        int page = entries(reader, 1).size();
        shortest = Math.min(shortest, page);
        read += page;
      }
      assertThat(read).isEqualTo(40);
      assertThat(shortest).isLessThanOrEqualTo(8);
    }
  }

  @Test
  void trimmingKeepsTheConfiguredNumberAndAge() throws Exception {
    LogTrim trim = new LogTrim(logs, LogHarness.config(1 << 16));
    harness.append(partition, new int[3_000]);
    get(trim.trim(partition));
    // Redis drops whole nodes of a hundred entries.
    assertThat(length()).isBetween(1_000L, 1_100L);
    assertThat(get(logs.head(partition)).position().sequence()).isEqualTo(3_000);
    harness
        .redis
        .commands()
        .getScript(StringCodec.INSTANCE)
        .eval(
            RScript.Mode.READ_WRITE,
            "redis.call('DEL', KEYS[1]) for i = 1, 1000 do"
                + " redis.call('XADD', KEYS[1], i..'-0', 's', i, 'd', 'e') end",
            RScript.ReturnType.VALUE,
            List.of(new String(partition.logKey(), UTF_8)));
    LogTrim byAge =
        new LogTrim(
            logs,
            new LogConfig(
                1_000_000, Duration.ofMinutes(1), new DataSize(1 << 16), new DataSize(1 << 16)));
    get(byAge.trim(partition));
    assertThat(length()).isLessThan(100);
  }

  private long length() {
    return harness.redis.commands().getStream(new String(partition.logKey(), UTF_8)).size();
  }

  private static List<LogEntry> entries(LogReader reader, int least) throws Exception {
    List<LogEntry> entries = new ArrayList<>();
    while (entries.size() < least) {
      entries.addAll(reader.next(500).toCompletableFuture().get(60, TimeUnit.SECONDS).entries());
    }
    return entries;
  }
}
