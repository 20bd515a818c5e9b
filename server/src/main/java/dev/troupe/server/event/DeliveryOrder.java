package dev.troupe.server.event;

import dev.troupe.v1.DeliveryPolicy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Which member each of the next deliveries goes to. For one thread at a time. */
final class DeliveryOrder {

  private int turn;

  /** What a member can take, and what it has. */
  record Capacity(int free, int outstanding) {}

  /** The members' indexes in the order of the deliveries, at most so many. */
  List<Integer> next(DeliveryPolicy policy, List<Capacity> members, int most) {
    return policy == DeliveryPolicy.DELIVERY_POLICY_ROUND_ROBIN
        ? oneAfterTheOther(members, most)
        : leastFirst(members, most);
  }

  private List<Integer> oneAfterTheOther(List<Capacity> members, int most) {
    List<Integer> order = new ArrayList<>();
    int[] left = members.stream().mapToInt(Capacity::free).toArray();
    int passed = 0;
    while (!members.isEmpty() && order.size() < most && passed < members.size()) {
      int index = Math.floorMod(turn++, members.size());
      if (left[index] > 0) {
        left[index]--;
        order.add(index);
        passed = 0;
      } else {
        passed++;
      }
    }
    return order;
  }

  private static List<Integer> leastFirst(List<Capacity> members, int most) {
    List<Integer> order = new ArrayList<>();
    int[] assigned = new int[members.size()];
    PriorityQueue<Integer> line =
        new PriorityQueue<>(
            Comparator.<Integer>comparingInt(i -> members.get(i).outstanding() + assigned[i])
                .thenComparingInt(i -> i));
    for (int i = 0; i < members.size(); i++) {
      if (members.get(i).free() > 0) {
        line.add(i);
      }
    }
    while (order.size() < most && !line.isEmpty()) {
      int index = line.remove();
      order.add(index);
      if (++assigned[index] < members.get(index).free()) {
        line.add(index);
      }
    }
    return order;
  }

  /** After a round, whose turn it is depends on how many it delivered. */
  void unused(DeliveryPolicy policy, int count) {
    if (policy == DeliveryPolicy.DELIVERY_POLICY_ROUND_ROBIN) {
      turn -= count;
    }
  }
}
