package dev.troupe.server.log;

import com.google.protobuf.ByteString;

/**
 * One entry of a partition's log.
 *
 * @param position where it stands
 * @param topic the topic it belongs to; "troupe.tasks" and "troupe.agents" are the server's own
 * @param type what happened, such as "task.completed"
 * @param subject what it is about; for a task, its id
 * @param data an encoded {@code TaskChange}, {@code AgentChange} or {@code Event}, by topic
 */
public record LogEntry(
    LogPosition position, String topic, String type, String subject, ByteString data) {

  /** What the object itself takes on the heap, about. */
  private static final int OVERHEAD = 200;

  /** About how many bytes of heap it takes. */
  int weight() {
    return OVERHEAD + topic.length() + type.length() + subject.length() + data.size();
  }
}
