package dev.troupe.server.lock;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockChange;
import dev.troupe.v1.LockMode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Collectors;

/** One change of locks, as the script {@code lock/fast} takes it. */
sealed interface LockChangeRequest {

  /** A refusal stands in trailers, of which clients take 8 KiB. */
  int MOST_NAMED = 3;

  /** In which part of the script's arguments it stands. */
  enum Kind {
    /** A release that is simple unless the lock turns out not to be. */
    RELEASE,
    /** An acquire that is simple if the lock is free. */
    ACQUIRE,
    /** All others. */
    OTHER
  }

  /** Where it belongs. Those of one script are concurrent, so that their order is free. */
  Kind kind();

  /** Appends it to the arguments of a script. */
  void addTo(Partition partition, List<Object> arguments);

  /** About how many bytes it takes. */
  int size();

  /** The locks that it is about, the first {@value #MOST_NAMED} of them. */
  String names();

  /** What only some changes have: each part followed by a zero byte, nothing when there is none. */
  private static String more(
      Partition partition, String requestId, String digest, Fence fence, String... others) {
    if (requestId.isEmpty() && fence.getName().isEmpty() && String.join("", others).isEmpty()) {
      return "";
    }
    StringBuilder more =
        new StringBuilder()
            .append(requestId)
            .append('\0')
            .append(digest)
            .append('\0')
            .append(Fences.name(partition, fence))
            .append('\0')
            .append(fence.getToken())
            .append('\0');
    for (String part : others) {
      more.append(part).append('\0');
    }
    return more.toString();
  }

  private static String named(Wish wish) {
    return wish.targets().stream()
        .limit(MOST_NAMED)
        .map(Target::name)
        .collect(Collectors.joining(", "));
  }

  /** Asks for locks, or how the asking stands. */
  record Acquire(Wish wish) implements LockChangeRequest {

    @Override
    public Kind kind() {
      return wish.targets().size() == 1
              && wish.targets().get(0).lease().getMode() == LockMode.LOCK_MODE_EXCLUSIVE
              && wish.waitMicros() >= 0
              && wish.agent().isEmpty()
              && wish.heldLeaseId().isEmpty()
              && !wish.part()
              && wish.fence().getName().isEmpty()
          ? Kind.ACQUIRE
          : Kind.OTHER;
    }

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      if (kind() == Kind.ACQUIRE) {
        addSimple(arguments);
      } else {
        addOther(partition, arguments);
      }
    }

    private void addSimple(List<Object> arguments) {
      Target target = wish.targets().get(0);
      arguments.add(target.name());
      arguments.add(target.leaseId());
      arguments.add(rest(target));
      arguments.add(change(target));
      arguments.add(
          (wish.known() ? "1" : "0")
              + wish.waitMicros()
              + '\0'
              + wish.waitId()
              + '\0'
              + wish.requestId()
              + '\0');
    }

    /** What is kept of a lease besides what the script knows, as {@code lock/thin} says. */
    private byte[] rest(Target target) {
      byte[] indexed =
          ("h:" + wish.owner() + '\0' + target.name() + '\0' + target.leaseId()).getBytes(UTF_8);
      byte[] call = wish.call().getBytes(UTF_8);
      byte[] digest = wish.digest().getBytes(UTF_8);
      byte[] lease = target.lease().toByteArray();
      return ByteBuffer.allocate(14 + indexed.length + call.length + digest.length + lease.length)
          .putDouble(wish.ttlMicros())
          .putShort((short) indexed.length)
          .put(indexed)
          .putShort((short) call.length)
          .put(call)
          .putShort((short) digest.length)
          .put(digest)
          .put(lease)
          .array();
    }

    private byte[] change(Target target) {
      return LockChange.newBuilder()
          .setName(target.name())
          .setOwner(wish.owner())
          .setMode(target.lease().getMode())
          .setPermits(target.lease().getPermits())
          .build()
          .toByteArray();
    }

    private void addOther(Partition partition, List<Object> arguments) {
      int count = wish.targets().size();
      arguments.add(count == 1 ? "A" : "M");
      arguments.add(wish.owner());
      arguments.add(wish.ttlMicros());
      arguments.add(wish.waitMicros());
      arguments.add(wish.call());
      arguments.add(wish.waitId());
      arguments.add(wish.requestId());
      arguments.add(
          more(
              partition,
              // Nothing is kept under the id of a wish that is new and cannot come again.
              wish.known() ? wish.requestId() : "",
              wish.digest(),
              wish.fence(),
              wish.agent(),
              wish.session() == 0 ? "" : Long.toString(wish.session()),
              wish.heldLeaseId(),
              wish.part() ? "1" : ""));
      if (count > 1) {
        arguments.add(count);
      }
      for (Target target : wish.targets()) {
        arguments.add(target.name());
        arguments.add(target.lease().getModeValue());
        arguments.add(target.lease().getPermits());
        arguments.add(target.limit());
        arguments.add(target.leaseId());
        // Without its id: who reads of a lock must not learn how to release it.
        arguments.add(target.lease().toByteArray());
        arguments.add(change(target));
      }
    }

    @Override
    public int size() {
      int size = 256;
      for (Target target : wish.targets()) {
        size += target.lease().getSerializedSize() + 512;
      }
      return size;
    }

    @Override
    public String names() {
      return named(wish);
    }
  }

  /** Gives a lease back. */
  record Release(String name, String leaseId, String requestId, String digest, Fence fence)
      implements LockChangeRequest {

    @Override
    public Kind kind() {
      return fence.getName().isEmpty() ? Kind.RELEASE : Kind.OTHER;
    }

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      if (kind() == Kind.RELEASE) {
        arguments.add(name);
        arguments.add(leaseId);
        arguments.add(requestId.isEmpty() ? "" : requestId + '\0' + digest + '\0');
        return;
      }
      arguments.add("R");
      arguments.add(leaseId);
      arguments.add(name);
      arguments.add(more(partition, requestId, digest, fence));
    }

    @Override
    public int size() {
      return 128 + name.length();
    }

    @Override
    public String names() {
      return name;
    }
  }

  /**
   * Makes a lease last longer.
   *
   * @param ttlMicros from now; 0 for the lease's own
   */
  record Renew(
      String name, String leaseId, long ttlMicros, String requestId, String digest, Fence fence)
      implements LockChangeRequest {

    @Override
    public Kind kind() {
      return Kind.OTHER;
    }

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      arguments.add("N");
      arguments.add(leaseId);
      arguments.add(name);
      arguments.add(ttlMicros);
      arguments.add(more(partition, requestId, digest, fence));
    }

    @Override
    public int size() {
      return 128 + name.length();
    }

    @Override
    public String names() {
      return name;
    }
  }

  /** Says that nobody hears the answer to a wish any more. */
  record Detach(Wish wish, boolean forget) implements LockChangeRequest {

    @Override
    public Kind kind() {
      return Kind.OTHER;
    }

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      arguments.addAll(List.of("D", wish.waitId(), wish.requestId(), wish.call()));
      arguments.addAll(List.of(forget ? 1 : 0, wish.targets().size()));
      for (Target target : wish.targets()) {
        arguments.addAll(List.of(target.leaseId(), target.name()));
      }
    }

    @Override
    public int size() {
      return 128 + 64 * wish.targets().size();
    }

    @Override
    public String names() {
      return named(wish);
    }
  }
}
