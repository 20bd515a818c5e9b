package dev.troupe.server.config;

import java.util.List;
import java.util.Map;

/** The effective configuration: one checked record per feature. Immutable. */
public final class Config {

  private final Map<Class<? extends Record>, Record> records;
  private final List<Row> table;

  Config(Map<Class<? extends Record>, Record> records, List<Row> table) {
    this.records = Map.copyOf(records);
    this.table = List.copyOf(table);
  }

  /**
   * A setting as it is in force.
   *
   * @param name the setting
   * @param value its value; a secret is masked
   * @param source where the value was given, or {@code default}
   * @param changed whether it is another one than the default
   */
  public record Row(String name, String value, String source, boolean changed) {}

  /** A record with nothing but defaults, for tests and tools. */
  public static <T extends Record> T defaults(Class<T> type) {
    return ConfigLoader.of(List.of(type)).load().get(type);
  }

  /** The record of a feature. Asking for one whose schema was not loaded is a fault. */
  public <T extends Record> T get(Class<T> type) {
    Record config = records.get(type);
    if (config == null) {
      throw new IllegalStateException("no schema was loaded for " + type.getName());
    }
    return type.cast(config);
  }

  Map<Class<? extends Record>, Record> records() {
    return records;
  }

  /** All settings, in the order of the schemas. */
  public List<Row> table() {
    return table;
  }

  /** The table as aligned text, one line per setting. */
  public String describe() {
    return describe(table);
  }

  /** The same for the settings that are not as by default; empty when all are. */
  public String describeChanged() {
    return describe(table.stream().filter(Row::changed).toList());
  }

  private static String describe(List<Row> table) {
    int names = table.stream().mapToInt(row -> row.name().length()).max().orElse(0);
    int values = table.stream().mapToInt(row -> row.value().length()).max().orElse(0);
    int width = Math.min(values, 40);
    StringBuilder text = new StringBuilder();
    for (Row row : table) {
      text.append(pad(row.name(), names))
          .append("  ")
          .append(pad(row.value(), width))
          .append("  ")
          .append(row.source())
          .append('\n');
    }
    return text.toString();
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
