package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.base.Ticker;
import com.google.protobuf.ByteString;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Readers that wait at the end of a log are woken together; whatever happens meanwhile, each gets
 * every entry once and in order. The thread that they are woken on works when a test says so.
 */
final class WakeTest {

  private static final long EPOCH = 7;
  private static final Partition PARTITION = new Partition("test", 0, 1);

  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private final Executor home = tasks::add;

  @SuppressWarnings("NullAway") // Redis is not asked for anything.
  private final LogStore store = new LogStore(null, null);

  private final PartitionTail tail =
      new PartitionTail(
          PARTITION,
          store,
          executor,
          () -> 1 << 20,
          Duration.ofSeconds(5),
          Ticker.systemTicker(),
          end -> {});

  private int written;

  @BeforeEach
  void theLogIsEmpty() {
    tail.replaceRing(new LogHead(position(0), EPOCH));
  }

  @AfterEach
  void stop() {
    executor.shutdownNow();
  }

  @Test
  void readersThatAskForMoreAtOnceGetWhatFollows() {
    List<Follower> followers = IntStream.range(0, 1500).mapToObj(i -> new Follower(64)).toList();
    for (int i = 0; i < 3; i++) {
      append(2);
      run();
    }
    assertThat(followers)
        .allSatisfy(each -> assertThat(each.read).containsExactlyElementsOf(all()));
    assertThat(followers).allMatch(each -> each.live);
  }

  @Test
  void theyShareOnePage() {
    Follower one = new Follower(64);
    Follower other = new Follower(64);
    append(3);
    run();
    assertThat(one.last).isSameAs(other.last);
  }

  @Test
  void whatComesWhileTheyAreWokenIsReadToo() {
    Follower first = new Follower(64);
    Follower second = new Follower(64);
    first.onPage =
        () -> {
          if (written < 5) {
            append(1);
          }
        };
    append(1);
    run();
    assertThat(written).isEqualTo(5);
    assertThat(List.of(first, second))
        .allSatisfy(each -> assertThat(each.read).containsExactlyElementsOf(all()));
  }

  @Test
  void whatComesBeforeTheyAreWokenIsReadToo() {
    Follower follower = new Follower(64);
    append(1);
    append(2);
    run();
    append(1);
    run();
    assertThat(follower.read).containsExactlyElementsOf(all());
  }

  @Test
  void whoTakesLessGetsItInParts() {
    Follower few = new Follower(2);
    Follower many = new Follower(64);
    append(5);
    run();
    append(1);
    run();
    assertThat(few.pages).isEqualTo(4);
    assertThat(many.pages).isEqualTo(2);
    assertThat(List.of(few, many))
        .allSatisfy(each -> assertThat(each.read).containsExactlyElementsOf(all()));
  }

  @Test
  void aReaderThatIsClosedInBetweenIsToldOnceAndGetsNothing() {
    Follower closing = new Follower(64);
    Follower other = new Follower(64);
    other.onPage = closing.reader::close;
    closing.onPage = other.reader::close;
    append(1);
    run();
    append(1);
    run();
    // Whoever came first closed the other one, and then goes on alone.
    assertThat(closing.read.size() + other.read.size()).isEqualTo(2);
    assertThat(closing.read.isEmpty() || other.read.isEmpty()).isTrue();
    assertThat(closing.ends + other.ends).isEqualTo(1);
  }

  @Test
  void oneThatFailsDoesNotKeepTheOthersFromReading() {
    Follower failing = new Follower(64);
    Follower other = new Follower(64);
    failing.onPage =
        () -> {
          throw new AssertionError("on purpose");
        };
    append(1);
    run();
    append(1);
    run();
    assertThat(other.read).containsExactlyElementsOf(all());
  }

  @Test
  void norDoesOneThatFailsWithWhatCameMeanwhile() {
    Follower failing = new Follower(64);
    Follower other = new Follower(64);
    failing.onPage =
        () -> {
          if (written == 1) {
            append(1);
          } else {
            throw new AssertionError("on purpose");
          }
        };
    append(1);
    run();
    append(1);
    run();
    assertThat(other.read).containsExactlyElementsOf(all());
  }

