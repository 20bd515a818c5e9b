package dev.troupe.server.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.Agent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares everything that a namespace has in Redis with what its agents' records say has to be
 * there: every index, deadline and retention holds exactly the agents that belong into it.
 */
final class AgentAudit {

  private final String namespace;

  /** What there is, and what there should be; by key, such as {@code default/0 ag:ix:type:a}. */
  private final Map<String, Set<String>> found = new TreeMap<>();

  private final Map<String, Set<String>> expected = new TreeMap<>();
  private final Set<String> hosts = new TreeSet<>();
  private final Map<String, Long> counters = new TreeMap<>();
  private final Map<String, Long> counted = new TreeMap<>();
  private final Set<String> commanded = new TreeSet<>();
  private final Set<String> sessions = new TreeSet<>();
  private final Set<String> bitmaps = new TreeSet<>();
  private final List<String> withoutLifetime = new ArrayList<>();

  private AgentAudit(String namespace) {
    this.namespace = namespace;
  }

  /** Fails unless the namespace is consistent; looks into each Redis process. */
  static void check(String namespace, List<RedisWire> masters) throws IOException {
    AgentAudit audit = new AgentAudit(namespace);
    for (RedisWire redis : masters) {
      audit.look(redis);
    }
    assertThat(audit.found).isEqualTo(audit.expected);
    assertThat(audit.withoutLifetime).isEmpty();
    assertThat(audit.counters).isEqualTo(audit.counted);
    assertThat(audit.sessions).containsAll(audit.commanded);
    assertThat(audit.bitmaps).isEqualTo(audit.hosts);
  }

  private void look(RedisWire redis) throws IOException {
    String cursor = "0";
    do {
      List<?> page =
          (List<?>)
              redis.command(
                  "SCAN", cursor, "MATCH", "troupe:{" + namespace + "/*", "COUNT", "1000");
      cursor = (String) page.get(0);
      for (Object key : (List<?>) page.get(1)) {
        look(redis, (String) key);
      }
    } while (!cursor.equals("0"));
  }

  private void look(RedisWire redis, String key) throws IOException {
    int end = key.indexOf("}:");
    String partition = key.substring(key.indexOf('{') + 1, end);
    String kind = key.substring(end + 2);
    if (kind.startsWith("ag:a:")) {
      agent(
          partition, kind.substring(5), redis.texts("HMGET", key, "b", "st", "tok", "ct", "task"));
    } else if (kind.equals("ag:n")) {
      List<String> fields = redis.texts("HGETALL", key);
      for (int i = 0; i < fields.size(); i += 2) {
        counters.put(partition + " " + fields.get(i), Long.valueOf(fields.get(i + 1)));
      }
    } else if (kind.startsWith("ag:c:")) {
      commanded.add(kind.substring(5));
      if (redis.isForEver(key)) {
        withoutLifetime.add(key);
      }
    } else if (kind.startsWith("ag:ports:")) {
      ports(kind.substring(9), redis.texts("HGETALL", key));
    } else if (kind.startsWith("ag:hp:")) {
      host(redis, key, kind.substring(6));
    } else if (kind.startsWith("ag:hb:")) {
      bitmaps.add(kind.substring(6));
    } else if (kind.equals("ag:fig") || kind.equals("ag:figpos")) {
      // Positions in logs, not agents.
      return;
    } else if (kind.startsWith("ag:")) {
      found.put(partition + " " + kind, new TreeSet<>(redis.texts("ZRANGE", key, "0", "-1")));
    } else if (!kind.equals("log")
        && !kind.equals("head")
        // The tasks have suites of their own.
        && !kind.startsWith("tq:")
        && redis.isForEver(key)) {
      withoutLifetime.add(key);
    }
  }

  /** Each port of a session is that host's under the same booking, and none is being released. */
  private void ports(String agent, List<String> fields) {
    for (int i = 0; i < fields.size(); i += 2) {
      String[] value = fields.get(i + 1).split("\n", -1);
      assertThat(value[2]).isEqualTo("1");
      expect("", "port " + fields.get(i), value[0] + "\n" + value[1] + "\n" + agent);
    }
  }

  /** Each port of a host is confirmed, and the bits are those of the ports. */
  private void host(RedisWire redis, String key, String host) throws IOException {
    String bits = key.replace("}:ag:hp:", "}:ag:hb:");
    List<String> fields = redis.texts("HGETALL", key);
    long ports = 0;
    for (int i = 0; i < fields.size(); i += 2) {
      if (!fields.get(i).equals("next")) {
        ports++;
        found
            .computeIfAbsent(" port " + host + "\n" + fields.get(i), port -> new TreeSet<>())
            .add(fields.get(i + 1));
        assertThat(redis.command("GETBIT", bits, fields.get(i))).isEqualTo(1L);
      }
    }
    assertThat(ports).isPositive();
    assertThat(redis.command("BITCOUNT", bits)).isEqualTo(ports);
    hosts.add(host);
  }

  private void agent(String partition, String id, List<String> fields) throws IOException {
    Agent agent = Agent.parseFrom(fields.get(0).getBytes(ISO_8859_1));
    assertThat(RedisWire.bytes(agent.getAgentId())).isEqualTo(id);
    expect(partition, "ag:all", id);
    for (String index : AgentStore.indexKeys(agent)) {
      expect(partition, "ag:ix:" + RedisWire.bytes(index), id);
    }
    expect(partition, "ag:ix:status:" + fields.get(1), id);
    expect(partition, "ag:made", fields.get(3) + id);
    String type = RedisWire.bytes(agent.getType());
    expect(partition, "ag:types", type);
    counted.merge(partition + " " + fields.get(1) + ":" + type, 1L, Long::sum);
    boolean over = fields.get(1).equals("7") || fields.get(1).equals("8");
    expect(partition, over ? "ag:gone" : "ag:deadline", id);
    if (!over && (fields.get(1).equals("3") || !fields.get(4).isEmpty())) {
      counted.merge(partition + " busy", 1L, Long::sum);
    }
    if (!over) {
      sessions.add(fields.get(2) + ":" + id);
    }
  }

  private void expect(String partition, String kind, String id) {
    expected.computeIfAbsent(partition + " " + kind, key -> new TreeSet<>()).add(id);
  }
}
