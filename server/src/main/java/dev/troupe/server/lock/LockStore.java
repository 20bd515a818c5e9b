package dev.troupe.server.lock;

import com.google.inject.Inject;
import dev.troupe.server.lock.LockChangeRequest.Kind;
import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptBatcher;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The locks of all namespaces, in Redis.
 *
 * <p>Each change is one step that also appends to the partition's log: a lease that ends and those
 * granted because of it are never apart. Changes of a partition that arrive together share a
 * script. A lease belongs to whoever knows its id; nothing of it is kept in a server. Thread-safe;
 * never blocks. A refusal is a {@code TroupeException} in the stage.
 */
public final class LockStore {

  /** Most holders and waiters told of one lock. */
  static final int MOST_TOLD = 100;

  private static final int MOST_PER_SCRIPT = 64;
  private static final int MOST_SWEPT = 64;
  private static final Script CHANGE = Script.load("lock/fast");
  private static final Script SWEEP = Script.load("lock/sweep");
  private static final Script KEEP = Script.load("lock/keep");
  private static final Script FORCE = Script.load("lock/force");
  private static final Script REFUSE = Script.load("lock/refuse");
  private static final Script END_SESSION = Script.load("lock/end_session");
  private static final Script SESSION = Script.load("lock/session");
  private static final Script GET = Script.load("lock/get");
  private static final Script LIST = Script.load("lock/list");
  private static final Script BLOCKERS = Script.load("lock/blockers");
  private static final Script HAS_MORE = Script.load("lock/has_more");

  private final ScriptRunner scripts;
  private final Namespaces namespaces;
  private final LockConfig config;
  private final ScriptBatcher<Partition, LockChangeRequest, LockAnswer> batcher;

  @Inject
  LockStore(ScriptRunner scripts, Namespaces namespaces, LockConfig config) {
    this.scripts = scripts;
    this.namespaces = namespaces;
    this.config = config;
    this.batcher = new ScriptBatcher<>(MOST_PER_SCRIPT, this::change, LockChangeRequest::size);
  }

  /** Where a lock lives. */
  public CompletionStage<Partition> locate(String namespace, String name) {
    return namespaces.locate(namespace, name);
  }

  /**
   * Asks for locks: grants them, or puts the wish into their queues, or says how it stands with a
   * wish that is known already. The first time that a wait is told to be granted it is claimed: a
   * grant that nobody claims is over after 5 seconds. What it yields is {@link LockAnswer.Granted},
   * {@link LockAnswer.Waiting} or {@link LockAnswer.Refused}.
   */
  CompletionStage<LockAnswer> acquire(Partition partition, Wish wish) {
    return denied(batcher.add(partition, new LockChangeRequest.Acquire(wish)));
  }

  /**
   * Says that nobody hears the answer to a wish: its place and its grant are kept for 5 seconds for
   * a repeat of the request, or for nobody, if it cannot be repeated. Another call that made the
   * same wish since is not concerned.
   */
  CompletionStage<LockAnswer.Detached> detach(Partition partition, Wish wish) {
    return detach(partition, wish, wish.forget());
  }

  /** The same, with {@code forget} when a repeat is not to find what there was, though it could. */
  CompletionStage<LockAnswer.Detached> detach(Partition partition, Wish wish, boolean forget) {
    return batcher
        .add(partition, new LockChangeRequest.Detach(wish, forget))
        .thenApply(LockAnswer.Detached.class::cast);
  }

  /**
   * Keeps the answer to a set for its repeats, which ask for its first part first. A refusal gives
   * back what the call holds of that part.
   *
   * @param home of the first part
   * @return false when another call took the set over: that one's answer counts
   */
  CompletionStage<Boolean> keep(Partition home, Wish first, LockAnswer answer) {
    List<Object> arguments =
        new ArrayList<>(List.of(first.waitId(), first.requestId(), first.digest(), first.call()));
    arguments.add(answer instanceof LockAnswer.Granted ? 1 : 0);
    arguments.add(LockCodec.response(answer).toByteArray());
    for (Target target : first.targets()) {
      arguments.addAll(List.of(target.leaseId(), target.name()));
    }
    return run(KEEP, home, arguments).thenApply(reply -> reply.number(1) == 1);
  }

  /** Gives a lease back and grants the lock to those who are next. */
  CompletionStage<LockAnswer.Released> release(
      Partition partition, LockChangeRequest.Release release) {
    return denied(batcher.add(partition, release)).thenApply(LockAnswer.Released.class::cast);
  }

  /** Makes a lease last longer, never shorter. */
  CompletionStage<LockAnswer.Renewed> renew(Partition partition, LockChangeRequest.Renew renewal) {
    return denied(batcher.add(partition, renewal)).thenApply(LockAnswer.Renewed.class::cast);
  }

  private static CompletionStage<LockAnswer> denied(CompletionStage<LockAnswer> answer) {
    return answer.thenCompose(
        found ->
            found instanceof LockAnswer.Denied denied
                ? CompletableFuture.failedFuture(denied.why())
                : CompletableFuture.completedFuture(found));
  }

