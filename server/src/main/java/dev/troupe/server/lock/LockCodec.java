package dev.troupe.server.lock;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Reply;
import dev.troupe.v1.AcquireAllResponse;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.Refusal;
import dev.troupe.v1.Waiter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads what the scripts of the lock feature reply. */
final class LockCodec {

  /** What the name of a lock's fence begins with. */
  static final String FENCE = "locks/";

  private static final int LEASE_FIELDS = 6;
  private static final int HOLDER_FIELDS = 5;
  private static final int WAITER_FIELDS = 5;

  private static final LockAnswer RELEASED = new LockAnswer.Released(true, 0);

  private LockCodec() {}

  /** An answer of {@code lock/fast}, which ran at a time in microseconds since 1970. */
  static LockAnswer answer(LockChangeRequest request, Reply answers, int index, long nowMicros) {
    if (answers.isList(index)) {
      return answer(request, answers.nested(index));
    }
    if (request instanceof LockChangeRequest.Release) {
      return RELEASED;
    }
    Wish wish = ((LockChangeRequest.Acquire) request).wish();
    Target target = wish.targets().get(0);
    LockLease.Builder known = target.lease().toBuilder().setLeaseId(target.leaseId());
    return new LockAnswer.Granted(
        List.of(lease(known, answers.number(index), nowMicros, nowMicros + wish.ttlMicros(), 1)));
  }

  private static LockAnswer answer(LockChangeRequest request, Reply reply) {
    return switch (reply.code()) {
      case "GRANTED" ->
          new LockAnswer.Granted(
              granted(((LockChangeRequest.Acquire) request).wish().targets(), reply));
      case "WAITING" ->
          new LockAnswer.Waiting(reply.number(1), (int) reply.number(2), reply.number(3) == 1);
      case "HELD" -> refused(Refusal.REFUSAL_HELD, reply);
      case "QUEUED" -> refused(Refusal.REFUSAL_QUEUED, reply);
      case "TIMED_OUT" -> refused(Refusal.REFUSAL_TIMED_OUT, reply);
      case "RELEASED" -> new LockAnswer.Released(reply.number(1) == 1, (int) reply.number(2));
      case "RENEWED" -> new LockAnswer.Renewed(reply.number(1));
      case "GONE" -> new LockAnswer.Detached((int) reply.number(1));
      case "SET" -> new LockAnswer.SetOver(answered(reply.bytes(1)));
      default -> new LockAnswer.Denied(refusal(reply));
    };
  }

  private static LockAnswer refused(Refusal why, Reply reply) {
    return new LockAnswer.Refused(
        why, reply.text(1), reply.text(2), reply.number(3), (int) reply.number(4));
  }

  private static List<LockLease> granted(List<Target> targets, Reply reply) {
    List<LockLease> leases = new ArrayList<>(targets.size());
    int at = 1;
    for (Target target : targets) {
      ByteString stored = reply.bytes(at + 4);
      // Who acquires once more gets the lease that it has.
      LockLease.Builder known =
          stored.isEmpty()
              ? target.lease().toBuilder().setLeaseId(target.leaseId())
              : parse(stored).toBuilder().setLeaseId(reply.text(at + 5));
      leases.add(lease(known, reply, at));
      at += LEASE_FIELDS;
    }
    return leases;
  }

  private static LockLease lease(LockLease.Builder known, Reply reply, int at) {
    return lease(
        known,
        reply.number(at),
        reply.number(at + 1),
        reply.number(at + 2),
        (int) reply.number(at + 3));
  }

  private static LockLease lease(
      LockLease.Builder known, long token, long sinceMicros, long dueMicros, int holds) {
    return known
        .setFencingToken(token)
        .setGrantTime(Timestamps.fromMicros(sinceMicros))
        .setExpireTime(Timestamps.fromMicros(dueMicros))
        .setHolds(holds)
        .setFence(Fence.newBuilder().setName(FENCE + known.getName()).setToken(token))
        .build();
  }

