package dev.troupe.server.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts the configuration together: default &lt; file &lt; environment &lt; flags.
 *
 * <p>A name that no schema knows, a malformed value or a refused record stops the load; all of them
 * are reported at once. Not thread-safe.
 */
public final class ConfigLoader {

  private final List<ConfigSchema> schemas;
  private final Map<String, SettingSpec> byName = new LinkedHashMap<>();
  private final Map<String, SettingSpec> byVariable = new LinkedHashMap<>();
  private @Nullable Path file;
  private Map<String, String> environment = Map.of();
  private List<String> flags = List.of();

  private ConfigLoader(List<ConfigSchema> schemas) {
    this.schemas = schemas;
    for (ConfigSchema schema : schemas) {
      for (SettingSpec setting : schema.settings()) {
        byName.put(setting.name(), setting);
        byVariable.put(setting.environmentName(), setting);
      }
    }
  }

  /** A loader that so far gives nothing but defaults. */
  public static ConfigLoader of(List<? extends Class<? extends Record>> types) {
    return new ConfigLoader(ConfigSchema.of(types));
  }

  /** Reads this file, which must exist. */
  public ConfigLoader file(Path file) {
    this.file = file;
    return this;
  }

  /** Reads this file if it exists. */
  public ConfigLoader fileIfPresent(Path file) {
    this.file = Files.exists(file) ? file : null;
    return this;
  }

  /** Reads the variables that begin with {@code TROUPE_}. */
  public ConfigLoader environment(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
    return this;
  }

  /** Reads arguments such as {@code --grpc.port=7070}; the last one of a name wins. */
  public ConfigLoader flags(List<String> flags) {
    this.flags = List.copyOf(flags);
    return this;
  }

  /**
   * Reads, merges and checks.
   *
   * @throws ConfigException with all problems
   */
  public Config load() {
    List<String> problems = new ArrayList<>();
    Map<String, GivenValue> given = new LinkedHashMap<>();
    if (file != null) {
      accept(PropertiesFile.read(file, problems), given, problems);
    }
    accept(EnvironmentVariables.read(environment, byVariable, problems), given, problems);
    accept(Flags.read(flags, byName, problems), given, problems);

    Map<Class<? extends Record>, Record> records = new LinkedHashMap<>();
    List<Config.Row> table = new ArrayList<>();
    for (ConfigSchema schema : schemas) {
      Record built = build(schema, given, problems);
      if (built != null) {
        records.put(schema.type(), built);
      }
      for (SettingSpec setting : schema.settings()) {
        GivenValue value = valueOf(setting, given);
        table.add(
            new Config.Row(
                setting.name(),
                setting.shown(value.text()),
                value.source(),
                !value.text().strip().equals(setting.fallback())));
      }
    }
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
    return new Config(records, table);
  }

  private void accept(
      List<GivenValue> values, Map<String, GivenValue> given, List<String> problems) {
    for (GivenValue value : values) {
      if (byName.containsKey(value.name())) {
        given.put(value.name(), value);
      } else {
        String hint =
            NearestName.to(value.name(), byName.keySet())
                .map(nearest -> "; did you mean " + nearest + "?")
                .orElse("");
        problems.add(told(value.source(), value.name() + " is no setting" + hint));
      }
    }
  }

  private static GivenValue valueOf(SettingSpec setting, Map<String, GivenValue> given) {
    return given.getOrDefault(
        setting.name(), new GivenValue(setting.name(), setting.fallback(), "default"));
  }

  private static @Nullable Record build(
      ConfigSchema schema, Map<String, GivenValue> given, List<String> problems) {
    List<Object> values = new ArrayList<>();
    for (SettingSpec setting : schema.settings()) {
      GivenValue value = valueOf(setting, given);
      try {
        values.add(SettingReader.read(setting.type(), value.text()));
      } catch (IllegalArgumentException malformed) {
        String complaint =
            setting.name()
                + ": "
                + setting.shown(value.text())
                + " ("
                + malformed.getMessage()
                + ")";
        problems.add(told(value.source(), complaint));
      }
    }
    if (values.size() < schema.settings().size()) {
      return null;
    }
    try {
      return schema.build(values);
    } catch (IllegalArgumentException refused) {
      String message = String.valueOf(refused.getMessage());
      message.lines().forEach(line -> problems.add(told(sources(schema, line, given), line)));
      return null;
    }
  }

  /** Where the settings that a record's complaint names were given; a record may have several. */
  private static String sources(
      ConfigSchema schema, String complaint, Map<String, GivenValue> given) {
    List<String> sources =
        schema.settings().stream()
            .filter(setting -> complaint.contains(setting.name()))
            .map(setting -> valueOf(setting, given).source())
            .distinct()
            .toList();
    return sources.isEmpty() ? schema.type().getSimpleName() : String.join(", ", sources);
  }

  /** A complaint with where it comes from; a flag is named by that already. */
  private static String told(String source, String complaint) {
    String flagged = "--" + complaint;
    return flagged.startsWith(source + ":") || flagged.startsWith(source + " ")
        ? flagged
        : source + ": " + complaint;
  }
}
