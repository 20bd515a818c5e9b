package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.LockChangeKind;
import dev.troupe.v1.MemoryChangeKind;
import dev.troupe.v1.TaskChangeKind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of types in docs/events.md says what the server tells, no more and no less. */
final class WellKnownTypesTest {

  private static final Pattern ROW =
      Pattern.compile("^\\| `([a-z_.]+)` \\| `(troupe\\.[a-z]+)` \\| `([A-Za-z]+)` \\|.*");

  private static final Map<String, String> PAYLOADS =
      Map.of(
          "troupe.tasks", "TaskChange",
          "troupe.agents", "AgentChange",
          "troupe.locks", "LockChange",
          "troupe.memory", "MemoryChange",
          "troupe.replies", "none",
          "troupe.topics", "TopicChange",
          "troupe.system", "SystemAlert");

  @Test
  void theTableOfTypesEqualsTheCode() throws Exception {
    Map<String, String> told = new TreeMap<>();
    kinds("task.", TaskChangeKind.values()).forEach(type -> told.put(type, "troupe.tasks"));
    kinds("agent.", AgentChangeKind.values()).forEach(type -> told.put(type, "troupe.agents"));
    // A snapshot is made for one watch, and is no event.
    told.remove("agent.snapshot");
    kinds("lock.", LockChangeKind.values()).forEach(type -> told.put(type, "troupe.locks"));
    kinds("memory.", MemoryChangeKind.values()).forEach(type -> told.put(type, "troupe.memory"));
    told.put("reply.sent", Inboxes.REPLIES);
    changesOfTopics().forEach(type -> told.put(type, "troupe.topics"));
    told.put(SystemAlerts.TYPE, SystemAlerts.TOPIC);

    Map<String, String> documented = new TreeMap<>();
    for (String line : Files.readAllLines(docs())) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        assertThat(documented.put(row.group(1), row.group(2))).as(line).isNull();
        assertThat(row.group(3)).as(line).isEqualTo(PAYLOADS.get(row.group(2)));
      }
    }
    assertThat(documented).isEqualTo(told);
  }

  @Test
  void theScriptsTellTheKindsOfTheContract() throws Exception {
    assertThat(table("task/tell", "kinds"))
        .isEqualTo(withoutPrefix("task.", kinds("task.", TaskChangeKind.values())));
    Set<String> agents = withoutPrefix("agent.", kinds("agent.", AgentChangeKind.values()));
    agents.remove("snapshot");
    assertThat(table("agent/agent", "KINDS")).isEqualTo(agents);
    assertThat(table("lock/lock", "KINDS"))
        .isEqualTo(withoutPrefix("lock.", kinds("lock.", LockChangeKind.values())));
    assertThat(table("memory/space", "KINDS"))
        .isEqualTo(withoutPrefix("memory.", kinds("memory.", MemoryChangeKind.values())));
  }

  private static Set<String> kinds(String prefix, Enum<?>[] values) {
    return Arrays.stream(values)
        .map(Enum::name)
        .filter(name -> name.contains("_CHANGE_KIND_") && !name.endsWith("_UNSPECIFIED"))
        .map(name -> prefix + name.replaceFirst(".*_CHANGE_KIND_", "").toLowerCase(Locale.ROOT))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> withoutPrefix(String prefix, Set<String> types) {
    return types.stream()
        .map(type -> type.substring(prefix.length()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The names in a table of a script, written {@code name = number}. */
  private static Set<String> table(String script, String name) throws IOException {
    Matcher table =
        Pattern.compile("local " + name + " = \\{([^}]*)}").matcher(script(script + ".lua"));
    assertThat(table.find()).as(script).isTrue();
    Set<String> names = new TreeSet<>();
    Matcher entry = Pattern.compile("([a-z_]+) =").matcher(table.group(1));
    while (entry.find()) {
      names.add(entry.group(1));
    }
    return names;
  }

  /** The types that scripts of events tell of topics and groups. */
  private static Set<String> changesOfTopics() throws Exception {
    Pattern told =
        Pattern.compile(
            "(?:tell_topic\\(|tell_group\\(|emit\\('troupe\\.topics', )'([a-z_]+\\.[a-z_]+)'");
    Set<String> types = new TreeSet<>();
    Path scripts = Path.of(WellKnownTypesTest.class.getResource("/lua/event/topic.lua").toURI());
    try (Stream<Path> files = Files.list(scripts.resolveSibling("."))) {
      for (Path file : files.toList()) {
        Matcher type = told.matcher(Files.readString(file));
        while (type.find()) {
          types.add(type.group(1));
        }
      }
    }
    return types;
  }

  private static String script(String name) throws IOException {
    try (InputStream in = WellKnownTypesTest.class.getResourceAsStream("/lua/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Path docs() {
    return List.of(Path.of("../docs/events.md"), Path.of("docs/events.md")).stream()
        .filter(Files::exists)
        .findFirst()
        .orElseThrow();
  }
}
