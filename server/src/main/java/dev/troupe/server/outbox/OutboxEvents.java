package dev.troupe.server.outbox;

import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Event;
import dev.troupe.v1.OutboxEvent;
import java.util.List;
import java.util.UUID;

/** The events that come with a request: what is demanded of them, and what becomes of them. */
public final class OutboxEvents {

  private static final int MOST = 16;
  private static final int MOST_BYTES = 256 << 10;
  private static final int SUBJECT_BYTES = 1024;
  private static final int ATTRIBUTES = 32;
  private static final int ATTRIBUTE_KEY_BYTES = 64;

  private OutboxEvents() {}

  /** Adds what is wrong with events; {@code field} is their path in the request. */
  public static void check(Checks checks, String field, List<OutboxEvent> events) {
    checks.atMost(field, events.size(), MOST);
    long bytes = 0;
    for (int i = 0; i < Math.min(events.size(), MOST); i++) {
      OutboxEvent event = events.get(i);
      bytes += event.getSerializedSize();
      check(checks, field + "[" + i + "].", event);
    }
    checks.bytes(field, bytes, MOST_BYTES);
  }

  private static void check(Checks checks, String at, OutboxEvent event) {
    checks
        .name(at + "topic", event.getTopic())
        .that(
            !event.getTopic().startsWith("troupe."),
            at + "topic",
            "\"troupe.\" is reserved for the server's own topics")
        .that(event.getTopic().indexOf('*') < 0, at + "topic", "'*' is for patterns")
        .optionalName(at + "id", event.getId())
        .optionalName(at + "source", event.getSource())
        .name(at + "type", event.getType())
        .text(at + "subject", event.getSubject(), SUBJECT_BYTES)
        .optionalName(at + "datacontenttype", event.getDatacontenttype())
        .optionalName(at + "correlation_id", event.getCorrelationId())
        .optionalName(at + "actor", event.getActor())
        .optionalName(at + "key", event.getKey())
        .labels(at + "attributes", event.getAttributesMap(), ATTRIBUTES);
    if (event.getAttributesCount() <= ATTRIBUTES) {
      event
          .getAttributesMap()
          .keySet()
          .forEach(key -> checks.text(at + "attributes key", key, ATTRIBUTE_KEY_BYTES));
    }
  }

  /**
   * The event that is published, complete but for its time and, when none was given, its actor.
   *
   * @param source who it comes from unless it says so itself
   * @param correlationId what ties it together unless it says so itself
   */
  public static Event event(OutboxEvent given, String source, String correlationId) {
    Event.Builder event =
        Event.newBuilder()
            .setId(given.getId().isEmpty() ? UUID.randomUUID().toString() : given.getId())
            .setSource(given.getSource().isEmpty() ? source : given.getSource())
            .setType(given.getType())
            .setSubject(given.getSubject())
            .setDatacontenttype(given.getDatacontenttype())
            .setCorrelationId(
                given.getCorrelationId().isEmpty() ? correlationId : given.getCorrelationId())
            .setActor(given.getActor())
            .putAllAttributes(given.getAttributesMap())
            .setKey(given.getKey());
    switch (given.getDataCase()) {
      case BINARY_DATA -> event.setBinaryData(given.getBinaryData());
      case TEXT_DATA -> event.setTextData(given.getTextData());
      case DATA_NOT_SET -> {
        // None is an event too.
      }
    }
    return event.build();
  }
}
