package dev.troupe.server.lock;

import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Fence;
import java.util.List;

/** One change of locks, as the script {@code lock/change} takes it. */
sealed interface LockChangeRequest {

  /** Appends it to the arguments of a script. */
  void addTo(Partition partition, List<Object> arguments);

  /** About how many bytes it takes. */
  int size();

  /** Asks for locks, or how the asking stands. */
  record Acquire(Wish wish, int maxWaiters) implements LockChangeRequest {

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      // Nothing is kept under the id of a wish that is new and cannot come again.
      arguments.addAll(List.of("A", wish.waitId(), wish.known() ? wish.requestId() : ""));
      arguments.addAll(List.of(wish.requestId(), wish.digest()));
      arguments.addAll(List.of(Fences.name(partition, wish.fence()), wish.fence().getToken()));
      arguments.addAll(List.of(wish.owner(), wish.ttlMicros(), wish.waitMicros(), wish.call()));
      arguments.addAll(List.of(wish.agent(), wish.session(), wish.reentrant() ? 1 : 0));
      arguments.addAll(List.of(maxWaiters, wish.targets().size()));
      for (Target target : wish.targets()) {
        arguments.addAll(
            List.of(
                target.name(),
                target.lease().getModeValue(),
                target.lease().getPermits(),
                target.limit(),
                target.lease().getLeaseId(),
                // Who reads of a lock must not learn how to release it.
                target.lease().toBuilder().clearLeaseId().build().toByteArray()));
      }
    }

    @Override
    public int size() {
      int size = 256;
      for (Target target : wish.targets()) {
        size += target.lease().getSerializedSize() + 64;
      }
      return size;
    }
  }

  /** Gives a lease back. */
  record Release(String name, String leaseId, String requestId, String digest, Fence fence)
      implements LockChangeRequest {

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      arguments.addAll(List.of("R", leaseId, name, requestId, digest));
      arguments.addAll(List.of(Fences.name(partition, fence), fence.getToken()));
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
      arguments.addAll(List.of("N", leaseId, name, ttlMicros, requestId, digest));
      arguments.addAll(List.of(Fences.name(partition, fence), fence.getToken()));
    }

    @Override
    public int size() {
      return 128 + name.length();
    }
  }

  /** Says that nobody hears the answer to a wish any more. */
  record Detach(Wish wish) implements LockChangeRequest {

    @Override
    public void addTo(Partition partition, List<Object> arguments) {
      arguments.addAll(List.of("D", wish.waitId(), wish.requestId(), wish.call()));
      arguments.addAll(List.of(wish.forget() ? 1 : 0, wish.targets().size()));
      for (Target target : wish.targets()) {
        arguments.addAll(List.of(target.lease().getLeaseId(), target.name()));
      }
    }

    @Override
    public int size() {
      return 128 + 64 * wish.targets().size();
    }
  }
}
