package dev.troupe.server.event;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.FieldMaskUtil;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.Durability;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListTopicsRequest;
import dev.troupe.v1.ReplayEventsRequest;
import dev.troupe.v1.TopicSettings;
import dev.troupe.v1.UpdateTopicRequest;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What the contract demands of requests about topics and what they keep. */
final class TopicChecks {

  private static final String INBOX = "inbox.";
  private static final int MOST_PER_PAGE = 500;
  private static final int DESCRIPTION_BYTES = 1024;
  private static final int LEAST_BYTES = 1024;
  private static final int MOST_EVENTS = 10_000_000;
  private static final Duration TEN_YEARS = Duration.ofDays(3650);

  private TopicChecks() {}

  static void create(CreateTopicRequest request) {
    Checks checks = new Checks().namespace(request.getNamespace());
    PublishChecks.topic(checks, "topic", request.getTopic());
    checks.that(
        !request.getTopic().startsWith(INBOX),
        "topic",
        "\"inbox.\" is reserved for the inboxes of agents");
    settings(checks, request.getSettings());
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  static void update(UpdateTopicRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("topic", request.getTopic())
            .that(request.getUpdateMask().getPathsCount() > 0, "update_mask", "required")
            .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    List<String> paths = request.getUpdateMask().getPathsList();
    for (int i = 0; i < paths.size(); i++) {
      checks.that(
          TopicCodec.PATHS.contains(paths.get(i)),
          "update_mask.paths[" + i + "]",
          "not a field that can be changed: " + Checks.quoted(paths.get(i)));
    }
    // Only what the mask names is written, so what stands beside it is not judged.
    Set<String> known = new HashSet<>(paths);
    known.retainAll(TopicCodec.PATHS);
    TopicSettings.Builder named = TopicSettings.newBuilder();
    FieldMaskUtil.merge(
        FieldMask.newBuilder().addAllPaths(known).build(), request.getSettings(), named);
    settings(checks, named.build());
    checks.done();
  }

  private static void settings(Checks checks, TopicSettings settings) {
    boolean aged = settings.hasMaxAge() && !isZero(settings.getMaxAge());
    checks
        .duration("settings.max_age", aged, settings.getMaxAge(), Duration.ofSeconds(1), TEN_YEARS)
        .range("settings.max_events", settings.getMaxEvents(), 0, MOST_EVENTS)
        .that(
            settings.getMaxBytes() == 0 || settings.getMaxBytes() >= LEAST_BYTES,
            "settings.max_bytes",
            "out of range: " + settings.getMaxBytes() + " (expected 0, or 1024 and more)")
        .that(
            settings.getDurability() != Durability.UNRECOGNIZED,
            "settings.durability",
            "unknown value " + settings.getDurabilityValue())
        .text("settings.description", settings.getDescription(), DESCRIPTION_BYTES);
  }

  private static boolean isZero(com.google.protobuf.Duration duration) {
    return duration.equals(Durations.ZERO);
  }

  static void get(GetTopicRequest request) {
    new Checks().namespace(request.getNamespace()).name("topic", request.getTopic()).done();
  }

  static void list(ListTopicsRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .optionalName("prefix", request.getPrefix())
        .range("page_size", request.getPageSize(), 0, MOST_PER_PAGE)
        .done();
  }

  static void delete(DeleteTopicRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .name("topic", request.getTopic())
        .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void list(ListEventsRequest request) {
    Checks checks = new Checks().namespace(request.getNamespace());
    source(checks, "topic", request.getTopic());
    time(checks, "start_time", request.hasStartTime(), request.getStartTime());
    time(checks, "end_time", request.hasEndTime(), request.getEndTime());
    SubscribeChecks.filter(checks, "filter", request.getFilter());
    checks.range("page_size", request.getPageSize(), 0, MOST_PER_PAGE).done();
  }

  static void replay(ReplayEventsRequest request) {
    Checks checks = new Checks().namespace(request.getNamespace());
    source(checks, "topic", request.getTopic());
    PublishChecks.topic(checks, "to_topic", request.getToTopic());
    checks.that(
        !request.getToTopic().equals(request.getTopic()), "to_topic", "expected another topic");
    time(checks, "start_time", request.hasStartTime(), request.getStartTime());
    time(checks, "end_time", request.hasEndTime(), request.getEndTime());
    SubscribeChecks.filter(checks, "filter", request.getFilter());
    checks.fence(request.hasFence(), request.getFence()).done();
  }

  private static void source(Checks checks, String field, String topic) {
    checks
        .name(field, topic)
        .that(
            !topic.startsWith(EventFilter.SYSTEM),
            field,
            "the server's own topics are kept in the log only; subscribe to them");
  }

  private static void time(Checks checks, String field, boolean given, Timestamp time) {
    checks.that(!given || Timestamps.isValid(time), field, "not a valid timestamp");
  }
}
