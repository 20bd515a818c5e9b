package dev.troupe.server.event;

import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Event;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Which events a group wants. */
final class GroupFilter implements Predicate<Event> {

  private final dev.troupe.v1.EventFilter filter;
  private final List<Glob> types;

  GroupFilter(dev.troupe.v1.EventFilter filter) {
    this.filter = filter;
    this.types = Glob.all(filter.getTypesList());
  }

  static void check(Checks checks, dev.troupe.v1.EventFilter filter) {
    checks
        .names("settings.filter.types", filter.getTypesList(), 64)
        .text("settings.filter.subject_prefix", filter.getSubjectPrefix(), 1024)
        .labels("settings.filter.attributes", filter.getAttributesMap(), 16);
  }

  @Override
  public boolean test(Event event) {
    return (types.isEmpty() || types.stream().anyMatch(glob -> glob.matches(event.getType())))
        && event.getSubject().startsWith(filter.getSubjectPrefix())
        && filter.getAttributesMap().entrySet().stream().allMatch(one -> has(event, one));
  }

  private static boolean has(Event event, Map.Entry<String, String> wanted) {
    return wanted.getValue().equals(event.getAttributesMap().get(wanted.getKey()));
  }
}
