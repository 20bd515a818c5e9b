package dev.troupe.server.event;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Event;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import java.util.Locale;

/** What the contract demands of the requests of the event service. */
final class EventChecks {

  private static final int URI_BYTES = 1024;
  private static final int ATTRIBUTES = 32;
  private static final int ATTRIBUTE_KEY_BYTES = 64;
  private static final int PATTERNS = 64;

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
      event(checks, "event", request.getEvent(), maxData);
    } else {
      checks.violation("event", "required");
    }
    checks.fence(request.hasFence(), request.getFence()).done();
  }

  /** Looks at an event that is to be published. */
  static void event(Checks checks, String field, Event event, long maxData) {
    String in = field + ".";
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
            "not a valid timestamp")
        .labels(in + "attributes", event.getAttributesMap(), ATTRIBUTES)
        .bytes(
            in + "data",
            event.hasTextData() ? event.getTextDataBytes().size() : event.getBinaryData().size(),
            maxData);
    switch (event.getDataCase()) {
      case TASK, AGENT, LOCK, TOPIC_CHANGE, DEAD_LETTER ->
          checks.violation(
              in + event.getDataCase().name().toLowerCase(Locale.ROOT),
              "only in the server's own events");
      default -> {}
    }
    if (event.getAttributesCount() <= ATTRIBUTES) {
      event
          .getAttributesMap()
          .keySet()
          .forEach(key -> checks.text(in + "attributes key", key, ATTRIBUTE_KEY_BYTES));
    }
  }

  /** Refuses a malformed subscription with all violations. */
  static void subscribe(SubscribeRequest request) {
    Checks checks = new Checks().namespace(request.getNamespace());
    checks.that(request.getTopicsCount() > 0, "topics", "required");
    checks.names("topics", request.getTopicsList(), PATTERNS);
    checks.names("types", request.getTypesList(), PATTERNS);
    checks.that(
        request.getStart() != StartPosition.UNRECOGNIZED, "start", "not a value of this enum");
    checks.that(
        !request.hasStartTime() || Timestamps.isValid(request.getStartTime()),
        "start_time",
        "not a valid timestamp");
    int starts = request.getStart() == StartPosition.START_POSITION_UNSPECIFIED ? 0 : 1;
    starts += request.hasStartTime() ? 1 : 0;
    starts += request.getResumeToken().isEmpty() ? 0 : 1;
    checks.that(
        starts <= 1, "start", "at most one of start, start_time and resume_token may be given");
    checks.done();
  }
}
