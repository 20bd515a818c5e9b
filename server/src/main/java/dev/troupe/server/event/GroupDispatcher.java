package dev.troupe.server.event;

import com.google.common.base.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.ByteString;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.GroupTake.Evaluated;
import dev.troupe.server.event.GroupTake.Given;
import dev.troupe.server.event.GroupTake.Member;
import dev.troupe.server.event.GroupTake.Taken;
import dev.troupe.v1.DeliveryPolicy;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupSettings;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes events for all members that a group has on this server, one round at a time, so that a busy
 * group costs a script per 64 events and an idle one a script a second.
 *
 * <p>When a round comes back short, there is nothing to be had and the group is <i>dry</i>: it asks
 * no more until it is rung, by an event of its topic, by a settlement, by the time that the round
 * told, or after a second. A ring that comes while a round is under way may be about an event that
 * the round just missed, so it is counted, and such a round does not make the group dry.
 *
 * <p>Thread-safe. Members must not call it while they hold a lock of their own.
 */
final class GroupDispatcher {

  private static final Logger log = LoggerFactory.getLogger(GroupDispatcher.class);
  private static final long POLL_NANOS = Duration.ofSeconds(1).toNanos();

  /** How often the group hears that a member is there though it takes nothing. */
  private static final long TOUCH_NANOS = Duration.ofSeconds(3).toNanos();

  private static final int MOST_TOUCHED = 256;

  /** Behind the time that something is due, so that it is not missed by a hair. */
  private static final long ROUNDING_NANOS = 200_000;

  private final GroupStore store;
  private final GroupId group;
  private final ScheduledExecutorService timers;
  private final Ticker ticker;

  @GuardedBy("this")
  private final Map<GroupTaker, Long> touched = new LinkedHashMap<>();

  /** Calls that have not asked yet, and those that wait after they did. */
  @GuardedBy("this")
  private final Deque<PullCall> untried = new ArrayDeque<>();

  @GuardedBy("this")
  private final Deque<PullCall> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private final DeliveryOrder order = new DeliveryOrder();

  @GuardedBy("this")
  private long settingsVersion;

  @GuardedBy("this")
  private GroupSettings settings = GroupSettings.getDefaultInstance();

  @GuardedBy("this")
  private Predicate<dev.troupe.v1.Event> filter = event -> true;

  @GuardedBy("this")
  private @Nullable Evaluated evaluated;

  @GuardedBy("this")
  private boolean inFlight;

  /** Whether somebody came while a round was under way, or was being made. */
  @GuardedBy("this")
  private boolean offerMissed;

  @GuardedBy("this")
  private boolean dry;

  @GuardedBy("this")
  private boolean pullsTurn;

  @GuardedBy("this")
  private long rings;

  @GuardedBy("this")
  private @Nullable Future<?> poll;

  @GuardedBy("this")
  private long pollAtNanos;

  private volatile long lag;

  GroupDispatcher(GroupStore store, GroupId group, ScheduledExecutorService timers, Ticker ticker) {
    this.store = store;
    this.group = group;
    this.timers = timers;
    this.ticker = ticker;
  }

  GroupId group() {
    return group;
  }

  /** How many events the group had not yet looked at, as of about a second ago. */
  long lag() {
    return lag;
  }

  /** Lets a member in; it is served once it has credits. */
  void enter(GroupTaker taker, long version, GroupSettings known) {
    synchronized (this) {
      touched.put(taker, ticker.read());
      learn(version, known);
      dry = false;
      pollIn(POLL_NANOS);
    }
    pump();
  }

  synchronized void leave(GroupTaker taker) {
    touched.remove(taker);
  }

  /** Takes up a call; it is in the line until it is answered. */
  void pull(PullCall call) {
    synchronized (this) {
      untried.add(call);
      pollIn(POLL_NANOS);
    }
    pump();
  }

  synchronized void forget(PullCall call) {
    untried.remove(call);
    waiting.remove(call);
  }

  /** Whether nobody is here. */
  synchronized boolean isIdle() {
    return touched.isEmpty() && untried.isEmpty() && waiting.isEmpty() && !inFlight;
  }

  /** There may be something to be had. */
  void ring() {
    synchronized (this) {
      rings++;
      dry = false;
    }
    pump();
  }

  /** A member may take more. */
  void offer() {
    pump();
  }

  synchronized List<GroupTaker> takers() {
    return List.copyOf(touched.keySet());
  }

  /** Ends all who are here. */
  void end(Throwable failure) {
    List<GroupTaker> members;
    List<PullCall> calls = new ArrayList<>();
    synchronized (this) {
      members = List.copyOf(touched.keySet());
      calls.addAll(untried);
      calls.addAll(waiting);
      untried.clear();
      waiting.clear();
      touched.clear();
    }
    members.forEach(member -> member.fail(failure));
    calls.forEach(call -> call.answer().completeExceptionally(failure));
  }

  // Rounds.

