package dev.troupe.server.event;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.EncodedMessage;
import dev.troupe.server.grpc.StreamFormat;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.v1.CaughtUp;
import dev.troupe.v1.Checkpoint;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.FellBehind;
import dev.troupe.v1.Gap;
import dev.troupe.v1.GapReason;
import dev.troupe.v1.GoAway;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeWithCreditsResponse;
import dev.troupe.v1.SubscriptionStarted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * How a subscription's stream looks: {@code SubscribeResponse}, or the same in a {@code
 * SubscribeWithCreditsResponse}. Events go out in their frames, encoded once for all.
 *
 * @param source of the server's own events
 * @param credited whether the caller gives credits
 */
record EventFormat(String source, EventFilter filter, int batchSize, boolean credited)
    implements StreamFormat<EncodedMessage> {

  private static final int BATCH = 64;

  /**
   * The format of a stream.
   *
   * @param batchSize 0 for the most
   */
  static EventFormat of(String namespace, EventFilter filter, int batchSize, boolean credited) {
    return new EventFormat(
        "troupe/" + namespace, filter, batchSize == 0 ? BATCH : batchSize, credited);
  }

  @Override
  public boolean wants(LogEntry entry) {
    return filter.matches(entry, () -> frame(entry).attributes(entry));
  }

  private EventFrame frame(LogEntry entry) {
    return EventFrame.of(entry, source);
  }

  @Override
  public Portion<EncodedMessage> portion(Slice slice, Function<LogPosition, String> tokenAt) {
    return filter.onlyTopics().size() == 1 && !credited
        ? filter.batches().of(slice, () -> StreamFormat.super.portion(slice, tokenAt))
        : StreamFormat.super.portion(slice, tokenAt);
  }

  @Override
  public EncodedMessage entries(Batch batch) {
    List<ByteString> parts = new ArrayList<>(2 + 2 * batch.entries().size());
    int size = 0;
    for (LogEntry entry : batch.entries()) {
      ByteString head = frame(entry).head();
      parts.add(head);
      parts.add(entry.data());
      size += head.size() + entry.data().size();
    }
    ByteString end =
        EventBatch.newBuilder()
            .setResumeToken(batch.resumeToken())
            .setPartition(batch.partition())
            .setPreviousPosition(batch.previous())
            .setReadPosition(batch.read())
            .build()
            .toByteString();
    parts.add(end);
    parts.add(0, begin(size + end.size()));
    return EncodedMessage.of(parts);
  }

  /** What comes before the fields of a batch of so many bytes. */
  private ByteString begin(int size) {
    ByteString batch =
        Wire.bytes(out -> Wire.begin(out, SubscribeResponse.BATCH_FIELD_NUMBER, size));
    return credited
        ? Wire.bytes(
            out -> {
              int whole = batch.size() + size;
              Wire.begin(out, SubscribeWithCreditsResponse.MESSAGE_FIELD_NUMBER, whole);
              out.writeRawBytes(batch);
            })
        : batch;
  }

  private EncodedMessage encoded(SubscribeResponse.Builder response) {
    return EncodedMessage.of(
        credited
            ? SubscribeWithCreditsResponse.newBuilder().setMessage(response).build()
            : response.build());
  }

  @Override
  public EncodedMessage started(String resumeToken) {
    return encoded(
        SubscribeResponse.newBuilder()
            .setStarted(SubscriptionStarted.newBuilder().setResumeToken(resumeToken)));
  }

  @Override
  public EncodedMessage caughtUp(String resumeToken) {
    return encoded(
        SubscribeResponse.newBuilder()
            .setCaughtUp(CaughtUp.newBuilder().setResumeToken(resumeToken)));
  }

  @Override
  public EncodedMessage checkpoint(long lag, String resumeToken) {
    return encoded(
        SubscribeResponse.newBuilder()
            .setCheckpoint(Checkpoint.newBuilder().setLag(lag).setResumeToken(resumeToken)));
  }

  @Override
  public EncodedMessage fellBehind(long lag, String resumeToken) {
    return encoded(
        SubscribeResponse.newBuilder()
            .setFellBehind(FellBehind.newBuilder().setLag(lag).setResumeToken(resumeToken)));
  }

  @Override
  public EncodedMessage gap(Hole hole, String resumeToken) {
    return encoded(
        SubscribeResponse.newBuilder()
            .setGap(
                Gap.newBuilder()
                    .setReason(reason(hole.lack()))
                    .setMissed(hole.missed())
                    .setPartition(hole.partition())
                    .setFromPosition(hole.from())
                    .setToPosition(hole.to())
                    .setResumeToken(resumeToken)));
  }

  private static GapReason reason(Lack lack) {
    return switch (lack) {
      case TRIMMED -> GapReason.GAP_REASON_TRIMMED;
      case REPLACED -> GapReason.GAP_REASON_EPOCH_CHANGED;
      case SLOW -> GapReason.GAP_REASON_SLOW_READER;
    };
  }

  @Override
  public EncodedMessage goAway(ErrorReason reason, Duration retryAfter, String resumeToken) {
    return encoded(
        SubscribeResponse.newBuilder()
            .setGoAway(
                GoAway.newBuilder()
                    .setReason(reason)
                    .setRetryAfter(Durations.fromMillis(retryAfter.toMillis()))
                    .setResumeToken(resumeToken)));
  }
}
