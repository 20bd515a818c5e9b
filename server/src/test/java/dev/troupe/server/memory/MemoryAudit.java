package dev.troupe.server.memory;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.server.agent.RedisWire;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares what a namespace has in Redis: every item stands in each structure of its space and
 * nothing else does, hashes name each item once, counters are what is there, and whatever belongs
 * to no space goes away by itself.
 */
final class MemoryAudit {

  private final Map<String, Space> spaces = new TreeMap<>();
  private final Set<String> names = new TreeSet<>();
  private final Set<String> watched = new TreeSet<>();
  private final Set<String> withoutLifetime = new TreeSet<>();

  /** One space, by its structures. */
  private static final class Space {
    final Map<String, String> state = new HashMap<>();
    final Map<String, ItemRecord> said = new TreeMap<>();
    final Map<String, Integer> bodies = new TreeMap<>();
    final Map<String, String> hashes = new TreeMap<>();
    final Set<String> order = new TreeSet<>();
    final Set<String> times = new TreeSet<>();
    final Set<String> evictions = new TreeSet<>();
    final Set<String> talksByName = new TreeSet<>();
    final Set<String> talksByEnd = new TreeSet<>();
    final Set<String> talks = new TreeSet<>();
    long talkBytes;
  }

  private MemoryAudit() {}

  /** Fails unless the namespace is consistent; looks into each Redis process. */
  static void check(String namespace, List<RedisWire> masters) throws IOException {
    MemoryAudit audit = new MemoryAudit();
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
    switch (kind) {
      case "log", "head", "me:def" -> {}
      case "me:names" -> names.addAll(redis.texts("ZRANGE", key, "0", "-1"));
      case "me:due" -> watched.addAll(redis.texts("ZRANGE", key, "0", "-1"));
      default -> {
        if (kind.matches("me:\\d+:.*")) {
          int colon = kind.indexOf(':', 3);
          int bytes = Integer.parseInt(kind.substring(3, colon));
          String name = kind.substring(colon + 1, colon + 1 + bytes);
          space(redis, key, kind.substring(colon + 2 + bytes), name);
        } else if (!kind.startsWith("ag:") && redis.isForEver(key)) {
          withoutLifetime.add(key);
        }
      }
    }
  }

  private void space(RedisWire redis, String key, String part, String name) throws IOException {
    Space space = spaces.computeIfAbsent(name, n -> new Space());
    switch (part) {
      case "s" -> pairs(redis, key).forEach(space.state::put);
      case "m" ->
          pairs(redis, key)
              .forEach(
                  (id, said) ->
                      space.said.put(
                          id, ItemRecord.parse(ByteString.copyFrom(said.getBytes(ISO_8859_1)))));
      case "b" -> pairs(redis, key).forEach((id, body) -> space.bodies.put(id, body.length()));
      case "h" -> pairs(redis, key).forEach(space.hashes::put);
      case "o" -> space.order.addAll(redis.texts("ZRANGE", key, "0", "-1"));
      case "x" -> space.times.addAll(redis.texts("ZRANGE", key, "0", "-1"));
      case "q" -> space.evictions.addAll(redis.texts("ZRANGE", key, "0", "-1"));
      case "cx" -> space.talksByName.addAll(redis.texts("ZRANGE", key, "0", "-1"));
      case "cn" -> space.talksByEnd.addAll(redis.texts("ZRANGE", key, "0", "-1"));
      default -> {
        String[] talk = part.split(":", 3);
        assertThat(talk[0]).as("key %s", key).isEqualTo("t");
        space.talks.add(talk[1] + " " + talk[2]);
        pairs(redis, key)
            .forEach((field, value) -> space.talkBytes += field.equals("h") ? 0 : value.length());
      }
    }
  }

  private static Map<String, String> pairs(RedisWire redis, String key) throws IOException {
    List<String> fields = redis.texts("HGETALL", key);
    Map<String, String> pairs = new HashMap<>();
    for (int i = 0; i < fields.size(); i += 2) {
      pairs.put(fields.get(i), fields.get(i + 1));
    }
    return pairs;
  }

  private void compare() {
    assertThat(spaces.keySet()).as("spaces").isEqualTo(names);
    spaces.forEach(this::compare);
    assertThat(withoutLifetime).isEmpty();
  }

  private void compare(String name, Space space) {
    Set<String> ids = space.said.keySet();
    assertThat(space.bodies.keySet()).as("contents of %s", name).isEqualTo(ids);
    assertThat(space.order).as("order of %s", name).isEqualTo(ids);
    assertThat(space.evictions).as("eviction order of %s", name).isEqualTo(ids);
    Set<String> ending = new TreeSet<>();
    Map<String, String> hashes = new TreeMap<>();
    long bytes = 0;
    for (Map.Entry<String, ItemRecord> item : space.said.entrySet()) {
      if (item.getValue().endsMicros() > 0) {
        ending.add(item.getKey());
      }
      assertThat(hashes.put(item.getValue().hash(), item.getKey())).as("same content").isNull();
      bytes += item.getValue().toItem("").getSizeBytes();
      assertThat(item.getValue().toItem("").getSizeBytes())
          .as("bytes of %s", item.getKey())
          .isGreaterThanOrEqualTo(space.bodies.getOrDefault(item.getKey(), 0));
    }
    assertThat(space.times).as("times of %s", name).isEqualTo(ending);
    assertThat(space.hashes).as("hashes of %s", name).isEqualTo(hashes);
    assertThat(space.state.get("n")).as("items of %s", name).isEqualTo("" + ids.size());
    assertThat(space.state.get("t")).as("turns' bytes of %s", name).isEqualTo("" + space.talkBytes);
    assertThat(space.state.get("b"))
        .as("bytes of %s", name)
        .isEqualTo("" + (bytes + space.talkBytes));
    assertThat(space.talksByEnd).as("conversations of %s", name).isEqualTo(space.talksByName);
    Set<String> talks = new HashSet<>();
    space.talksByName.forEach(talk -> talks.add(space.state.get("g") + " " + talk));
    assertThat(space.talks).as("turns of %s", name).isEqualTo(talks);
    if (!ending.isEmpty() || !talks.isEmpty()) {
      assertThat(watched).as("watched by the sweeper").contains(name);
    }
  }
}
