package dev.troupe.server.event;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.FieldMaskUtil;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.DeleteGroupRequest;
import dev.troupe.v1.DeliveryPolicy;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.ListGroupsRequest;
import dev.troupe.v1.Nack;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.RedriveEventsRequest;
import dev.troupe.v1.SeekGroupRequest;
import dev.troupe.v1.SettleEventsRequest;
import dev.troupe.v1.Settlement;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.UpdateGroupRequest;
import java.time.Duration;
import java.util.List;

/** What the contract demands of the requests about consumer groups. */
final class GroupChecks {

  static final int MOST_CREDITS = 10_000;
  static final int MOST_PULLED = 64;
  private static final int MOST_SETTLED = 1000;
  private static final int REASON_BYTES = 1024;
  private static final int MOST_REDRIVEN = 64;

  private GroupChecks() {}

  private static Checks group(String namespace, String topic, String group) {
    return topic(new Checks().namespace(namespace), topic).name("group", group);
  }

  @CanIgnoreReturnValue
  private static Checks topic(Checks checks, String topic) {
    return checks
        .name("topic", topic)
        .that(
            !topic.startsWith(EventFilter.SYSTEM),
            "topic",
            "\"troupe.\" is reserved for the server's own topics, which have no groups")
        .that(topic.indexOf('*') < 0, "topic", "'*' is for patterns");
  }

