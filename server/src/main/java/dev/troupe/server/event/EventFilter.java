package dev.troupe.server.event;

import dev.troupe.server.log.LogEntry;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The topics and events that subscriptions ask for, compiled once and shared by all that ask for
 * the same. It looks at an event once, however many of them want to know. Thread-safe.
 */
final class EventFilter {

  /** What the server's own topics begin with. */
  static final String SYSTEM = "troupe.";

  /** What the inboxes of agents begin with. */
  static final String INBOX = "inbox.";

  /** Verdicts that are remembered: readers in step are at most a few pages apart. */
  private static final int VERDICTS = 1024;

  private final List<Object> identity;
  private final NameMatcher userTopics;
  private final NameMatcher systemTopics;
  private final NameMatcher inboxes;
  private final Set<String> onlyTopics;
  private final NameMatcher types;
  private final boolean allTypes;
  private final EventSelector selector;
  private final SharedBatch batches = new SharedBatch();

  /** Serial numbers of entries with one bit more, which says whether the entry passes. */
  private final @Nullable AtomicLongArray verdicts;

  /** No types mean all. */
  EventFilter(String namespace, List<String> topics, List<String> types, EventSelector selector) {
    this.identity = List.of(namespace, new HashSet<>(topics), new HashSet<>(types), selector);
    List<Glob> globs = Glob.all(List.copyOf(new TreeSet<>(topics)));
    this.userTopics = new NameMatcher(globs);
    this.systemTopics = beginningWith(SYSTEM, globs);
    this.inboxes = beginningWith(INBOX, globs);
    boolean everywhere =
        globs.stream().anyMatch(glob -> !glob.isLiteral() || glob.pattern().startsWith(SYSTEM));
    this.onlyTopics = everywhere ? Set.of() : Set.copyOf(topics);
    this.types = new NameMatcher(Glob.all(types));
    this.allTypes = types.isEmpty();
    this.selector = selector;
    this.verdicts = selector.looksInside() ? new AtomicLongArray(VERDICTS) : null;
  }

  private static NameMatcher beginningWith(String prefix, List<Glob> globs) {
    return new NameMatcher(
        globs.stream().filter(glob -> glob.pattern().startsWith(prefix)).toList());
  }

  /**
   * Whether an event is asked for.
   *
   * @param attributes of the event, asked for only when it matters
   */
  boolean matches(LogEntry entry, Supplier<EventAttributes> attributes) {
    if (!isTopic(entry.topic()) || !(allTypes || types.matches(entry.type()))) {
      return false;
    }
    if (verdicts == null) {
      return selector.matches(entry.type(), entry.subject(), attributes);
    }
    int place = (int) (entry.serial() % VERDICTS);
    long known = verdicts.get(place);
    if (known >>> 1 == entry.serial()) {
      return (known & 1) != 0;
    }
    boolean verdict = selector.matches(entry.type(), entry.subject(), attributes);
    verdicts.set(place, entry.serial() << 1 | (verdict ? 1 : 0));
    return verdict;
  }

  private boolean isTopic(String topic) {
    if (topic.startsWith(SYSTEM)) {
      return systemTopics.matches(topic);
    }
    return (topic.startsWith(INBOX) ? inboxes : userTopics).matches(topic);
  }

  /**
   * The topics whose partitions are all that has to be read; empty when it takes all partitions, as
   * a pattern may match any topic and the server's own topics are everywhere.
   */
  Set<String> onlyTopics() {
    return onlyTopics;
  }

  EventSelector selector() {
    return selector;
  }

  /** What was made last for one of those that share this filter. */
  SharedBatch batches() {
    return batches;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof EventFilter that && identity.equals(that.identity);
  }

  @Override
  public int hashCode() {
    return identity.hashCode();
  }
}
