package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.agent.RedisWire;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares what a namespace has in Redis: every grant has its deadline and its place in the index
 * and no other does, permits add up, queues hold exactly the waits that there are, and whatever is
 * neither of them goes away by itself.
 */
final class LockAudit {

  private static final int ID = 22;

  private final Set<String> grants = new TreeSet<>();
  private final Set<String> byToken = new TreeSet<>();
  private final Set<String> deadlines = new TreeSet<>();
  private final Set<String> indexedHolders = new TreeSet<>();
  private final Set<String> indexedWaits = new TreeSet<>();
  private final Set<String> indexedNames = new TreeSet<>();
  private final Set<String> names = new TreeSet<>();
  private final Set<String> queued = new TreeSet<>();
  private final Set<String> waits = new TreeSet<>();
  private final Set<String> waitDeadlines = new TreeSet<>();
  private final Map<String, String> counts = new TreeMap<>();
  private final Map<String, Integer> queueSizes = new TreeMap<>();
  private final Set<String> withoutLifetime = new TreeSet<>();

  private LockAudit() {}

  /** Fails unless the namespace is consistent; looks into each Redis process. */
  static void check(String namespace, List<RedisWire> masters) throws IOException {
    LockAudit audit = new LockAudit();
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
    String kind = key.substring(key.indexOf("}:") + 2);
    if (kind.startsWith("lk:l:")) {
      String name = kind.substring(5);
      if ("hash".equals(redis.command("TYPE", key))) {
        lock(name, redis.texts("HGETALL", key));
      } else {
        String id = (String) redis.command("GETRANGE", key, "0", "21");
        lock(name, List.of("s", "1 1 0 0", "g" + id, ""));
      }
    } else if (kind.startsWith("lk:q:")) {
      List<String> ids = redis.texts("ZRANGE", key, "0", "-1");
      ids.forEach(id -> queued.add(kind.substring(5) + " " + id));
      queueSizes.put(kind.substring(5), ids.size());
    } else if (kind.startsWith("lk:w:")) {
      waits.add(kind.substring(5));
    } else if (kind.equals("lk:due")) {
      for (String member : redis.texts("ZRANGE", key, "0", "-1")) {
        deadlines.add(member.substring(ID) + " " + member.substring(0, ID));
      }
    } else if (kind.equals("lk:wd")) {
      waitDeadlines.addAll(redis.texts("ZRANGE", key, "0", "-1"));
    } else if (kind.equals("lk:ix")) {
      redis.texts("ZRANGE", key, "0", "-1").forEach(this::index);
    } else if (kind.startsWith("lk:b:")) {
      // Compared by the tests of sessions.
      return;
    } else if (!Set.of("log", "head", "lk:tok", "lk:more").contains(kind)
        && !kind.startsWith("ag:")
        // A test published an event; its topic is looked after by others.
        && !kind.matches("ev:(topics|aged|[te]:.*)")
        && redis.isForEver(key)) {
      withoutLifetime.add(key);
    }
  }

  private void lock(String name, List<String> fields) {
    names.add(name);
    for (int i = 0; i < fields.size(); i += 2) {
      String field = fields.get(i);
      if (field.length() == ID + 1 && field.startsWith("g")) {
        grants.add(name + " " + field.substring(1));
      } else if (field.startsWith("t")) {
        byToken.add(name + " " + fields.get(i + 1));
      } else if (field.equals("s")) {
        String[] state = fields.get(i + 1).split(" ", -1);
        counts.put(name + " m", state[0]);
        counts.put(name + " n", state[1]);
        counts.put(name + " q", state[2]);
      }
    }
  }

  private void index(String member) {
    String[] parts = member.substring(2).split("\0", -1);
    switch (member.charAt(0)) {
      case 'n' -> indexedNames.add(parts[0]);
      case 'h' -> indexedHolders.add(parts[1] + " " + parts[2]);
      default -> indexedWaits.add(parts[1] + " " + parts[2]);
    }
  }

  /** The grants of locks that are not held exclusively. */
  private Set<String> sharing() {
    Set<String> found = new TreeSet<>(grants);
    found.removeIf(
        grant -> "1".equals(counts.get(grant.substring(0, grant.length() - ID - 1) + " m")));
    return found;
  }

  private void compare() {
    assertThat(deadlines).as("deadlines").isEqualTo(grants);
    assertThat(indexedHolders).as("index of holders").isEqualTo(grants);
    assertThat(byToken).as("leases by token").isEqualTo(sharing());
    assertThat(indexedNames).as("index of names").isEqualTo(names);
    assertThat(indexedWaits).as("index of waits").isEqualTo(queued);
    assertThat(waitDeadlines).as("deadlines of waits").isEqualTo(waits);
    Set<String> queuedIds = new TreeSet<>();
    queued.forEach(one -> queuedIds.add(one.substring(one.length() - ID)));
    assertThat(queuedIds).as("waits in queues").isEqualTo(waits);
    for (String name : names) {
      assertThat(counts.get(name + " q"))
          .as("waiters of %s", name)
          .isEqualTo(Integer.toString(queueSizes.getOrDefault(name, 0)));
      long holders = grants.stream().filter(grant -> grant.startsWith(name + " ")).count();
      assertThat(Integer.parseInt(String.valueOf(counts.get(name + " n"))))
          .as("permits of %s", name)
          .isGreaterThanOrEqualTo((int) holders);
      assertThat(holders == 0)
          .as("mode of %s", name)
          .isEqualTo("0".equals(counts.get(name + " m")));
    }
    assertThat(withoutLifetime).isEmpty();
  }
}
