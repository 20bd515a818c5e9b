import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.redisson.Redisson;
import org.redisson.api.RMapCache;
import org.redisson.api.RScript;
import org.redisson.api.RedissonClient;
import org.redisson.api.redisnode.RedisNodes;
import org.redisson.api.redisnode.RedisSingle;
import org.redisson.api.redisnode.RedisNode.InfoSection;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.codec.CompositeCodec;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;

/**
 * What items that end take in Redis, laid out in four ways: bytes for each, the processor time of
 * Redis for each put, read and end, and what is left of them some time after their end.
 *
 * <p>java -cp CLASSPATH bench/scripts/MemoryLayout.java PORT [ITEMS], with the class path of the
 * server and an empty Redis on loopback.
 */
public final class MemoryLayout {

  private static final int BODY = 1900;
  private static final int LIFE_SECONDS = 20;

  private final RedissonClient redisson;
  private final int items;
  private final Random random = new Random(1);
  private final List<String> ids = new ArrayList<>();
  private final byte[][] bodies;

  private MemoryLayout(RedissonClient redisson, int items) {
    this.redisson = redisson;
    this.items = items;
    bodies = new byte[items][BODY];
    for (int i = 0; i < items; i++) {
      ids.add(String.format("%022d", i));
      random.nextBytes(bodies[i]);
    }
  }

  public static void main(String[] arguments) throws Exception {
    int items = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20_000;
    Config config = new Config();
    config.useSingleServer()
        .setAddress("redis://127.0.0.1:" + arguments[0])
        .setConnectionPoolSize(4)
        .setConnectionMinimumIdleSize(4);
    RedissonClient redisson = Redisson.create(config);
    MemoryLayout layout = new MemoryLayout(redisson, items);
    System.out.println("layout | bytes beside the body | us/put | us/read | us/end | left after 5 s, 30 s");
    layout.mapCache();
    layout.plainKeys();
    layout.hashAndDeadlines();
    layout.troupe();
    redisson.shutdown();
  }

  private interface Ends {
    /** Does what time brings, if Redis does not. */
    void sweep() throws Exception;
  }

  private void measure(
      String name,
      IntFunction<CompletionStage<?>> put,
      IntFunction<CompletionStage<?>> read,
      Ends ends)
      throws Exception {
    redisson.getKeys().flushall();
    all(i -> read.apply(i % items), 500); // warm, loads scripts
    redisson.getKeys().flushall();
    Thread.sleep(2000);
    long before = memory();
    double cpu = cpu();
    all(put, items);
    double puts = cpu() - cpu;
    long taken = memory() - before;
    cpu = cpu();
    all(read, items);
    double reads = cpu() - cpu;
    // Idle time costs something too; it is taken off.
    cpu = cpu();
    long idleFrom = System.nanoTime();
    Thread.sleep(3000);
    double idle = (cpu() - cpu) / (System.nanoTime() - idleFrom);
    cpu = cpu();
    long from = System.nanoTime();
    Thread.sleep(LIFE_SECONDS * 1000L);
    ends.sweep();
    Thread.sleep(5000);
    long after5 = memory() - before;
    ends.sweep();
    Thread.sleep(25_000);
    ends.sweep();
    long after30 = memory() - before;
    double end = cpu() - cpu - idle * (System.nanoTime() - from);
    System.out.printf(
        "%s | %d | %.1f | %.1f | %.1f | %.0f %%, %.0f %%%n",
        name,
        taken / items - BODY,
        puts * 1e6 / items,
        reads * 1e6 / items,
        end * 1e6 / items,
        100.0 * after5 / taken,
        100.0 * after30 / taken);
  }

  private void all(IntFunction<CompletionStage<?>> call, int count) throws Exception {
    Semaphore flight = new Semaphore(64);
    for (int i = 0; i < count; i++) {
      flight.acquire();
      call.apply(i).whenComplete((done, failure) -> {
        if (failure != null) {
          failure.printStackTrace();
        }
        flight.release();
      });
    }
    flight.acquire(64);
  }

  private void mapCache() throws Exception {
    RMapCache<String, byte[]> map =
        redisson.getMapCache(
            "map", new CompositeCodec(StringCodec.INSTANCE, ByteArrayCodec.INSTANCE));
    measure(
        "RMapCache",
        i -> map.fastPutAsync(ids.get(i), bodies[i], LIFE_SECONDS, TimeUnit.SECONDS),
        i -> map.getAsync(ids.get(i)),
        () -> {});
    map.destroy();
  }

  private void plainKeys() throws Exception {
    measure(
        "plain key with PEXPIRE",
        i ->
            redisson
                .<byte[]>getBucket("troupe:{default/0}:me:5:space:i:" + ids.get(i), ByteArrayCodec.INSTANCE)
                .setAsync(bodies[i], LIFE_SECONDS, TimeUnit.SECONDS),
        i ->
            redisson
                .<byte[]>getBucket("troupe:{default/0}:me:5:space:i:" + ids.get(i), ByteArrayCodec.INSTANCE)
                .getAsync(),
        () -> {});
  }

