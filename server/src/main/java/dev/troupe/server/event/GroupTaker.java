package dev.troupe.server.event;

import dev.troupe.server.event.GroupTake.Member;
import dev.troupe.v1.GroupDelivery;
import java.util.List;

/**
 * A member of a group as its dispatcher sees it. Thread-safe; it must not call the dispatcher while
 * it holds a lock.
 */
interface GroupTaker {

  Member member();

  /** How many events it could take now: its credits, or 0 while it does not read what it got. */
  int free();

  /** How many are in flight to it. */
  int outstanding();

  /** Sets credits aside for a round, at most the given number. */
  int reserve(int most);

  /** Ends a round: what of the credits set aside was used, and for what. */
  void give(int reserved, List<GroupDelivery> deliveries);

  /** Another stream of the same member has joined. */
  void replaced();

  /** There is nothing to be had any more, such as when the group was deleted. */
  void fail(Throwable failure);
}
