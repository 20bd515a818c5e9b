package dev.troupe.server.event.history;

import dev.troupe.server.grpc.Outage;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.Gap;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A subscription that goes on with its last token, on whichever server, whenever its stream breaks,
 * and breaks it itself now and then.
 */
final class Reader implements Runnable {

  private final SubscribeRequest request;
  private final Bookmark from;
  private final List<ManagedChannel> servers;
  private final Random random;
  private final List<Seen> history = Collections.synchronizedList(new ArrayList<>());

  /** Each token that it got, with how much it had seen by then. */
  private final List<Mark> marks = Collections.synchronizedList(new ArrayList<>());

  private final Set<Seen.Got> got = Collections.synchronizedSet(new HashSet<>());

  /** Partitions that the present stream sent something from. */
  private final Set<Integer> begun = new HashSet<>();

  private final long madeNanos = System.nanoTime();
  private volatile long restUntilNanos = madeNanos;
  private volatile long startedNanos;
  private volatile boolean stopped;
  private volatile Context.CancellableContext stream = Context.current().withCancellation();

  private record Mark(String token, int seen) {}

  /**
   * Prepares one.
   *
   * @param request as it begins
   * @param from where it goes on, if another one like it began
   */
  Reader(SubscribeRequest request, Bookmark from, List<ManagedChannel> servers, long seed) {
    this.request = request;
    this.from = from;
    this.servers = servers;
    this.random = new Random(seed);
    startedNanos = from.token().isEmpty() ? madeNanos : from.startedNanos();
    history.addAll(from.seen());
    for (Seen seen : from.seen()) {
      if (seen instanceof Seen.Batch batch) {
        got.addAll(batch.events());
      }
    }
  }

  List<Seen> history() {
    synchronized (history) {
      return List.copyOf(history);
    }
  }

  boolean hasGot(Seen.Got event) {
    return got.contains(event);
  }

  /** How many events it got that the log no longer had when it was made. */
  long countOlder(Trims trims) {
    return history().stream()
        .skip(from.seen().size())
        .filter(Seen.Batch.class::isInstance)
        .map(Seen.Batch.class::cast)
        .flatMap(
            batch -> {
              long gone = trims.atLeastUpTo(batch.partition(), madeNanos);
              return batch.events().stream().filter(event -> event.position() <= gone);
            })
        .count();
  }

  /** When it, or the one that it goes on for, heard that it stands where it begins. */
  long startedNanos() {
    return startedNanos;
  }

  /** Somewhere that it came by, for another one to go on from. */
  Bookmark bookmark(Random choice) {
    List<Mark> all;
    synchronized (marks) {
      all = List.copyOf(marks);
    }
    if (all.isEmpty()) {
      return Bookmark.NONE;
    }
    Mark one = all.get(choice.nextInt(all.size()));
    return new Bookmark(one.token, history().subList(0, one.seen), startedNanos);
  }

  /** Takes nothing for a while from now. */
  void rest(long millis) {
    restUntilNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
  }

  void stop() {
    stopped = true;
    stream.cancel(null);
  }

  @Override
  public void run() {
    String token = from.token();
    while (!stopped) {
      SubscribeRequest.Builder again = request.toBuilder();
      if (!token.isEmpty()) {
        again.clearStart().clearStartTime().setResumeToken(token);
      }
      stream = Context.current().withCancellation();
      if (stopped) {
        return;
      }
      try {
        String resumed = token;
        token = stream.call(() -> read(again.build(), resumed));
      } catch (BrokenStream broken) {
        token = broken.token;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      } finally {
        stream.cancel(null);
      }
    }
  }

  /** A stream broke; this is where to go on. */
  private static final class BrokenStream extends Exception {
    private static final long serialVersionUID = 1L;
    final String token;

    BrokenStream(String token, Throwable cause) {
      super(cause);
      this.token = token;
    }
  }

  /** Reads for a while, and yields where to go on. */
  private String read(SubscribeRequest open, String resumed) throws BrokenStream {
    String token = resumed;
    int messages = 20 + random.nextInt(200);
    try {
      Iterator<SubscribeResponse> stream =
          EventStreamServiceGrpc.newBlockingStub(servers.get(random.nextInt(servers.size())))
              .withWaitForReady()
              .subscribe(open);
      while (messages-- > 0 && stream.hasNext()) {
        Pause.until(restUntilNanos);
        String next = take(stream.next());
        if (token.isEmpty()) {
          startedNanos = System.nanoTime();
        }
        if (!next.isEmpty()) {
          token = next;
          marks.add(new Mark(token, history.size()));
        }
      }
      return token;
    } catch (StatusRuntimeException broken) {
      if (!stopped && !Outage.explains(broken)) {
        throw broken;
      }
      throw new BrokenStream(token, broken);
    }
  }

  private String take(SubscribeResponse message) {
    return switch (message.getMessageCase()) {
      case STARTED -> {
        begun.clear();
        yield message.getStarted().getResumeToken();
      }
      case BATCH -> take(message.getBatch());
      case CAUGHT_UP -> message.getCaughtUp().getResumeToken();
      case CHECKPOINT -> message.getCheckpoint().getResumeToken();
      case GAP -> take(message.getGap());
      case GO_AWAY -> message.getGoAway().getResumeToken();
      case FELL_BEHIND -> message.getFellBehind().getResumeToken();
      case MESSAGE_NOT_SET -> throw new IllegalStateException("an empty message");
    };
  }

  private String take(EventBatch batch) {
    List<Seen.Got> events = batch.getDeliveriesList().stream().map(Seen.Got::of).toList();
    history.add(
        new Seen.Batch(
            batch.getPartition(),
            begun.add(batch.getPartition()),
            batch.getPreviousPosition(),
            batch.getReadPosition(),
            events));
    got.addAll(events);
    return batch.getResumeToken();
  }

  private String take(Gap gap) {
    history.add(
        new Seen.Missing(
            gap.getPartition(),
            begun.add(gap.getPartition()),
            gap.getFromPosition(),
            gap.getToPosition(),
            gap.getMissed(),
            gap.getReason(),
            System.nanoTime()));
    return gap.getResumeToken();
  }
}