  private CompletionStage<Object> eval(String script, String key, Object... values) {
    return redisson
        .getScript(ByteArrayCodec.INSTANCE)
        .evalShaAsync(
            RScript.Mode.READ_WRITE,
            sha(script),
            RScript.ReturnType.VALUE,
            List.of(key),
            Arrays.stream(values)
                .map(value -> value instanceof byte[] ? value : value.toString().getBytes(UTF_8))
                .toArray());
  }

  private final Map<String, String> shas = new java.util.concurrent.ConcurrentHashMap<>();

  private String sha(String script) {
    return shas.computeIfAbsent(script, source -> redisson.getScript().scriptLoad(source));
  }

  private void hashAndDeadlines() throws Exception {
    String put =
        "local t = redis.call('TIME') local us = t[1] * 1000000 + t[2] + ARGV[3]"
            + " redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]..struct.pack('d', us))"
            + " redis.call('ZADD', KEYS[1]..':x', string.format('%d', us), ARGV[1]) return 1";
    String get =
        "local v = redis.call('HGET', KEYS[1], ARGV[1]) if not v then return false end"
            + " local t = redis.call('TIME') local us = t[1] * 1000000 + t[2]"
            + " if struct.unpack('d', v, #v - 7) <= us then return false end return v";
    String sweep =
        "local t = redis.call('TIME') local us = t[1] * 1000000 + t[2]"
            + " local ids = redis.call('ZRANGEBYSCORE', KEYS[1]..':x', '-inf', string.format('%d', us), 'LIMIT', 0, 64)"
            + " if #ids > 0 then redis.call('HDEL', KEYS[1], unpack(ids)) redis.call('ZREM', KEYS[1]..':x', unpack(ids)) end"
            + " return #ids";
    measure(
        "hash and deadlines",
        i -> eval(put, "{d}space", ids.get(i), bodies[i], LIFE_SECONDS * 1_000_000L),
        i -> eval(get, "{d}space", ids.get(i)),
        () -> {
          while ((Long) eval(sweep, "{d}space").toCompletableFuture().get() > 0) {}
        });
  }

  private void troupe() throws Exception {
    String put = lua("memory/put");
    String read = lua("memory/read");
    String sweep = lua("memory/sweep");
    String key = "troupe:{default/0}:log";
    String life = Long.toString(LIFE_SECONDS * 1_000_000L);
    String numbers =
        String.join(" ", life, life, life, "0 0 0 0 0 0 0 0 0 0 10000000 1000000000000 1000000 0");
    measure(
        "this one, whole (reads that only look)",
        i ->
            eval(
                put, key, 1000, "settings", numbers, "space", "", 0, "", "", 1, ids.get(i),
                String.format("%032d", i), 1, 0, "0.5", "agents/a", 0, 2, "tag-one", "tag-two",
                2, "key", "value", bodies[i], new byte[40]),
        i -> eval(read, key, "space", 1, 1 << 20, ids.get(i)),
        () -> {
          List<?> reply;
          do {
            reply =
                (List<?>)
                    redisson
                        .getScript(ByteArrayCodec.INSTANCE)
                        .evalSha(
                            RScript.Mode.READ_WRITE,
                            sha(sweep),
                            RScript.ReturnType.LIST,
                            List.of(key));
          } while ((Long) reply.get(1) == 1);
        });
    measure(
        "this one, whole (reads that count)",
        i ->
            eval(
                put, key, 1000, "settings", numbers, "space", "", 0, "", "", 1, ids.get(i),
                String.format("%032d", i), 1, 0, "0.5", "agents/a", 0, 2, "tag-one", "tag-two",
                2, "key", "value", bodies[i], new byte[40]),
        i -> eval(read, key, "space", 0, 1 << 20, ids.get(i)),
        () -> {});
  }

  private static String lua(String name) throws IOException {
    StringBuilder source = new StringBuilder();
    append(name, source, new LinkedHashSet<>());
    return source.toString();
  }

  private static void append(String name, StringBuilder source, Set<String> seen)
      throws IOException {
    if (!seen.add(name)) {
      return;
    }
    Path file = Path.of("server/src/main/resources/lua/" + name + ".lua");
    for (String line : Files.readAllLines(file)) {
      String trimmed = line.strip();
      if (trimmed.startsWith("--#include ")) {
        append(trimmed.substring(11).strip(), source, seen);
      } else if (!trimmed.isEmpty() && !trimmed.startsWith("--")) {
        source.append(trimmed).append('\n');
      }
    }
  }

  private Map<String, String> info(InfoSection section) {
    RedisSingle nodes = redisson.getRedisNodes(RedisNodes.SINGLE);
    return nodes.getInstance().info(section);
  }

  private long memory() {
    return Long.parseLong(info(InfoSection.MEMORY).get("used_memory"));
  }

  private double cpu() {
    Map<String, String> info = info(InfoSection.CPU);
    return Double.parseDouble(info.get("used_cpu_user")) + Double.parseDouble(info.get("used_cpu_sys"));
  }
}
