package dev.troupe.server.event;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.log.LogEntry;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/**
 * A log entry as a reader of its topic gets it: what comes before the entry's data on the wire when
 * it is a delivery in a batch. Written once per entry, whoever reads it; the data follows as it is
 * in the log, so that nothing is decoded or copied. For the server's own topics it holds the whole
 * event around the change.
 *
 * <p>It also keeps the attributes while filters look at them, until the next collection of garbage.
 * Thread-safe.
 */
final class EventFrame {

  private final ByteString head;
  private final String id;
  private final String source;
  private volatile WeakReference<@Nullable EventAttributes> attributes = new WeakReference<>(null);

  private EventFrame(ByteString head, String id, String source) {
    this.head = head;
    this.id = id;
    this.source = source;
  }

  /**
   * The frame of an entry.
   *
   * @param source of the server's own events
   */
  static EventFrame of(LogEntry entry, String source) {
    return entry.note(EventFrame.class, each -> write(each, source));
  }

  /** What the entry's data has to follow. */
  ByteString head() {
    return head;
  }

  EventAttributes attributes(LogEntry entry) {
    EventAttributes known = attributes.get();
    if (known == null) {
      known = EventAttributes.of(entry, id, source);
      attributes = new WeakReference<>(known);
    }
    return known;
  }

  private static EventFrame write(LogEntry entry, String source) {
    boolean system = entry.topic().startsWith(EventFilter.SYSTEM);
    String id = system ? entry.partition() + "-" + entry.position().sequence() : "";
    ByteString wrap = system ? systemEvent(entry, id, source) : ByteString.EMPTY;
    int event = wrap.size() + entry.data().size();
    ByteString delivery =
        Wire.bytes(
            out -> {
              out.writeString(EventDelivery.TOPIC_FIELD_NUMBER, entry.topic());
              out.writeMessage(
                  EventDelivery.ACCEPT_TIME_FIELD_NUMBER,
                  Timestamps.fromMillis(entry.position().millis()));
              out.writeInt64(EventDelivery.POSITION_FIELD_NUMBER, entry.position().sequence());
              if (entry.topicPosition() != 0) {
                out.writeInt64(EventDelivery.TOPIC_POSITION_FIELD_NUMBER, entry.topicPosition());
              }
              Wire.begin(out, EventDelivery.EVENT_FIELD_NUMBER, event);
              out.writeRawBytes(wrap);
            });
    int size = delivery.size() + entry.data().size();
    ByteString head =
        Wire.bytes(
            out -> {
              Wire.begin(out, EventBatch.DELIVERIES_FIELD_NUMBER, size);
              out.writeRawBytes(delivery);
            });
    return new EventFrame(head, id, system ? source : "");
  }

  private static ByteString systemEvent(LogEntry entry, String id, String source) {
    return Wire.bytes(
        out -> {
          out.writeString(Event.ID_FIELD_NUMBER, id);
          out.writeString(Event.SOURCE_FIELD_NUMBER, source);
          out.writeString(Event.TYPE_FIELD_NUMBER, entry.type());
          out.writeString(Event.SUBJECT_FIELD_NUMBER, entry.subject());
          out.writeMessage(
              Event.TIME_FIELD_NUMBER, Timestamps.fromMillis(entry.position().millis()));
          Wire.begin(out, dataField(entry.topic()), entry.data().size());
        });
  }

  private static int dataField(String topic) {
    return switch (topic) {
      case "troupe.tasks" -> Event.TASK_FIELD_NUMBER;
      case "troupe.locks" -> Event.LOCK_FIELD_NUMBER;
      case "troupe.agents" -> Event.AGENT_FIELD_NUMBER;
      case "troupe.topics" -> Event.TOPIC_CHANGE_FIELD_NUMBER;
      case "troupe.system" -> Event.SYSTEM_ALERT_FIELD_NUMBER;
      default -> Event.BINARY_DATA_FIELD_NUMBER;
    };
  }
}