  @Test
  void whoAsksOnAnotherThreadGetsWhatFollowsToo() {
    List<Follower> followers = IntStream.range(0, 100).mapToObj(i -> new Follower(64)).toList();
    for (Follower each : followers) {
      each.asksAtOnce = false;
      each.onPage = () -> executor.execute(each::ask);
    }
    for (int i = 0; i < 200; i++) {
      append(1);
      run();
    }
    await()
        .untilAsserted(
            () ->
                assertThat(followers)
                    .allSatisfy(each -> assertThat(each.read).containsExactlyElementsOf(all())));
  }

  @Test
  void whoMovesToAnotherThreadIsWokenThere() {
    Queue<Runnable> elsewhere = new ArrayDeque<>();
    Follower moving = new Follower(64);
    moving.onPage = () -> moving.reader.wakeOn(elsewhere::add);
    append(1);
    run();
    append(1);
    run();
    assertThat(moving.read).containsExactly(1L);
    elsewhere.remove().run();
    assertThat(moving.read).containsExactlyElementsOf(all());
  }

  @Test
  void whoAsksLaterGetsWhatCameMeanwhile() {
    Follower follower = new Follower(64);
    follower.asksAtOnce = false;
    append(1);
    run();
    append(2);
    run();
    assertThat(follower.read).containsExactly(1L);
    follower.ask();
    run();
    assertThat(follower.read).containsExactlyElementsOf(all());
  }

  @Test
  void anotherLogIsNotTakenForTheNextEntries() {
    Follower follower = new Follower(64);
    append(2);
    // Before the follower is woken.
    tail.replaceRing(new LogHead(position(1), EPOCH + 1));
    run();
    // The page is of the log as it was, and what follows is looked for in Redis, not in the ring.
    assertThat(follower.read).containsExactly(1L, 2L);
    tail.append(List.of(entry(2)));
    run();
    assertThat(follower.read).containsExactly(1L, 2L);
  }

  private void append(int entries) {
    List<LogEntry> more = new ArrayList<>();
    for (int i = 0; i < entries; i++) {
      more.add(entry(++written));
    }
    assertThat(tail.append(more)).isTrue();
  }

  private List<Long> all() {
    return IntStream.rangeClosed(1, written).mapToObj(i -> (long) i).toList();
  }

  private void run() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }

  private static LogPosition position(int i) {
    return new LogPosition(10 + i, 0, i);
  }

  private static LogEntry entry(int i) {
    return new LogEntry(0, position(i), "topic", "type", "", ByteString.EMPTY, 0);
  }

  /** Reads on and on from the beginning of the log. */
  private final class Follower implements LogReader.Taker {

    final List<Long> read = new CopyOnWriteArrayList<>();
    final PartitionReader reader;
    private final int max;
    Runnable onPage = () -> {};
    boolean asksAtOnce = true;
    Page last = Page.NOTHING;
    boolean live;
    int pages;
    int ends;

    Follower(int max) {
      this.max = max;
      CatchUpGate gate = new CatchUpGate(1, executor);
      assertThat(tail.retain()).isTrue();
      reader =
          new PartitionReader(PARTITION, tail, store, null, gate, executor, position(0), EPOCH, 0);
      reader.wakeOn(home);
      ask();
    }

    void ask() {
      reader.next(max, 1 << 20, this);
    }

    @Override
    public void take(Page page) {
      if (page == Page.NOTHING) {
        ends++;
        return;
      }
      last = page;
      live = page.live();
      if (!page.entries().isEmpty()) {
        pages++;
        page.entries().forEach(entry -> read.add(entry.position().sequence()));
        onPage.run();
      }
      if (asksAtOnce || page.entries().isEmpty()) {
        ask();
      }
    }

    @Override
    public void fail(Throwable failure) {
      throw new AssertionError(failure);
    }
  }
}
