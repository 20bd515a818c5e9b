package dev.troupe.server.event;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Timestamp;
import com.google.protobuf.WireFormat;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.log.LogEntry;
import dev.troupe.v1.Event;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of one event by their names in CloudEvents, which know no underscore, and those
 * with one in the contract by that name too. The data is passed over and never decoded. Immutable.
 */
final class EventAttributes {

  private static final String SPEC_VERSION = "1.0";
  private static final int KEY = 1;
  private static final int VALUE = 2;

  private final Map<String, String> values;

  private EventAttributes(Map<String, String> values) {
    this.values = values;
  }

  /** Of an event as it is in a log; of the server's own events those that the log has. */
  static EventAttributes of(LogEntry entry, String id, String source) {
    Map<String, String> values = new HashMap<>();
    if (entry.topic().startsWith(EventFilter.SYSTEM)) {
      values.put("id", id);
      values.put("source", source);
      values.put("type", entry.type());
      put(values, "subject", entry.subject());
      values.put("time", Timestamps.toString(Timestamps.fromMillis(entry.position().millis())));
    } else {
      read(entry, values);
    }
    values.put("specversion", SPEC_VERSION);
    return new EventAttributes(values);
  }

  /** Of an event that was published. */
  static EventAttributes of(Event event) {
    Map<String, String> values = new HashMap<>();
    try {
      read(event.toByteString().newCodedInput(), values);
    } catch (IOException e) {
      throw new UncheckedIOException("an event that was just encoded is damaged", e);
    }
    values.put("specversion", SPEC_VERSION);
    return new EventAttributes(values);
  }

  /** The value of an attribute, or null when the event does not have it. */
  @Nullable String get(String name) {
    return values.get(name);
  }

  private static void read(LogEntry entry, Map<String, String> values) {
    try {
      read(entry.data().newCodedInput(), values);
    } catch (IOException e) {
      throw new UncheckedIOException("an event in the log is damaged: " + entry, e);
    }
  }

  private static void read(CodedInputStream in, Map<String, String> values) throws IOException {
    // Those that are named by the contract win over further ones of the same name.
    Map<String, String> further = new HashMap<>();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      String name = name(WireFormat.getTagFieldNumber(tag));
      if (name == null) {
        in.skipField(tag);
      } else if (name.equals("time")) {
        values.put(name, Timestamps.toString(Timestamp.parseFrom(in.readByteBuffer())));
      } else if (name.isEmpty()) {
        entry(in, further);
      } else {
        put(values, name, in.readString());
      }
    }
    both(values, "correlation_id", "correlationid");
    both(values, "causation_id", "causationid");
    both(values, "reply_to", "replyto");
    further.forEach(values::putIfAbsent);
  }

  private static void put(Map<String, String> values, String name, String value) {
    if (!value.isEmpty()) {
      values.put(name, value);
    }
  }

  private static void both(Map<String, String> values, String contract, String cloudEvents) {
    String value = values.get(contract);
    if (value != null) {
      values.put(cloudEvents, value);
    }
  }

  private static void entry(CodedInputStream in, Map<String, String> further) throws IOException {
    CodedInputStream entry = in.readBytes().newCodedInput();
    String key = "";
    String value = "";
    for (int tag = entry.readTag(); tag != 0; tag = entry.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case KEY -> key = entry.readString();
        case VALUE -> value = entry.readString();
        default -> entry.skipField(tag);
      }
    }
    further.put(key, value);
  }

  /** Empty for the map of further attributes, null for what is none. */
  private static @Nullable String name(int field) {
    return switch (field) {
      case Event.ID_FIELD_NUMBER -> "id";
      case Event.SOURCE_FIELD_NUMBER -> "source";
      case Event.TYPE_FIELD_NUMBER -> "type";
      case Event.SUBJECT_FIELD_NUMBER -> "subject";
      case Event.TIME_FIELD_NUMBER -> "time";
      case Event.DATACONTENTTYPE_FIELD_NUMBER -> "datacontenttype";
      case Event.DATASCHEMA_FIELD_NUMBER -> "dataschema";
      case Event.CORRELATION_ID_FIELD_NUMBER -> "correlation_id";
      case Event.CAUSATION_ID_FIELD_NUMBER -> "causation_id";
      case Event.ACTOR_FIELD_NUMBER -> "actor";
      case Event.KEY_FIELD_NUMBER -> "key";
      case Event.REPLY_TO_FIELD_NUMBER -> "reply_to";
      case Event.ATTRIBUTES_FIELD_NUMBER -> "";
      default -> null;
    };
  }
}