  /** Who asks, with the credits set aside of each; a call, when it is one. */
  private record Round(
      List<GroupTaker> takers,
      List<Integer> reserved,
      @Nullable PullCall call,
      GroupTake take,
      long ringsBefore) {}

  private void pump() {
    Round round = nextRound();
    if (round == null) {
      return;
    }
    store.take(group, round.take).whenComplete((taken, failure) -> settle(round, taken, failure));
  }

  private @Nullable Round nextRound() {
    Round round = tryRound();
    while (round == null && isOfferMissed()) {
      round = tryRound();
    }
    return round;
  }

  /** Whether somebody had more room just after he was asked, for a round that then was none. */
  private synchronized boolean isOfferMissed() {
    boolean missed = offerMissed && !inFlight;
    offerMissed &= inFlight;
    return missed;
  }

  private @Nullable Round tryRound() {
    List<GroupTaker> members;
    DeliveryPolicy policy;
    synchronized (this) {
      if (inFlight) {
        offerMissed = true;
        return null;
      }
      Round round = pullsTurn || touched.isEmpty() || dry ? pullRound() : null;
      if (round != null || touched.isEmpty() || dry) {
        inFlight = round != null;
        return round;
      }
      inFlight = true;
      members = List.copyOf(touched.keySet());
      policy = settings.getPolicy();
    }
    List<DeliveryOrder.Capacity> capacities =
        members.stream()
            .map(one -> new DeliveryOrder.Capacity(one.free(), one.outstanding()))
            .toList();
    synchronized (this) {
      pullsTurn = true;
      Round round = streamRound(members, capacities, policy);
      if (round == null) {
        // Nobody has credits, so the calls need not wait for their turn.
        round = pullRound();
      }
      inFlight = round != null;
      return round;
    }
  }

  /** A round for the next call: one that has not asked yet, or has to ask again. */
  @GuardedBy("this")
  private @Nullable Round pullRound() {
    pullsTurn = false;
    while (!untried.isEmpty() || (!dry && !waiting.isEmpty())) {
      PullCall call = untried.isEmpty() ? waiting.element() : untried.element();
      if (call.begin()) {
        return pullRound(call);
      }
      forget(call);
    }
    return null;
  }

  @GuardedBy("this")
  private Round pullRound(PullCall call) {
    List<Integer> slots = new ArrayList<>(call.most());
    for (int i = 0; i < call.most(); i++) {
      slots.add(0);
    }
    return new Round(
        List.of(),
        List.of(),
        call,
        new GroupTake(
            settingsVersion,
            List.of(new Member(call.member(), 0)),
            slots,
            call.requestId(),
            call.digest(),
            evaluated),
        rings);
  }

  @GuardedBy("this")
  private @Nullable Round streamRound(
      List<GroupTaker> members, List<DeliveryOrder.Capacity> capacities, DeliveryPolicy policy) {
    long now = ticker.read();
    List<Integer> slots = order.next(policy, capacities, GroupStore.MOST_PER_SCRIPT);
    int[] wanted = new int[members.size()];
    slots.forEach(index -> wanted[index]++);
    List<GroupTaker> asking = new ArrayList<>();
    List<Integer> reserved = new ArrayList<>();
    int[] place = new int[members.size()];
    for (int i = 0; i < members.size(); i++) {
      GroupTaker member = members.get(i);
      boolean silent = now - touched.getOrDefault(member, now) >= TOUCH_NANOS;
      place[i] = -1;
      if (wanted[i] > 0 || (silent && asking.size() < MOST_TOUCHED)) {
        wanted[i] = wanted[i] == 0 ? 0 : member.reserve(wanted[i]);
        place[i] = asking.size();
        asking.add(member);
        reserved.add(wanted[i]);
        touched.replace(member, now);
      }
    }
    if (asking.isEmpty()) {
      return null;
    }
    List<Integer> given = new ArrayList<>(slots.size());
    for (int index : slots) {
      if (wanted[index]-- > 0) {
        given.add(place[index]);
      }
    }
    return new Round(
        asking,
        reserved,
        null,
        new GroupTake(
            settingsVersion,
            asking.stream().map(GroupTaker::member).toList(),
            given,
            "",
            "",
            evaluated),
        rings);
  }

  private void settle(Round round, @Nullable Taken taken, @Nullable Throwable failure) {
    if (taken == null) {
      failed(round, failure == null ? new IllegalStateException("no answer") : failure);
      return;
    }
    Evaluated next;
    try {
      next = evaluate(taken);
    } catch (RuntimeException | Error fault) {
      failed(round, fault);
      return;
    }
    int asked = round.take.slots().size();
    boolean last = next == null && !taken.more() && taken.given().size() < asked;
    if (round.call != null) {
      answer(round.call, taken, last);
    } else {
      give(round, taken);
    }
    synchronized (this) {
      inFlight = false;
      // A round only to be seen finds nothing out.
      if (asked > 0) {
        evaluated = next;
        dry = last && rings == round.ringsBefore;
      }
      if (round.call == null) {
        order.unused(settings.getPolicy(), asked - taken.given().size());
      }
      if (taken.lag() >= 0) {
        lag = taken.lag();
      }
      pollIn(
          taken.dueInMicros() < 0
              ? POLL_NANOS
              : Math.min(POLL_NANOS, taken.dueInMicros() * 1000 + ROUNDING_NANOS));
    }
    pump();
  }

