package dev.troupe.server.redis;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.redisson.api.RScript;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.StringCodec;

/** What Troupe needs of a Redis. */
final class RedisRequirements {

  private RedisRequirements() {}

  /**
   * Refuses a Redis that is too old or too narrow, or one that may throw our data away.
   *
   * @throws RedisStartupException with a message for people
   */
  static void check(RedissonClient client) {
    Map<String, String> info = info(client);
    String version = info.getOrDefault("redis_version", "0");
    String[] parts = version.split("\\.");
    int major = Integer.parseInt(parts[0]);
    int minor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
    if (major < 6 || (major == 6 && minor < 2)) {
      throw new RedisStartupException("Redis " + version + " is too old (expected: 6.2 or newer)");
    }
    if (info.getOrDefault("arch_bits", "64").equals("32")) {
      // The scripts write microseconds as native integers.
      throw new RedisStartupException("this Redis is a 32-bit build (expected: 64-bit)");
    }
    String policy = info.getOrDefault("maxmemory_policy", "noeviction");
    if (!policy.equals("noeviction")) {
      throw new RedisStartupException(
          "this Redis would throw data away when its memory is full: maxmemory-policy is "
              + policy
              + " (expected: noeviction)");
    }
  }

  private static Map<String, String> info(RedissonClient client) {
    Map<String, String> info = new HashMap<>();
    try {
      for (String section : List.of("server", "memory")) {
        String text =
            client
                .getScript(StringCodec.INSTANCE)
                .<String>evalAsync(
                    RScript.Mode.READ_ONLY,
                    "return redis.call('INFO', ARGV[1])",
                    RScript.ReturnType.STRING,
                    List.of(),
                    section)
                .get(10, TimeUnit.SECONDS);
        for (String line : text.split("\r?\n")) {
          int colon = line.indexOf(':');
          if (colon > 0) {
            info.put(line.substring(0, colon), line.substring(colon + 1).strip());
          }
        }
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new RedisStartupException("Redis does not answer: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisStartupException("interrupted while connecting to Redis", e);
    }
    return info;
  }
}
