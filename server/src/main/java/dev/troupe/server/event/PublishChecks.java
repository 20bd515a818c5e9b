package dev.troupe.server.event;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishStreamRequest;

/** What the contract demands of events that are published. */
final class PublishChecks {

  /** Most events of one batch. */
  static final int MOST_OF_BATCH = 256;

  private static final int URI_BYTES = 1024;
  private static final int ATTRIBUTES = 32;
  private static final int ATTRIBUTE_KEY_BYTES = 64;

  private PublishChecks() {}

  /** Refuses a malformed event with all violations, and one whose data is too large. */
  static void publish(PublishRequest request, long maxData) {
    Checks checks = new Checks().namespace(request.getNamespace());
    topic(checks, "topic", request.getTopic());
    event(checks, "event", request.hasEvent(), request.getEvent(), maxData);
    checks.fence(request.hasFence(), request.getFence()).done();
  }

  /** Refuses what is wrong with a batch as a whole; its events are judged one by one. */
  static void batch(PublishBatchRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .fence(request.hasFence(), request.getFence())
        .range("events", request.getEventsCount(), 1, MOST_OF_BATCH)
        .done();
  }

  /** What is wrong with one event of a batch. */
  static Checks item(int index, EventToPublish item, long maxData) {
    return item(new Checks(), "events[" + index + "].", item, maxData);
  }

  /** Refuses a malformed message of a stream with all violations. */
  static void stream(PublishStreamRequest request, long maxData) {
    Checks checks = new Checks().namespace(request.getNamespace());
    if (request.hasEvent()) {
      item(checks, "event.", request.getEvent(), maxData);
    } else {
      checks.violation("event", "required");
    }
    checks.fence(request.hasFence(), request.getFence()).done();
  }

  private static Checks item(Checks checks, String at, EventToPublish item, long maxData) {
    topic(checks, at + "topic", item.getTopic());
    event(checks, at + "event", item.hasEvent(), item.getEvent(), maxData);
    return checks;
  }

  /** A topic that callers may write to. */
  static void topic(Checks checks, String field, String topic) {
    checks
        .name(field, topic)
        .that(
            !topic.startsWith(EventFilter.SYSTEM),
            field,
            "\"troupe.\" is reserved for the server's own topics")
        .that(topic.indexOf('*') < 0, field, "'*' is for patterns");
  }

  /** An event that is to be published, at a place in the request. */
  static void event(Checks checks, String at, boolean given, Event event, long maxData) {
    if (!given) {
      checks.violation(at, "required");
      return;
    }
    String in = at + ".";
    checks
        .optionalName(in + "id", event.getId())
        .optionalName(in + "source", event.getSource())
        .name(in + "type", event.getType())
        .text(in + "subject", event.getSubject(), URI_BYTES)
        .optionalName(in + "datacontenttype", event.getDatacontenttype())
        .text(in + "dataschema", event.getDataschema(), URI_BYTES)
        .optionalName(in + "correlation_id", event.getCorrelationId())
        .optionalName(in + "causation_id", event.getCausationId())
        .optionalName(in + "actor", event.getActor())
        .optionalName(in + "key", event.getKey())
        .optionalName(in + "reply_to", event.getReplyTo())
        .that(
            !event.hasTime() || Timestamps.isValid(event.getTime()),
            in + "time",
            "not a valid timestamp")
        .that(
            !event.hasReplyDeadline() || Timestamps.isValid(event.getReplyDeadline()),
            in + "reply_deadline",
            "not a valid timestamp");
    switch (event.getDataCase()) {
      case BINARY_DATA -> checks.bytes(in + "data", event.getBinaryData().size(), maxData);
      case TEXT_DATA -> checks.bytes(in + "data", event.getTextDataBytes().size(), maxData);
      case TASK -> serversOwn(checks, in + "task");
      case AGENT -> serversOwn(checks, in + "agent");
      case LOCK -> serversOwn(checks, in + "lock");
      case MEMORY -> serversOwn(checks, in + "memory");
      case TOPIC_CHANGE -> serversOwn(checks, in + "topic_change");
      case SYSTEM_ALERT -> serversOwn(checks, in + "system_alert");
      case DEAD_LETTER -> serversOwn(checks, in + "dead_letter");
      case DATA_NOT_SET -> {
        // None is an event too.
      }
    }
    checks.labels(in + "attributes", event.getAttributesMap(), ATTRIBUTES);
    if (event.getAttributesCount() <= ATTRIBUTES) {
      event
          .getAttributesMap()
          .keySet()
          .forEach(key -> checks.text(in + "attributes key", key, ATTRIBUTE_KEY_BYTES));
    }
  }

  private static void serversOwn(Checks checks, String field) {
    checks.violation(field, "only in the server's own events");
  }
}
