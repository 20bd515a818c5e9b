package dev.troupe.server.event;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.event.GroupTake.Candidate;
import dev.troupe.server.event.GroupTake.Candidates;
import dev.troupe.server.event.GroupTake.Evaluated;
import dev.troupe.server.event.GroupTake.Given;
import dev.troupe.server.event.GroupTake.Member;
import dev.troupe.server.event.GroupTake.Taken;
import dev.troupe.server.redis.Reply;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupMember;
import dev.troupe.v1.GroupSettings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Groups and their deliveries, as the scripts write and read them. */
final class GroupCodec {

  /** Bytes of events in one round, so that a message stays below what clients take. */
  private static final int MOST_BYTES = 1 << 20;

  private GroupCodec() {}

  /** See {@code event/group_view}. */
  static Group group(String topic, Reply view) {
    Group.Builder group =
        Group.newBuilder()
            .setTopic(topic)
            .setName(view.text(0))
            .setSettings(settings(view.bytes(1)))
            .setVersion(view.number(2))
            .setCreateTime(Timestamps.fromMicros(view.number(3)))
            .setPosition(view.number(4))
            .setLag(view.number(5))
            .setOutstanding(view.number(6))
            .setWaiting(view.number(7))
            .setAcknowledgedCount(view.number(8))
            .setDeadCount(view.number(9))
            .setRedeliveredCount(view.number(10));
    Reply members = view.nested(11);
    List<GroupMember> all = new ArrayList<>();
    for (int at = 0; at < members.size(); at += 3) {
      all.add(
          GroupMember.newBuilder()
              .setId(members.text(at))
              .setLastSeenTime(Timestamps.fromMicros(members.number(at + 1)))
              .setOutstanding((int) members.number(at + 2))
              .build());
    }
    all.sort(Comparator.comparing(GroupMember::getId));
    return group.addAllMembers(all).build();
  }

  static GroupSettings settings(ByteString encoded) {
    try {
      return GroupSettings.parseFrom(encoded);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("settings of a group cannot be read", e);
    }
  }

  /** Appends a round to the arguments of {@code event/take}, behind topic and group. */
  static void add(GroupTake take, List<Object> arguments) {
    arguments.add(take.settingsVersion());
    arguments.add(take.requestId());
    arguments.add(take.digest());
    arguments.add(
        take.slots().stream()
            .map(index -> Integer.toString(index + 1))
            .collect(Collectors.joining(" ")));
    arguments.add(take.members().size());
    for (Member member : take.members()) {
      arguments.add(member.id());
      arguments.add(member.session());
    }
    if (take.evaluated() != null) {
      add(take.evaluated(), take.slots().size(), arguments);
    }
  }

  /** As many as can be delivered in this round, and up to where that is. */
  private static void add(Evaluated evaluated, int most, List<Object> arguments) {
    List<Candidate> list = evaluated.candidates().list();
    List<Candidate> wanted = new ArrayList<>();
    Candidate last = null;
    int bytes = 0;
    for (int i = 0; i < list.size(); i++) {
      if (evaluated.wanted().get(i)) {
        if (wanted.size() >= most || bytes >= MOST_BYTES) {
          break;
        }
        wanted.add(list.get(i));
        bytes += list.get(i).event().size();
      }
      last = list.get(i);
    }
    if (last == null) {
      return;
    }
    arguments.add(evaluated.version());
    arguments.add(evaluated.candidates().follows());
    arguments.add(last.id());
    arguments.add(last.position());
    for (Candidate one : wanted) {
      arguments.add(one.id());
      arguments.add(one.position());
      arguments.add(one.logPosition());
      arguments.add(one.key());
    }
  }

  static Taken taken(GroupId group, GroupTake take, Reply reply) {
    long now = reply.number(1);
    Set<Integer> replaced = new HashSet<>();
    Reply indexes = reply.nested(7);
    for (int i = 0; i < indexes.size(); i++) {
      replaced.add((int) indexes.number(i) - 1);
    }
    ByteString settings = reply.bytes(3);
    return new Taken(
        reply.number(2),
        settings.isEmpty() ? null : settings(settings),
        reply.number(4) == 1,
        reply.text(5).isEmpty() ? -1 : Math.max(0, reply.number(5) - now),
        reply.text(6).isEmpty() ? -1 : reply.number(6),
        replaced,
        given(group, take, reply.nested(8), reply.number(11)),
        candidates(reply.text(9), reply.nested(10)));
  }

  private static List<Given> given(GroupId group, GroupTake take, Reply rows, long generation) {
    Map<Long, ByteString> shown = new HashMap<>();
    if (take.evaluated() != null) {
      take.evaluated().candidates().list().forEach(one -> shown.put(one.position(), one.event()));
    }
    List<Given> given = new ArrayList<>(rows.size() / 8);
    for (int at = 0; at < rows.size(); at += 8) {
      long position = rows.number(at + 1);
      long token = rows.number(at + 2);
      ByteString event = rows.bytes(at + 7);
      if (event.isEmpty()) {
        event = shown.getOrDefault(position, ByteString.EMPTY);
      }
      given.add(
          new Given(
              (int) rows.number(at) - 1,
              GroupDelivery.newBuilder()
                  .setDeliveryId(new DeliveryId(position, token, generation).text())
                  .setAttempt((int) rows.number(at + 3))
                  .setAckDeadline(Timestamps.fromMicros(rows.number(at + 4)))
                  .setFencingToken(token)
                  .setEvent(
                      delivery(group, rows.text(at + 5), rows.number(at + 6), position, event))
                  .build()));
    }
    return given;
  }

  private static EventDelivery delivery(
      GroupId group, String id, long logPosition, long position, ByteString event) {
    return EventDelivery.newBuilder()
        .setTopic(group.topic())
        .setEvent(event(event))
        .setAcceptTime(Timestamps.fromMillis(Long.parseLong(id.substring(0, id.indexOf('-')))))
        .setPosition(logPosition)
        .setTopicPosition(position)
        .build();
  }

  /** An event as the store has it. */
  static Event event(ByteString encoded) {
    try {
      return Event.parseFrom(encoded);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an event cannot be read", e);
    }
  }

  private static @Nullable Candidates candidates(String follows, Reply rows) {
    if (rows.size() == 0) {
      return null;
    }
    List<Candidate> list = new ArrayList<>(rows.size() / 5);
    for (int at = 0; at < rows.size(); at += 5) {
      list.add(
          new Candidate(
              rows.text(at),
              rows.number(at + 1),
              rows.number(at + 2),
              rows.text(at + 3),
              rows.bytes(at + 4)));
    }
    return new Candidates(follows, list);
  }
}
