package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.agent.RedisWire;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares what a namespace's groups have in Redis: every event that is on its way is in exactly
 * one place and has a record, no other has one, members' counts add up, parked events stand behind
 * one that is on its way, and nothing is left of groups that are gone.
 */
final class GroupAudit {

  private final Map<String, Set<String>> flying = new TreeMap<>();
  private final Map<String, Set<String>> waiting = new TreeMap<>();
  private final Map<String, Set<String>> parked = new TreeMap<>();
  private final Map<String, Set<String>> parkedKeys = new TreeMap<>();
  private final Map<String, Set<String>> records = new TreeMap<>();
  private final Map<String, Map<String, String>> keys = new TreeMap<>();
  private final Map<String, Long> counted = new TreeMap<>();
  private final Map<String, Set<String>> letters = new TreeMap<>();
  private final Map<String, Set<String>> letterTimes = new TreeMap<>();
  private final Set<String> groups = new TreeSet<>();
  private final Set<String> named = new TreeSet<>();
  private final Set<String> swept = new TreeSet<>();
  private final Set<String> mentioned = new TreeSet<>();

  private GroupAudit() {}

  static void check(String namespace, List<RedisWire> masters) throws IOException {
    GroupAudit audit = new GroupAudit();
    for (RedisWire redis : masters) {
      String cursor = "0";
      do {
        List<?> page =
            (List<?>)
                redis.command(
                    "SCAN", cursor, "MATCH", "troupe:{" + namespace + "/*", "COUNT", "1000");
        cursor = (String) page.get(0);
        for (Object key : (List<?>) page.get(1)) {
          audit.look(redis, (String) key);
        }
      } while (!cursor.equals("0"));
    }
    audit.compare();
  }

  private void look(RedisWire redis, String key) throws IOException {
    String partition = key.substring(0, key.indexOf("}:") + 2);
    String kind = key.substring(key.indexOf("}:") + 2);
    if (kind.equals("ev:gw")) {
      redis.texts("ZRANGE", key, "0", "-1").forEach(group -> swept.add(partition + group));
    } else if (kind.startsWith("ev:gs:")) {
      String topic = kind.substring("ev:gs:".length());
      for (String name : redis.texts("ZRANGE", key, "0", "-1")) {
        named.add(partition + topic.length() + ":" + topic + ":" + name);
      }
    } else if (kind.startsWith("ev:gf:")) {
      assertThat(redis.isForEver(key)).as("%s is for ever", key).isFalse();
    } else if (kind.startsWith("ev:g")) {
      int colon = kind.indexOf(':', 4);
      group(redis, key, kind.substring(4, colon), partition + kind.substring(colon + 1));
    }
  }

  private void group(RedisWire redis, String key, String kind, String group) throws IOException {
    mentioned.add(group);
    switch (kind) {
      case "" -> groups.add(group);
      case "d" -> flying.put(group, new TreeSet<>(redis.texts("ZRANGE", key, "0", "-1")));
      case "r" -> waiting.put(group, new TreeSet<>(redis.texts("ZRANGE", key, "0", "-1")));
      case "e" -> records.put(group, new TreeSet<>(redis.texts("HKEYS", key)));
      case "y" -> letterTimes.put(group, new TreeSet<>(redis.texts("ZRANGE", key, "0", "-1")));
      case "z" -> letters.put(group, new TreeSet<>(redis.texts("HKEYS", key)));
      case "k" -> {
        List<String> all = redis.texts("HGETALL", key);
        Map<String, String> holders = new TreeMap<>();
        for (int i = 0; i < all.size(); i += 2) {
          holders.put(all.get(i), all.get(i + 1));
        }
        keys.put(group, holders);
      }
      case "p" -> {
        Set<String> events = new TreeSet<>();
        Set<String> behind = new TreeSet<>();
        for (String member : redis.texts("ZRANGE", key, "0", "-1")) {
          String[] parts = member.split("\0", -1);
          behind.add(parts[0]);
          events.add(Long.toString(Long.parseLong(parts[1])));
        }
        parked.put(group, events);
        parkedKeys.put(group, behind);
      }
      case "o" -> {
        long sum = 0;
        for (String count : redis.texts("HVALS", key)) {
          sum += Long.parseLong(count);
        }
        counted.put(group, sum);
      }
      default -> assertThat(kind).isIn("m", "x");
    }
  }

  private void compare() {
    assertThat(groups).as("groups that are named").isEqualTo(named);
    assertThat(groups).as("groups that something is left of").containsAll(mentioned);
    for (String group : groups) {
      Set<String> inFlight = flying.getOrDefault(group, Set.of());
      Set<String> all = new TreeSet<>(inFlight);
      int places = inFlight.size();
      for (Map<String, Set<String>> place : List.of(waiting, parked)) {
        all.addAll(place.getOrDefault(group, Set.of()));
        places += place.getOrDefault(group, Set.of()).size();
      }
      assertThat(all).as("events of %s", group).isEqualTo(records.getOrDefault(group, Set.of()));
      assertThat(places).as("places of the events of %s", group).isEqualTo(all.size());
      assertThat(counted.getOrDefault(group, 0L))
          .as("in flight of the members of %s", group)
          .isEqualTo(inFlight.size());
      Map<String, String> holders = keys.getOrDefault(group, Map.of());
      assertThat(holders.keySet())
          .as("keys of %s that others wait for", group)
          .containsAll(parkedKeys.getOrDefault(group, Set.of()));
      assertThat(all).as("holders of the keys of %s", group).containsAll(holders.values());
      Set<String> parkedHolders = new TreeSet<>(parked.getOrDefault(group, Set.of()));
      parkedHolders.retainAll(holders.values());
      assertThat(parkedHolders).as("holders of the keys of %s that are parked", group).isEmpty();
      assertThat(letters.getOrDefault(group, Set.of()))
          .as("dead letters of %s", group)
          .isEqualTo(letterTimes.getOrDefault(group, Set.of()));
      if (!inFlight.isEmpty()) {
        assertThat(swept).as("groups that the sweep looks at").contains(group);
      }
    }
  }
}
