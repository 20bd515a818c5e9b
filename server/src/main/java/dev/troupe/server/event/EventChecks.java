package dev.troupe.server.event;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;

/** What the contract demands of subscriptions. */
final class EventChecks {

  private static final int PATTERNS = 64;

  private EventChecks() {}

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
