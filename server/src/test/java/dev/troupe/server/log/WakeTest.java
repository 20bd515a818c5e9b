package dev.troupe.server.log;

import static dev.troupe.server.log.TailWithoutRedis.EPOCH;
import static dev.troupe.server.log.TailWithoutRedis.entry;
import static dev.troupe.server.log.TailWithoutRedis.position;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.log.LogReader.Page;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Readers that wait at the end of a log are woken together; whatever happens meanwhile, each gets
 * every entry once and in order. The thread that they are woken on works when a test says so.
 */
final class WakeTest {

  private final TailWithoutRedis log = new TailWithoutRedis(1 << 20);
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private final Executor home = tasks::add;

  private int written;

  @BeforeEach
  void theLogIsEmpty() {
    log.beginBehind(0, EPOCH);
  }

  @AfterEach
  void stop() {
    log.close();
  }

  @Test
  void readersThatAskForMoreAtOnceGetWhatFollows() {
    List<Follower> followers = IntStream.range(0, 1500).mapToObj(i -> new Follower(64)).toList();
    for (int i = 0; i < 3; i++) {
      appendAndRun(2);
    }
    assertThat(followers)
        .allSatisfy(each -> assertThat(each.read).containsExactlyElementsOf(all()));
    assertThat(followers).allMatch(each -> each.live);
  }

  @Test
  void theyShareOnePage() {
    Follower one = new Follower(64);
    Follower other = new Follower(64);
    appendAndRun(3);
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
    appendAndRun(1);
    assertThat(written).isEqualTo(5);
    assertThat(List.of(first, second))
        .allSatisfy(each -> assertThat(each.read).containsExactlyElementsOf(all()));
  }

  @Test
  void whatComesBeforeTheyAreWokenIsReadToo() {
    Follower follower = new Follower(64);
    append(1);
    appendAndRun(2);
    appendAndRun(1);
    assertThat(follower.read).containsExactlyElementsOf(all());
  }

  @Test
  void whoTakesLessGetsItInParts() {
    Follower few = new Follower(2);
    Follower many = new Follower(64);
    appendAndRun(5);
    appendAndRun(1);
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
    appendAndRun(1);
    appendAndRun(1);
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
    appendAndRun(1);
    appendAndRun(1);
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
    appendAndRun(1);
    appendAndRun(1);
    assertThat(other.read).containsExactlyElementsOf(all());
  }

  @Test
  void whoAsksOnAnotherThreadGetsWhatFollowsToo() {
    List<Follower> followers = IntStream.range(0, 100).mapToObj(i -> new Follower(64)).toList();
    for (Follower each : followers) {
      each.asksAtOnce = false;
      each.onPage = () -> log.executor.execute(each::ask);
    }
    for (int i = 0; i < 200; i++) {
      appendAndRun(1);
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
    appendAndRun(1);
    appendAndRun(1);
    assertThat(moving.read).containsExactly(1L);
    elsewhere.remove().run();
    assertThat(moving.read).containsExactlyElementsOf(all());
  }

  @Test
  void whoAsksLaterGetsWhatCameMeanwhile() {
    Follower follower = new Follower(64);
    follower.asksAtOnce = false;
    appendAndRun(1);
    appendAndRun(2);
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
    log.beginBehind(1, EPOCH + 1);
    run();
    // The page is of the log as it was, and what follows is looked for in Redis, not in the ring.
    assertThat(follower.read).containsExactly(1L, 2L);
    log.tail.append(List.of(entry(2)));
    run();
    assertThat(follower.read).containsExactly(1L, 2L);
  }

  private void appendAndRun(int entries) {
    append(entries);
    run();
  }

  private void append(int entries) {
    List<LogEntry> more = new ArrayList<>();
    for (int i = 0; i < entries; i++) {
      more.add(entry(++written));
    }
    assertThat(log.tail.append(more)).isTrue();
  }

  private List<Long> all() {
    return IntStream.rangeClosed(1, written).mapToObj(i -> (long) i).toList();
  }

  private void run() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
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
      assertThat(log.tail.retain()).isTrue();
      reader = log.reader(position(0), EPOCH);
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