  private void give(Round round, Taken taken) {
    List<List<GroupDelivery>> each = new ArrayList<>();
    round.takers.forEach(taker -> each.add(new ArrayList<>()));
    for (Given given : taken.given()) {
      each.get(given.member()).add(given.delivery());
    }
    for (int i = 0; i < each.size(); i++) {
      give(round.takers.get(i), round.reserved.get(i), each.get(i));
      if (taken.replaced().contains(i)) {
        round.takers.get(i).replaced();
      }
    }
  }

  /** A member that fails must not keep the others from their events, nor from the next round. */
  private void give(GroupTaker taker, int reserved, List<GroupDelivery> deliveries) {
    try {
      taker.give(reserved, deliveries);
    } catch (RuntimeException | Error fault) {
      log.warn("{}: {} does not take its events", group, taker.member().id(), fault);
    }
  }

  private void answer(PullCall call, Taken taken, boolean last) {
    giveBack(call.end(taken.given().stream().map(Given::delivery).toList(), last));
    synchronized (this) {
      if (call.answer().isDone()) {
        forget(call);
      } else if (last && untried.remove(call)) {
        waiting.add(call);
      }
    }
  }

  /** Gives back what was taken and will not reach anybody; it does not count as delivered. */
  void giveBack(List<GroupDelivery> deliveries) {
    List<Settling> all =
        deliveries.stream()
            .map(one -> Settling.of(Settling.Kind.UNSENT, one.getDeliveryId()))
            .toList();
    if (!all.isEmpty()) {
      store
          .settle(group, all)
          .whenComplete(
              (settled, failure) -> {
                if (failure != null) {
                  log.debug("what was not sent comes again after its deadline", failure);
                } else {
                  ring();
                }
              });
    }
  }

  private @Nullable Evaluated evaluate(Taken taken) {
    Predicate<dev.troupe.v1.Event> wanted;
    synchronized (this) {
      if (taken.settings() != null) {
        learn(taken.version(), taken.settings());
      }
      wanted = filter;
    }
    if (taken.candidates() == null) {
      return null;
    }
    List<Boolean> wants =
        taken.candidates().list().stream().map(one -> wants(wanted, one.event())).toList();
    return new Evaluated(taken.version(), taken.candidates(), wants);
  }

  /** One that cannot be read is passed over, as nobody could read it later either. */
  private boolean wants(Predicate<dev.troupe.v1.Event> wanted, ByteString encoded) {
    try {
      return wanted.test(GroupCodec.event(encoded));
    } catch (RuntimeException damaged) {
      log.error("{} passes an event over that cannot be decoded", group, damaged);
      return false;
    }
  }

  @GuardedBy("this")
  private void learn(long version, GroupSettings known) {
    if (version > settingsVersion) {
      settingsVersion = version;
      settings = known;
      filter = new EventSelector(known.getFilter())::matches;
    }
  }

  private void failed(Round round, Throwable failure) {
    for (int i = 0; i < round.takers.size(); i++) {
      give(round.takers.get(i), round.reserved.get(i), List.of());
    }
    if (round.call != null) {
      forget(round.call);
      round.call.answer().completeExceptionally(failure);
    }
    boolean over = isGone(failure);
    synchronized (this) {
      inFlight = false;
      evaluated = null;
      // Nothing is known; the poll asks again.
      dry = true;
      if (!over) {
        pollIn(POLL_NANOS);
      }
    }
    if (over) {
      end(failure);
    } else {
      log.debug("taking from {} failed, trying again soon", group, failure);
      pump();
    }
  }

  private static boolean isGone(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof TroupeException refusal
        && refusal.reason() == ErrorReason.ERROR_REASON_GROUP_NOT_FOUND;
  }

  /** Asks again after the given time at the latest, while anybody is here. */
  @GuardedBy("this")
  private void pollIn(long nanos) {
    if (touched.isEmpty() && waiting.isEmpty() && untried.isEmpty()) {
      return;
    }
    long at = ticker.read() + nanos;
    if (poll != null) {
      if (pollAtNanos - at <= 0) {
        return;
      }
      poll.cancel(false);
    }
    pollAtNanos = at;
    try {
      poll = timers.schedule(this::poll, nanos, TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException stopping) {
      log.debug("no more rounds for {}: the server stops", group);
    }
  }

  private void poll() {
    synchronized (this) {
      poll = null;
      pollIn(POLL_NANOS);
    }
    ring();
  }
}
