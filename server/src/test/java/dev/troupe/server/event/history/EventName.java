package dev.troupe.server.event.history;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.v1.Event;
import java.util.List;
import java.util.Optional;

/** What makes an event the same one. */
public record EventName(String topic, String source, String id) {

  private static final String STREAM_OF_A_TOPIC = ":ev:e:";

  /** The event that a command of Redis appends to a topic of the namespace, if it does so. */
  static Optional<EventName> writtenBy(List<byte[]> command, String namespace) {
    if (command.size() < 3 || !text(command.get(0)).equalsIgnoreCase("XADD")) {
      return Optional.empty();
    }
    String key = text(command.get(1));
    int topic = key.indexOf(STREAM_OF_A_TOPIC);
    if (!key.startsWith("troupe:{" + namespace + "/") || topic < 0) {
      return Optional.empty();
    }
    for (int i = 3; i + 1 < command.size(); i += 2) {
      if (text(command.get(i)).equals("d")) {
        try {
          Event event = Event.parseFrom(command.get(i + 1));
          return Optional.of(
              new EventName(
                  key.substring(topic + STREAM_OF_A_TOPIC.length()),
                  event.getSource(),
                  event.getId()));
        } catch (InvalidProtocolBufferException e) {
          throw new IllegalStateException("no event in " + key, e);
        }
      }
    }
    throw new IllegalStateException("an entry without an event in " + key);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }
}
