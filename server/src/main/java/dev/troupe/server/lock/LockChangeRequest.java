package dev.troupe.server.lock;

import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockChange;
import java.util.List;

/** One change of locks, as the script {@code lock/change} takes it. */
sealed interface LockChangeRequest {

  /** Appends it to the arguments of a script. */
  void addTo(Partition partition, List<Object> arguments);

  /** About how many bytes it takes. */
  int size();

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

  /** Asks for locks, or how the asking stands. */
  record Acquire(Wish wish) implements LockChangeRequest {

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
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
        arguments.add(
            LockChange.newBuilder()
                .setName(target.name())
                .setOwner(wish.owner())
                .setMode(target.lease().getMode())
                .setPermits(target.lease().getPermits())
                .build()
                .toByteArray());
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
  }

  /** Gives a lease back. */
  record Release(String name, String leaseId, String requestId, String digest, Fence fence)
      implements LockChangeRequest {

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      arguments.add("R");
      arguments.add(leaseId);
      arguments.add(name);
      arguments.add(more(partition, requestId, digest, fence));
    }

    @Override
    public int size() {
      return 128 + name.length();
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
  }

  /** Says that nobody hears the answer to a wish any more. */
  record Detach(Wish wish, boolean forget) implements LockChangeRequest {

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
  }
}