  private CompletionStage<List<LockAnswer>> change(
      Partition partition, List<LockChangeRequest> requests) {
    List<Object> arguments = new ArrayList<>(16 * requests.size());
    arguments.add(config.maxWaiters());
    int[] counts = new int[Kind.values().length];
    requests.forEach(request -> counts[request.kind().ordinal()]++);
    arguments.add(counts[Kind.RELEASE.ordinal()]);
    arguments.add(counts[Kind.ACQUIRE.ordinal()]);
    // By kind; where in the reply the answer to each of the requests is.
    int[] places = new int[requests.size()];
    int place = 2;
    for (Kind kind : Kind.values()) {
      for (int i = 0; i < requests.size(); i++) {
        if (requests.get(i).kind() == kind) {
          requests.get(i).addTo(partition, arguments);
          places[i] = place++;
        }
      }
    }
    return run(CHANGE, partition, arguments)
        .thenApply(
            reply -> {
              List<LockAnswer> answers = new ArrayList<>(requests.size());
              long now = reply.number(1);
              for (int i = 0; i < requests.size(); i++) {
                LockAnswer answer = LockCodec.answer(requests.get(i), reply, places[i], now);
                answers.add(named(partition, requests.get(i).names(), answer));
              }
              return answers;
            });
  }

  private static LockAnswer named(Partition partition, String lock, LockAnswer answer) {
    return answer instanceof LockAnswer.Denied denied
        ? new LockAnswer.Denied(
            denied.why().about("namespace", partition.namespace(), "lock", lock))
        : answer;
  }

  /** Some locks with their first holders and waiters; a free one has none. */
  CompletionStage<List<LockInfo>> get(Partition partition, List<String> names) {
    List<Object> arguments = new ArrayList<>();
    arguments.add(MOST_TOLD);
    arguments.addAll(names);
    return run(GET, partition, arguments)
        .thenApply(
            reply -> {
              List<LockInfo> locks = new ArrayList<>(names.size());
              for (int i = 0; i < names.size(); i++) {
                locks.add(LockCodec.info(names.get(i), reply.nested(i + 1)));
              }
              return locks;
            });
  }

  /**
   * Names of locks in the order of their bytes, from behind one on.
   *
   * @param byOwner whether {@code given} is an owner, who holds or waits for them, or the beginning
   *     of the names
   */
  CompletionStage<NamePage> names(
      Partition partition, boolean byOwner, String given, int most, String after) {
    return run(LIST, partition, List.of(byOwner ? "o" : "n", given, after))
        .thenApply(reply -> NamePage.of(reply, most));
  }

  /** What a forced release ended, and whether there is more of it. */
  record Forced(List<LockLease> leases, boolean more) {}

  /** Takes a lock away from its holders, or from one owner. */
  CompletionStage<Forced> force(
      Partition partition,
      String name,
      String owner,
      String reason,
      Fence fence,
      String requestId,
      String digest) {
    List<Object> arguments = new ArrayList<>(List.of(name, owner, reason, requestId, digest));
    arguments.addAll(List.of(Fences.name(partition, fence), fence.getToken()));
    return run(FORCE, partition, arguments, "lock", name)
        .thenApply(reply -> new Forced(LockCodec.forced(reply), reply.number(1) == 1));
  }

  /** Ends a wait that closed a circle, if it still waits; says whether it did. */
  CompletionStage<Boolean> refuse(Partition partition, String waitId, String circle) {
    return run(REFUSE, partition, List.of(waitId, circle)).thenApply(reply -> reply.number(1) == 1);
  }

  /**
   * Ends leases and waits that are bound to a session, or to an earlier one of the agent, at most
   * 64 of them. From then on the session cannot acquire any more in this partition.
   *
   * @return whether there may be more to end
   */
  CompletionStage<Boolean> endSession(
      Partition partition, String agent, long session, String reason) {
    return run(END_SESSION, partition, List.of(agent, session, reason))
        .thenApply(reply -> reply.number(1) >= MOST_SWEPT);
  }

  /** Fails unless a session is an agent's current one; to be asked where the agent lives. */
  CompletionStage<?> checkSession(Partition home, String agent, long session) {
    return run(SESSION, home, List.of(agent, session), "agent_id", agent);
  }

  /** Whom some owners wait for in this partition. */
  CompletionStage<List<Blocking>> blockers(Partition partition, List<String> owners) {
    return run(BLOCKERS, partition, owners)
        .thenApply(
            reply -> {
              List<Blocking> found = new ArrayList<>();
              for (int at = 1; at < reply.size(); at += 5) {
                found.add(
                    new Blocking(
                        partition,
                        reply.text(at),
                        reply.text(at + 1),
                        reply.number(at + 2),
                        reply.text(at + 3),
                        reply.text(at + 4)));
              }
              return found;
            });
  }

  /** Whether an owner holds a lock or waits for one in this partition. */
  CompletionStage<Boolean> isEntangled(Partition partition, String owner) {
    return run(HAS_MORE, partition, List.of(owner)).thenApply(reply -> reply.number(1) == 1);
  }

  /** Ends what ran out. Any number of servers may do so. */
  CompletionStage<Swept> sweep(Partition partition) {
    return run(SWEEP, partition, List.of())
        .thenApply(reply -> new Swept(reply.number(1) >= MOST_SWEPT, reply.number(2)));
  }

  private CompletionStage<Reply> run(
      Script script, Partition partition, List<? extends Object> arguments, String... about) {
    return scripts
        .run(script, partition, arguments.toArray())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.ok()) {
                throw LockCodec.refusal(reply)
                    .about(about)
                    .about("namespace", partition.namespace());
              }
              return reply;
            });
  }
}
