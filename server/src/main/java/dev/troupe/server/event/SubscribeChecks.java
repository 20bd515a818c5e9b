package dev.troupe.server.event;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.SlowPolicy;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;

/** What the contract demands of subscriptions and filters. */
final class SubscribeChecks {

  /** Most credits that one message may give. */
  static final int MOST_CREDITS = 100_000;

  private static final int PATTERNS = 64;
  private static final int MOST_LAST = 10_000;
  private static final int MOST_PER_BATCH = 64;
  private static final int SUBJECT_BYTES = 1024;
  private static final int ATTRIBUTES = 16;
  private static final int CESQL_BYTES = 4096;

  private SubscribeChecks() {}

  /** Refuses a malformed subscription with all violations. */
  static void subscribe(SubscribeRequest request) {
    Checks checks = new Checks().namespace(request.getNamespace());
    checks.that(request.getTopicsCount() > 0, "topics", "required");
    checks.names("topics", request.getTopicsList(), PATTERNS);
    checks.names("types", request.getTypesList(), PATTERNS);
    start(checks, request);
    checks.range("last", request.getLast(), 0, MOST_LAST);
    filter(checks, "filter", request.getFilter());
    checks.that(
        request.getSlowPolicy() != SlowPolicy.UNRECOGNIZED,
        "slow_policy",
        "not a value of this enum");
    end(checks, request);
    checks.range("max_batch_size", request.getMaxBatchSize(), 0, MOST_PER_BATCH);
    checks.done();
  }

  private static void start(Checks checks, SubscribeRequest request) {
    checks.that(
        request.getStart() != StartPosition.UNRECOGNIZED, "start", "not a value of this enum");
    checks.that(
        !request.hasStartTime() || Timestamps.isValid(request.getStartTime()),
        "start_time",
        "not a valid timestamp");
    int starts = request.getStart() == StartPosition.START_POSITION_UNSPECIFIED ? 0 : 1;
    starts += request.hasStartTime() ? 1 : 0;
    starts += request.getResumeToken().isEmpty() ? 0 : 1;
    starts += request.getLast() == 0 ? 0 : 1;
    checks.that(
        starts <= 1,
        "start",
        "at most one of start, start_time, resume_token and last may be given");
  }

  private static void end(Checks checks, SubscribeRequest request) {
    if (!request.hasEndTime()) {
      return;
    }
    boolean valid = Timestamps.isValid(request.getEndTime());
    checks.that(valid, "end_time", "not a valid timestamp");
    if (valid && request.hasStartTime() && Timestamps.isValid(request.getStartTime())) {
      checks.that(
          Timestamps.compare(request.getStartTime(), request.getEndTime()) <= 0,
          "end_time",
          "before start_time");
    }
  }

  /** Adds what is wrong with a filter. */
  static void filter(Checks checks, String field, EventFilter filter) {
    checks
        .names(field + ".types", filter.getTypesList(), PATTERNS)
        .text(field + ".subject_prefix", filter.getSubjectPrefix(), SUBJECT_BYTES)
        .labels(field + ".attributes", filter.getAttributesMap(), ATTRIBUTES);
    if (filter.getCesqlBytes().size() > CESQL_BYTES) {
      checks.bytes(field + ".cesql", filter.getCesqlBytes().size(), CESQL_BYTES);
    } else {
      Expression.problems(filter.getCesql())
          .forEach(problem -> checks.violation(field + ".cesql", problem));
    }
  }
}
