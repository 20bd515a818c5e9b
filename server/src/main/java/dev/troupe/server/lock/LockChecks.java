package dev.troupe.server.lock;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.protobuf.Duration;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.AcquireAllRequest;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.KeepAliveRequest;
import dev.troupe.v1.LeaseRef;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockTarget;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.RenewRequest;
import dev.troupe.v1.SessionBinding;
import dev.troupe.v1.WatchLocksRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The limits of the lock contract, checked at the door. */
final class LockChecks {

  private static final java.time.Duration LEAST_TTL = java.time.Duration.ofSeconds(1);
  private static final java.time.Duration MOST_TTL = java.time.Duration.ofHours(24);
  private static final java.time.Duration MOST_WAIT = java.time.Duration.ofHours(1);
  private static final int MOST_LOCKS = 32;
  private static final int MOST_LEASES = 1000;
  private static final int MOST_PERMITS = 1_000_000;

  private LockChecks() {}

  static void acquire(AcquireRequest request) {
    Checks checks = new Checks().namespace(request.getNamespace()).name("name", request.getName());
    use(checks, "", request.getMode(), request.getPermits(), request.getLimit());
    wish(
        checks,
        request.getOwner(),
        request.hasTtl(),
        request.getTtl(),
        request.hasWait(),
        request.getWait(),
        request.getMetadataMap(),
        request.hasSession(),
        request.getSession());
    checks
        .optionalName("held_lease_id", request.getHeldLeaseId())
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void acquireAll(AcquireAllRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .that(request.getLocksCount() > 0, "locks", "required")
            .atMost("locks", request.getLocksCount(), MOST_LOCKS);
    Set<String> names = new HashSet<>();
    List<LockTarget> locks = request.getLocksList();
    for (int i = 0; i < Math.min(locks.size(), MOST_LOCKS); i++) {
      LockTarget target = locks.get(i);
      String at = "locks[" + i + "].";
      checks.name(at + "name", target.getName());
      checks.that(names.add(target.getName()), at + "name", "there twice");
      use(checks, at, target.getMode(), target.getPermits(), target.getLimit());
    }
    wish(
        checks,
        request.getOwner(),
        request.hasTtl(),
        request.getTtl(),
        request.hasWait(),
        request.getWait(),
        request.getMetadataMap(),
        request.hasSession(),
        request.getSession());
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  private static void use(Checks checks, String at, LockMode mode, int permits, int limit) {
    checks.that(mode != LockMode.UNRECOGNIZED, at + "mode", "unknown");
    if (mode == LockMode.LOCK_MODE_SEMAPHORE) {
      checks.range(at + "limit", limit, 1, MOST_PERMITS);
      checks.range(at + "permits", permits, 0, Math.max(1, Math.min(limit, MOST_PERMITS)));
    } else {
      checks
          .that(limit == 0, at + "limit", "only for a semaphore")
          .that(permits == 0 || permits == 1, at + "permits", "only for a semaphore");
    }
  }

  private static void wish(
      Checks checks,
      String owner,
      boolean hasTtl,
      Duration ttl,
      boolean hasWait,
      Duration wait,
      Map<String, String> metadata,
      boolean hasSession,
      SessionBinding session) {
    checks
        .name("owner", owner)
        .duration("ttl", hasTtl, ttl, LEAST_TTL, MOST_TTL)
        .duration("wait", hasWait, wait, java.time.Duration.ZERO, MOST_WAIT)
        .labels("metadata", metadata, 32);
    if (hasSession) {
      checks
          .name("session.agent_id", session.getAgentId())
          .that(
              session.getFencingToken() > 0, "session.fencing_token", "expected a number above 0");
    }
  }

  static void renew(RenewRequest request) {
    lease(new Checks(), "", request.getName(), request.getLeaseId())
        .namespace(request.getNamespace())
        .duration("ttl", request.hasTtl(), request.getTtl(), LEAST_TTL, MOST_TTL)
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void release(ReleaseLockRequest request) {
    lease(new Checks(), "", request.getName(), request.getLeaseId())
        .namespace(request.getNamespace())
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void keepAlive(KeepAliveRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .that(request.getLeasesCount() > 0, "leases", "required")
            .atMost("leases", request.getLeasesCount(), MOST_LEASES);
    for (int i = 0; i < Math.min(request.getLeasesCount(), MOST_LEASES); i++) {
      LeaseRef one = request.getLeases(i);
      lease(checks, "leases[" + i + "].", one.getName(), one.getLeaseId());
    }
    checks.fence(request.hasFence(), request.getFence()).done();
  }

  @CanIgnoreReturnValue
  private static Checks lease(Checks checks, String at, String name, String leaseId) {
    return checks.name(at + "name", name).name(at + "lease_id", leaseId);
  }

  static void list(ListLocksRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .optionalName("prefix", request.getPrefix())
        .optionalName("owner", request.getOwner())
        .that(
            request.getPrefix().isEmpty() || request.getOwner().isEmpty(),
            "owner",
            "not beside a prefix")
        .range("page_size", request.getPageSize(), 0, 500)
        .done();
  }

  static void force(ForceReleaseRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .name("name", request.getName())
        .optionalName("owner", request.getOwner())
        .name("reason", request.getReason())
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void watch(WatchLocksRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .names("names", request.getNamesList(), 256)
        .optionalName("prefix", request.getPrefix())
        .done();
  }
}
