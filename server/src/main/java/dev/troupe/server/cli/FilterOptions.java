package dev.troupe.server.cli;

import dev.troupe.v1.EventFilter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which events are meant; those that pass all that is given. */
final class FilterOptions {

  @Option(names = "--type", paramLabel = "PATTERN", description = "Event types; repeatable.")
  @Nullable List<String> types;

  @Option(names = "--subject", defaultValue = "", description = "What the subject begins with.")
  String subject = "";

  @Option(names = "--attribute", description = "KEY=VALUE; repeatable.")
  @Nullable Map<String, String> attributes;

  @Option(names = "--where", defaultValue = "", description = "An expression in CloudEvents SQL.")
  String expression = "";

  EventFilter filter() {
    return EventFilter.newBuilder()
        .addAllTypes(Given.list(types))
        .setSubjectPrefix(subject)
        .putAllAttributes(Given.map(attributes))
        .setCesql(expression)
        .build();
  }
}
