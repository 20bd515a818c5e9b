package dev.troupe.server.event;

import com.google.protobuf.ByteString;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupSettings;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A round of deliveries that is asked for.
 *
 * @param settingsVersion of the settings that are known here; 0 for none
 * @param members those that are heard of, at most some hundred
 * @param slots whom each delivery goes to, by the members' indexes, at most 64
 * @param requestId under which the answer is kept; empty for none
 * @param evaluated what the last round showed, looked at since; null for nothing
 */
record GroupTake(
    long settingsVersion,
    List<Member> members,
    List<Integer> slots,
    String requestId,
    String digest,
    @Nullable Evaluated evaluated) {

  /**
   * A member of the group.
   *
   * @param session of its stream; 0 for a call
   */
  record Member(String id, long session) {}

  /**
   * An event that the group has not yet looked at, and that it may want.
   *
   * @param id in the topic's stream
   * @param position in the topic
   * @param logPosition in the partition's log
   * @param event encoded
   */
  record Candidate(String id, long position, long logPosition, String key, ByteString event) {}

  /** What the store shows of a group with a filter, for the filter to be evaluated. */
  record Candidates(String follows, List<Candidate> list) {}

  /**
   * Candidates and whether the group wants them, under a version of its settings.
   *
   * @param wanted of each candidate
   */
  record Evaluated(long version, Candidates candidates, List<Boolean> wanted) {}

  /** A delivery and whom it is for. */
  record Given(int member, GroupDelivery delivery) {}

  /**
   * What came of it.
   *
   * @param settings the group's, when they are others than those known here
   * @param more whether there may be more at once
   * @param dueInMicros when there will be something at the latest; negative when that is not known
   * @param lag how many events the group has not yet looked at; negative when not told
   * @param replaced members whose stream is no longer the newest of that member
   */
  record Taken(
      long version,
      @Nullable GroupSettings settings,
      boolean more,
      long dueInMicros,
      long lag,
      Set<Integer> replaced,
      List<Given> given,
      @Nullable Candidates candidates) {}
}
