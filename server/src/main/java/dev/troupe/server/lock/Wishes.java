package dev.troupe.server.lock;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.v1.AcquireAllRequest;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockTarget;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes wishes of requests. What is named after a request id is named the same by every server, so
 * that a repeat finds the wait and the lease of the first call without anything being kept for it.
 */
final class Wishes {

  private static final long TTL_MICROS = 30_000_000;
  private static final int ID_BYTES = 16;
  private static final Base64.Encoder TEXT = Base64.getUrlEncoder().withoutPadding();

  private final SecureRandom random = new SecureRandom();
  private final String server = randomId();
  private final AtomicLong calls = new AtomicLong();

  @Inject
  Wishes() {}

  /** The wish of one call; another call that repeats the request gets an equal one. */
  Wish of(AcquireRequest request) {
    return of(
        AcquireAllRequest.newBuilder()
            .setOwner(request.getOwner())
            .setTtl(request.getTtl())
            .setWait(request.getWait())
            .putAllMetadata(request.getMetadataMap())
            .setSession(request.getSession())
            .setRequestId(request.getRequestId())
            .setFence(request.getFence())
            .addLocks(
                LockTarget.newBuilder()
                    .setName(request.getName())
                    .setMode(request.getMode())
                    .setPermits(request.getPermits())
                    .setLimit(request.getLimit()))
            .build(),
        request.getHeldLeaseId(),
        // How long a repeat waits is up to it.
        RequestDigest.of(request.getRequestId(), withoutWait(request)));
  }

  /** The wish of one call, of locks in several partitions. */
  Wish of(AcquireAllRequest request) {
    return of(
        request,
        "",
        RequestDigest.of(
            request.getRequestId(),
            request.getRequestId().isEmpty() ? request : request.toBuilder().clearWait().build()));
  }

  private static AcquireRequest withoutWait(AcquireRequest request) {
    return request.getRequestId().isEmpty() ? request : request.toBuilder().clearWait().build();
  }

  private Wish of(AcquireAllRequest request, String heldLeaseId, String digest) {
    boolean forget = request.getRequestId().isEmpty();
    long wait = Durations.toMicros(request.getWait());
    String waitId = forget ? randomId() : idOf("wait", request.getRequestId(), "");
    // The store keeps the end of a wait under a request id: ours, when there is no other.
    String requestId = forget && wait > 0 ? "~" + waitId : request.getRequestId();
    long ttl = Durations.toMicros(request.getTtl());
    long ttlMicros = ttl == 0 ? TTL_MICROS : ttl;
    LockLease shape =
        LockLease.newBuilder()
            .setOwner(request.getOwner())
            .setTtl(Durations.fromMicros(ttlMicros))
            .putAllMetadata(request.getMetadataMap())
            .setAgentId(request.getSession().getAgentId())
            .build();
    List<Target> targets =
        request.getLocksList().stream()
            .map(lock -> target(lock, shape, request.getRequestId()))
            .toList();
    return new Wish(
        waitId,
        requestId,
        forget,
        !forget,
        digest,
        request.getFence(),
        request.getOwner(),
        ttlMicros,
        wait,
        server + " " + calls.incrementAndGet(),
        request.getSession().getAgentId(),
        request.getSession().getFencingToken(),
        heldLeaseId,
        false,
        targets);
  }

  private Target target(LockTarget lock, LockLease shape, String requestId) {
    LockMode mode = LockCodec.mode(lock.getMode());
    return new Target(
        shape.toBuilder()
            .setName(lock.getName())
            .setMode(mode)
            .setPermits(Math.max(1, lock.getPermits()))
            .build(),
        requestId.isEmpty() ? randomId() : idOf("lease", requestId, lock.getName()),
        mode == LockMode.LOCK_MODE_SEMAPHORE ? lock.getLimit() : 0);
  }

  private String randomId() {
    byte[] bytes = new byte[ID_BYTES];
    random.nextBytes(bytes);
    return TEXT.encodeToString(bytes);
  }

  private static String idOf(String what, String requestId, String name) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest((what + '\0' + requestId + '\0' + name).getBytes(UTF_8));
      return TEXT.encodeToString(Arrays.copyOf(digest, ID_BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
