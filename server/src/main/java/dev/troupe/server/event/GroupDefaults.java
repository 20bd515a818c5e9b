package dev.troupe.server.event;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.DeliveryPolicy;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.GroupSettings;
import java.util.List;

/** A group's settings with everything that was not given filled in, and as its scripts want it. */
final class GroupDefaults {

  private static final Duration ACK_DEADLINE = Durations.fromSeconds(30);
  private static final Duration MEMBER_TIMEOUT = Durations.fromMinutes(5);
  private static final int MAX_DELIVERIES = 5;
  private static final int MAX_OUTSTANDING = 10_000;

  private GroupDefaults() {}

  static GroupSettings complete(String topic, GroupSettings given) {
    GroupSettings.Builder settings = given.toBuilder();
    if (!Durations.isPositive(given.getAckDeadline())) {
      settings.setAckDeadline(ACK_DEADLINE);
    }
    if (!Durations.isPositive(given.getMemberTimeout())) {
      settings.setMemberTimeout(MEMBER_TIMEOUT);
    }
    if (given.getMaxDeliveries() == 0) {
      settings.setMaxDeliveries(MAX_DELIVERIES);
    }
    if (given.getMaxOutstanding() == 0) {
      settings.setMaxOutstanding(MAX_OUTSTANDING);
    }
    if (given.getPolicy() == DeliveryPolicy.DELIVERY_POLICY_UNSPECIFIED) {
      settings.setPolicy(DeliveryPolicy.DELIVERY_POLICY_LEAST_OUTSTANDING);
    }
    if (given.getDeadLetterTopic().isEmpty()) {
      settings.setDeadLetterTopic(deadLetterTopic(topic));
    }
    if (given.getFilter().equals(EventFilter.getDefaultInstance())) {
      settings.clearFilter();
    }
    if (!Durations.isPositive(given.getRetryDelay())) {
      settings.clearRetryDelay();
    }
    return settings.build();
  }

  /** Where dead letters go when nothing is said. */
  static String deadLetterTopic(String topic) {
    return topic + ".dead";
  }

  /** Names and values of the fields that the scripts read; see {@code event/group}. */
  static List<Object> fields(Partition partition, GroupSettings settings) {
    return List.of(
        "dl",
        Durations.toMicros(settings.getAckDeadline()),
        "rd",
        Durations.toMicros(settings.getRetryDelay()),
        "mt",
        Durations.toMicros(settings.getMemberTimeout()),
        "mx",
        settings.getMaxDeliveries(),
        "mo",
        settings.getMaxOutstanding(),
        "or",
        settings.getOrderedByKey() ? 1 : 0,
        "fl",
        settings.hasFilter() ? 1 : 0,
        "dt",
        settings.getDeadLetterTopic(),
        "lo",
        partition.isHomeOf(settings.getDeadLetterTopic()) ? 1 : 0);
  }
}
