package dev.troupe.server.lock;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.inject.Inject;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.RandomIds;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.v1.AcquireAllRequest;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockTarget;
import dev.troupe.v1.SessionBinding;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes wishes of requests. What is named after a request id is named the same by every server, so
 * that a repeat finds the wait and the lease of the first call without anything being kept for it.
 */
final class Wishes {

  private static final long TTL_MICROS = 30_000_000;

  private final RandomIds ids = new RandomIds();
  private final String server = ids.next();
  private final AtomicLong calls = new AtomicLong();

  @Inject
  Wishes() {}

  /** The wish of one call; another call that repeats the request gets an equal one. */
  Wish of(AcquireRequest request) {
    String requestId = request.getRequestId();
    LockLease.Builder shape =
        shape(request.getOwner(), request.getTtl(), request.getMetadataMap(), request.getSession());
    return wish(
        requestId,
        // How long a repeat waits is up to it.
        requestId.isEmpty()
            ? ""
            : RequestDigest.of(requestId, request.toBuilder().clearWait().build()),
        request.getFence(),
        request.getWait(),
        request.getSession(),
        request.getHeldLeaseId(),
        shape,
        List.of(
            target(
                shape,
                request.getName(),
                request.getMode(),
                request.getPermits(),
                request.getLimit(),
                requestId)));
  }

  /** The wish of one call, of locks in several partitions. */
  Wish of(AcquireAllRequest request) {
    String requestId = request.getRequestId();
    LockLease.Builder shape =
        shape(request.getOwner(), request.getTtl(), request.getMetadataMap(), request.getSession());
    List<Target> targets = new ArrayList<>(request.getLocksCount());
    for (LockTarget lock : request.getLocksList()) {
      targets.add(
          target(
              shape,
              lock.getName(),
              lock.getMode(),
              lock.getPermits(),
              lock.getLimit(),
              requestId));
    }
    return wish(
        requestId,
        requestId.isEmpty()
            ? ""
            : RequestDigest.of(requestId, request.toBuilder().clearWait().build()),
        request.getFence(),
        request.getWait(),
        request.getSession(),
        "",
        shape,
        List.copyOf(targets));
  }

  private Wish wish(
      String givenId,
      String digest,
      Fence fence,
      Duration wait,
      SessionBinding session,
      String heldLeaseId,
      LockLease.Builder shape,
      List<Target> targets) {
    boolean forget = givenId.isEmpty();
    long waitMicros = Durations.toMicros(wait);
    String waitId = forget ? ids.next() : idOf("wait", givenId, "");
    return new Wish(
        waitId,
        // The store keeps the end of a wait under a request id: ours, when there is no other.
        forget && waitMicros > 0 ? "~" + waitId : givenId,
        forget,
        !forget,
        digest,
        fence,
        shape.getOwner(),
        Durations.toMicros(shape.getTtl()),
        waitMicros,
        server + " " + calls.incrementAndGet(),
        session.getAgentId(),
        session.getFencingToken(),
        heldLeaseId,
        false,
        targets);
  }

  private static LockLease.Builder shape(
      String owner, Duration ttl, Map<String, String> metadata, SessionBinding session) {
    long micros = Durations.toMicros(ttl);
    return LockLease.newBuilder()
        .setOwner(owner)
        .setTtl(Durations.fromMicros(micros == 0 ? TTL_MICROS : micros))
        .putAllMetadata(metadata)
        .setAgentId(session.getAgentId());
  }

  private Target target(
      LockLease.Builder shape,
      String name,
      LockMode givenMode,
      int permits,
      int limit,
      String requestId) {
    LockMode mode = LockCodec.mode(givenMode);
    return new Target(
        shape.setName(name).setMode(mode).setPermits(Math.max(1, permits)).build(),
        requestId.isEmpty() ? ids.next() : idOf("lease", requestId, name),
        mode == LockMode.LOCK_MODE_SEMAPHORE ? limit : 0);
  }

  private static String idOf(String what, String requestId, String name) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest((what + '\0' + requestId + '\0' + name).getBytes(UTF_8));
      return RandomIds.text(Arrays.copyOf(digest, RandomIds.BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
