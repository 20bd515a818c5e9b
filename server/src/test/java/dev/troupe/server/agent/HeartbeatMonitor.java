package dev.troupe.server.agent;

import static org.awaitility.Awaitility.await;

import dev.troupe.server.redis.Script;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Hears every heartbeat script of a test's namespace, by MONITOR on each Redis process. */
final class HeartbeatMonitor implements AutoCloseable {

  private final AgentHarness agents;
  private final Pattern call;
  private final List<RedisWire> listening = new ArrayList<>();
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private final ConcurrentHashMap.KeySetView<String, Boolean> marks = ConcurrentHashMap.newKeySet();

  HeartbeatMonitor(AgentHarness agents) throws IOException {
    this.agents = agents;
    call =
        Pattern.compile(
            "\"evalsha\" \""
                + Script.load("agent/heartbeat").sha()
                + "\" \"1\" \"troupe:\\{("
                + agents.namespace()
                + "/\\d+)");
    for (int port : agents.ports) {
      RedisWire redis = new RedisWire(port);
      redis.command("MONITOR");
      listening.add(redis);
      Thread reader = new Thread(() -> listen(redis), "monitor");
      reader.setDaemon(true);
      reader.start();
    }
  }

  private void listen(RedisWire redis) {
    try {
      while (true) {
        String line = ((String) redis.reply()).toLowerCase(Locale.ROOT);
        Matcher matcher = call.matcher(line);
        if (matcher.find()) {
          heard.add(matcher.group(1));
        } else if (line.contains("\"echo\" ")) {
          marks.add(line.substring(line.lastIndexOf(' ') + 2, line.length() - 1));
        }
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  /** The partitions of the scripts until now, one for each script. */
  List<String> heard() throws IOException {
    for (RedisWire redis : agents.masters) {
      String mark = UUID.randomUUID().toString();
      redis.command("ECHO", mark);
      await().until(() -> marks.contains(mark));
    }
    return List.copyOf(heard);
  }

  @Override
  public void close() throws IOException {
    for (RedisWire redis : listening) {
      redis.close();
    }
  }
}
