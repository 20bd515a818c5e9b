package dev.troupe.server.event;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.StreamFormat;
import dev.troupe.server.log.LogEntry;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.CaughtUp;
import dev.troupe.v1.Checkpoint;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.Gap;
import dev.troupe.v1.GapReason;
import dev.troupe.v1.GoAway;
import dev.troupe.v1.LockChange;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscriptionStarted;
import dev.troupe.v1.SystemAlert;
import dev.troupe.v1.TaskChange;
import dev.troupe.v1.TopicChange;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a subscription's stream looks. */
final class EventFormat implements StreamFormat<SubscribeResponse> {

  private static final Logger log = LoggerFactory.getLogger(EventFormat.class);
  private static final int BATCH = 64;

  private final String source;
  private final EventFilter filter;

  EventFormat(String namespace, EventFilter filter) {
    this.source = "troupe/" + namespace;
    this.filter = filter;
  }

  @Override
  public boolean wants(LogEntry entry) {
    return filter.matches(entry.topic(), entry.type());
  }

  @Override
  public int batchSize() {
    return BATCH;
  }

  @Override
  public SubscribeResponse entries(List<Delivery> deliveries) {
    EventBatch.Builder batch = EventBatch.newBuilder();
    for (Delivery delivery : deliveries) {
      LogEntry entry = delivery.entry();
      Timestamp accepted = Timestamps.fromMillis(entry.position().millis());
      batch.addDeliveries(
          EventDelivery.newBuilder()
              .setTopic(entry.topic())
              .setEvent(event(delivery, accepted))
              .setAcceptTime(accepted)
              .setResumeToken(delivery.resumeToken()));
    }
    return SubscribeResponse.newBuilder().setBatch(batch).build();
  }

  private Event event(Delivery delivery, Timestamp accepted) {
    LogEntry entry = delivery.entry();
    try {
      if (!entry.topic().startsWith(EventFilter.SYSTEM)) {
        return Event.parseFrom(entry.data());
      }
      Event.Builder event =
          Event.newBuilder()
              .setId(delivery.partition() + "-" + entry.position().sequence())
              .setSource(source)
              .setType(entry.type())
              .setSubject(entry.subject())
              .setTime(accepted);
      switch (entry.topic()) {
        case "troupe.tasks" -> event.setTask(TaskChange.parseFrom(entry.data()));
        case "troupe.locks" -> event.setLock(LockChange.parseFrom(entry.data()));
        case "troupe.agents" -> event.setAgent(AgentChange.parseFrom(entry.data()));
        case "troupe.system" -> event.setSystemAlert(SystemAlert.parseFrom(entry.data()));
        case "troupe.topics" -> event.setTopicChange(TopicChange.parseFrom(entry.data()));
        default -> event.setBinaryData(entry.data());
      }
      return event.build();
    } catch (InvalidProtocolBufferException e) {
      // The stream goes on: a subscriber can do nothing about one entry, nor get past it.
      log.error("an entry of topic {} cannot be decoded: {}", entry.topic(), entry.position(), e);
      return Event.newBuilder().setType(entry.type()).setSubject(entry.subject()).build();
    }
  }

  @Override
  public SubscribeResponse started(String resumeToken) {
    return SubscribeResponse.newBuilder()
        .setStarted(SubscriptionStarted.newBuilder().setResumeToken(resumeToken))
        .build();
  }

  @Override
  public SubscribeResponse caughtUp(String resumeToken) {
    return SubscribeResponse.newBuilder()
        .setCaughtUp(CaughtUp.newBuilder().setResumeToken(resumeToken))
        .build();
  }

  @Override
  public SubscribeResponse checkpoint(String resumeToken) {
    return SubscribeResponse.newBuilder()
        .setCheckpoint(Checkpoint.newBuilder().setResumeToken(resumeToken))
        .build();
  }

  @Override
  public SubscribeResponse gap(boolean replaced, long missed, String resumeToken) {
    return SubscribeResponse.newBuilder()
        .setGap(
            Gap.newBuilder()
                .setReason(
                    replaced ? GapReason.GAP_REASON_EPOCH_CHANGED : GapReason.GAP_REASON_TRIMMED)
                .setMissed(missed)
                .setResumeToken(resumeToken))
        .build();
  }

  @Override
  public SubscribeResponse goAway(ErrorReason reason, Duration retryAfter, String resumeToken) {
    return SubscribeResponse.newBuilder()
        .setGoAway(
            GoAway.newBuilder()
                .setReason(reason)
                .setRetryAfter(Durations.fromMillis(retryAfter.toMillis()))
                .setResumeToken(resumeToken))
        .build();
  }
}
