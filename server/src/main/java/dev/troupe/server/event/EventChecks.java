package dev.troupe.server.event;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Event;
import dev.troupe.v1.PublishRequest;

/** What the contract demands of the requests of the event service. */
final class EventChecks {

  private static final int URI_BYTES = 1024;
  private static final int ATTRIBUTES = 32;
  private static final int ATTRIBUTE_KEY_BYTES = 64;

  private EventChecks() {}

  /** Refuses a malformed event with all violations, and one whose data is too large. */
  static void publish(PublishRequest request, long maxData) {
    Checks checks =
        new Checks().namespace(request.getNamespace()).name("topic", request.getTopic());
    checks.that(
        !request.getTopic().startsWith(EventFilter.SYSTEM),
        "topic",
        "\"troupe.\" is reserved for the server's own topics");
    checks.that(request.getTopic().indexOf('*') < 0, "topic", "'*' is for patterns");
    if (request.hasEvent()) {
      event(checks, request.getEvent());
    } else {
      checks.violation("event", "required");
    }
    Event event = request.getEvent();
    checks.bytes(
        "event.data",
        event.hasTextData() ? event.getTextDataBytes().size() : event.getBinaryData().size(),
        maxData);
    checks.fence(request.hasFence(), request.getFence()).done();
  }

  private static void event(Checks checks, Event event) {
    checks
        .optionalName("event.id", event.getId())
        .optionalName("event.source", event.getSource())
        .name("event.type", event.getType())
        .text("event.subject", event.getSubject(), URI_BYTES)
        .optionalName("event.datacontenttype", event.getDatacontenttype())
        .text("event.dataschema", event.getDataschema(), URI_BYTES)
        .optionalName("event.correlation_id", event.getCorrelationId())
        .optionalName("event.causation_id", event.getCausationId())
        .optionalName("event.actor", event.getActor())
        .that(
            !event.hasTime() || Timestamps.isValid(event.getTime()),
            "event.time",
            "not a valid timestamp")
        .that(!event.hasTask(), "event.task", "only in the server's own events")
        .that(!event.hasAgent(), "event.agent", "only in the server's own events")
        .labels("event.attributes", event.getAttributesMap(), ATTRIBUTES);
    if (event.getAttributesCount() <= ATTRIBUTES) {
      event
          .getAttributesMap()
          .keySet()
          .forEach(key -> checks.text("event.attributes key", key, ATTRIBUTE_KEY_BYTES));
    }
  }
}