  /** The answer to a set of locks. */
  static AcquireAllResponse response(LockAnswer answer) {
    if (answer instanceof LockAnswer.Granted granted) {
      return AcquireAllResponse.newBuilder().addAllLeases(granted.leases()).build();
    }
    LockAnswer.Refused refused = (LockAnswer.Refused) answer;
    AcquireAllResponse.Builder response =
        AcquireAllResponse.newBuilder()
            .setRefusal(refused.why())
            .setHeldName(refused.name())
            .setHeldBy(refused.owner())
            .setWaitersAhead(refused.ahead());
    if (refused.dueMicros() > 0) {
      response.setHeldUntil(Timestamps.fromMicros(refused.dueMicros()));
    }
    return response.build();
  }

  private static LockAnswer answered(ByteString bytes) {
    try {
      AcquireAllResponse response = AcquireAllResponse.parseFrom(bytes);
      return response.getLeasesCount() > 0
          ? new LockAnswer.Granted(response.getLeasesList())
          : new LockAnswer.Refused(
              response.getRefusal(),
              response.getHeldName(),
              response.getHeldBy(),
              Timestamps.toMicros(response.getHeldUntil()),
              response.getWaitersAhead());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a kept answer cannot be read", e);
    }
  }

  /** One lock of {@code lock/get}. */
  static LockInfo info(String name, Reply reply) {
    LockInfo.Builder info =
        LockInfo.newBuilder()
            .setName(name)
            .setModeValue((int) reply.number(0))
            .setLimit((int) reply.number(1))
            .setHeld((int) reply.number(2))
            .setWaiterCount((int) reply.number(3));
    Reply holders = reply.nested(4);
    for (int at = 0; at < holders.size(); at += HOLDER_FIELDS) {
      info.addHolders(
          lease(parse(holders.bytes(at + 4)).toBuilder(), holders, at).toBuilder().clearFence());
    }
    Reply waiters = reply.nested(5);
    for (int at = 0; at < waiters.size(); at += WAITER_FIELDS) {
      info.addWaiters(
          Waiter.newBuilder()
              .setOwner(waiters.text(at))
              .setModeValue((int) waiters.number(at + 1))
              .setPermits((int) waiters.number(at + 2))
              .setPlace(at / WAITER_FIELDS + 1)
              .setSince(Timestamps.fromMicros(waiters.number(at + 3)))
              .setUntil(Timestamps.fromMicros(waiters.number(at + 4))));
    }
    return info.build();
  }

  /** The leases that {@code lock/force} ended. */
  static List<LockLease> forced(Reply reply) {
    List<LockLease> leases = new ArrayList<>();
    for (int at = 2; at < reply.size(); at += LEASE_FIELDS) {
      leases.add(
          lease(parse(reply.bytes(at + 5)).toBuilder(), reply, at + 1).toBuilder()
              .setModeValue((int) reply.number(at))
              .clearFence()
              .build());
    }
    return leases;
  }

  private static LockLease parse(ByteString bytes) {
    try {
      return LockLease.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored lease cannot be read", e);
    }
  }

  /** Why a script changed nothing. */
  static TroupeException refusal(Reply reply) {
    return switch (reply.code()) {
      case "STALE" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_STALE_LEASE, "the lease ran out or was taken away");
      case "MODE" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_LOCK_MODE,
              "the lock is in use in another way: as a lock, a semaphore, or with another limit",
              Map.of("limit", reply.text(1)));
      case "SESSION" ->
          TroupeException.of(ErrorReason.ERROR_REASON_STALE_SESSION, "the agent's session is over");
      case "FULL" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_LIMIT_EXCEEDED, "too many wait for this lock");
      case "DEADLOCK" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_DEADLOCK,
              "owners wait for each other in a circle; the metadata has it",
              Map.of("circle", reply.text(1)));
      case "STALE_FENCE" -> TroupeException.staleFence(reply.number(1));
      case "REUSED" -> TroupeException.requestIdReused();
      default -> throw new IllegalStateException("unknown reply " + reply.code());
    };
  }

  /** How a lock is held when nothing else is said. */
  static LockMode mode(LockMode given) {
    return given == LockMode.LOCK_MODE_UNSPECIFIED ? LockMode.LOCK_MODE_EXCLUSIVE : given;
  }
}