  static void create(CreateGroupRequest request) {
    Checks checks = group(request.getNamespace(), request.getTopic(), request.getGroup());
    settings(checks, request.getTopic(), request.getSettings());
    start(checks, request.hasStart(), request.getStart());
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  static void update(UpdateGroupRequest request) {
    Checks checks =
        group(request.getNamespace(), request.getTopic(), request.getGroup())
            .that(request.getUpdateMask().getPathsCount() > 0, "update_mask", "required")
            .that(
                FieldMaskUtil.isValid(GroupSettings.class, request.getUpdateMask()),
                "update_mask",
                "names a field that there is not")
            .that(request.getExpectedVersion() >= 0, "expected_version", "not below 0");
    settings(checks, request.getTopic(), request.getSettings());
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  private static void settings(Checks checks, String topic, GroupSettings settings) {
    String dead = settings.getDeadLetterTopic();
    checks
        .duration(
            "settings.ack_deadline",
            isGiven(settings.getAckDeadline()),
            settings.getAckDeadline(),
            Duration.ofSeconds(1),
            Duration.ofHours(12))
        .duration(
            "settings.retry_delay",
            settings.hasRetryDelay(),
            settings.getRetryDelay(),
            Duration.ZERO,
            Duration.ofHours(1))
        .duration(
            "settings.member_timeout",
            isGiven(settings.getMemberTimeout()),
            settings.getMemberTimeout(),
            Duration.ofSeconds(10),
            Duration.ofHours(24))
        .range("settings.max_deliveries", settings.getMaxDeliveries(), 0, 1000)
        .range("settings.max_outstanding", settings.getMaxOutstanding(), 0, 100_000)
        .that(
            settings.getPolicy() != DeliveryPolicy.UNRECOGNIZED,
            "settings.policy",
            "not a value of this enum")
        .optionalName("settings.dead_letter_topic", dead)
        .that(!dead.equals(topic), "settings.dead_letter_topic", "expected another topic")
        .that(
            !dead.startsWith(EventFilter.SYSTEM) && dead.indexOf('*') < 0,
            "settings.dead_letter_topic",
            "expected a topic without '*' and not one of the server's own")
        .that(
            !dead.isEmpty()
                || topic.length() > Checks.NAME_BYTES
                || GroupDefaults.deadLetterTopic(topic).length() <= Checks.NAME_BYTES,
            "settings.dead_letter_topic",
            "required, as \"<topic>.dead\" would be too long");
    if (settings.hasFilter()) {
      SubscribeChecks.filter(checks, "settings.filter", settings.getFilter());
    }
  }

  private static boolean isGiven(com.google.protobuf.Duration duration) {
    return !duration.equals(Durations.ZERO);
  }

  private static void start(Checks checks, boolean given, GroupStart start) {
    if (!given) {
      return;
    }
    switch (start.getStartCase()) {
      case POSITION ->
          checks.that(
              start.getPosition() != StartPosition.UNRECOGNIZED,
              "start.position",
              "not a value of this enum");
      case TIME ->
          checks.that(Timestamps.isValid(start.getTime()), "start.time", "not a valid timestamp");
      case TOPIC_POSITION ->
          checks.that(start.getTopicPosition() >= 0, "start.topic_position", "not below 0");
      case START_NOT_SET -> checks.violation("start", "required: one of its fields");
    }
  }

  static void get(GetGroupRequest request) {
    group(request.getNamespace(), request.getTopic(), request.getGroup()).done();
  }

  static void list(ListGroupsRequest request) {
    topic(new Checks().namespace(request.getNamespace()), request.getTopic())
        .range("page_size", request.getPageSize(), 0, 500)
        .done();
  }

  static void delete(DeleteGroupRequest request) {
    group(request.getNamespace(), request.getTopic(), request.getGroup())
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void seek(SeekGroupRequest request) {
    Checks checks =
        group(request.getNamespace(), request.getTopic(), request.getGroup())
            .that(request.hasStart(), "start", "required");
    start(checks, request.hasStart(), request.getStart());
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  static void redrive(RedriveEventsRequest request) {
    Checks checks =
        group(request.getNamespace(), request.getTopic(), request.getGroup())
            .atMost("topic_positions", request.getTopicPositionsCount(), MOST_REDRIVEN);
    request
        .getTopicPositionsList()
        .forEach(q -> checks.that(q > 0, "topic_positions", "expected numbers above 0"));
    checks.requestId(request.getRequestId()).fence(request.hasFence(), request.getFence()).done();
  }

  static void pull(PullEventsRequest request) {
    group(request.getNamespace(), request.getTopic(), request.getGroup())
        .name("member_id", request.getMemberId())
        .range("max_events", request.getMaxEvents(), 0, MOST_PULLED)
        .duration(
            "wait", request.hasWait(), request.getWait(), Duration.ZERO, Duration.ofSeconds(60))
        .requestId(request.getRequestId())
        .done();
  }

  static void open(ConsumeOpen open) {
    group(open.getNamespace(), open.getTopic(), open.getGroup())
        .name("member_id", open.getMemberId())
        .range("credits", open.getCredits(), 0, MOST_CREDITS)
        .done();
  }

  static void settle(SettleEventsRequest request) {
    Checks checks =
        group(request.getNamespace(), request.getTopic(), request.getGroup())
            .that(request.hasSettlement(), "settlement", "required");
    settlement(checks, request.getSettlement());
    checks.fence(request.hasFence(), request.getFence()).done();
  }

  static void settlement(Settlement settlement) {
    Checks checks = new Checks();
    settlement(checks, settlement);
    checks.done();
  }

  private static void settlement(Checks checks, Settlement settlement) {
    checks.atMost(
        "settlement",
        settlement.getAckCount() + settlement.getNackCount() + settlement.getExtendCount(),
        MOST_SETTLED);
    ids(checks, "settlement.ack", settlement.getAckList());
    ids(checks, "settlement.extend", settlement.getExtendList());
    List<Nack> nacks = settlement.getNackList();
    for (int i = 0; i < Math.min(nacks.size(), MOST_SETTLED); i++) {
      Nack nack = nacks.get(i);
      String at = "settlement.nack[" + i + "].";
      id(checks, at + "delivery_id", nack.getDeliveryId());
      checks
          .duration(
              at + "delay", nack.hasDelay(), nack.getDelay(), Duration.ZERO, Duration.ofHours(12))
          .text(at + "reason", nack.getReason(), REASON_BYTES);
    }
  }

  private static void ids(Checks checks, String field, List<String> ids) {
    for (int i = 0; i < Math.min(ids.size(), MOST_SETTLED); i++) {
      id(checks, field + "[" + i + "]", ids.get(i));
    }
  }

  private static void id(Checks checks, String field, String id) {
    // The name of the field is only made when it is needed.
    if (!DeliveryId.isValid(id)) {
      checks.violation(field, "expected the delivery_id of a delivery");
    }
  }
}
