package dev.troupe.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A Markdown table of figures by what they are of, for each run and the medians of the runs. */
final class FigureTable {

  private final String title;
  private final List<String> columns;
  private final String format;
  private final Map<String, List<double[]>> rows = new LinkedHashMap<>();

  /**
   * An empty one.
   *
   * @param format of all figures, such as "%.1f"
   */
  FigureTable(String title, String format, String... columns) {
    this.title = title;
    this.format = format;
    this.columns = List.of(columns);
  }

  /** Adds a run; NaN where there is no figure. */
  void add(String of, double... figures) {
    rows.computeIfAbsent(of, any -> new ArrayList<>()).add(figures);
  }

  /** Prints each run, and the medians. */
  void printRuns() {
    print(true);
  }

  /** Prints the medians only. */
  void printMedians() {
    print(false);
  }

  private void print(boolean each) {
    System.out.println();
    System.out.printf("| %s | run | %s |%n", title, String.join(" | ", columns));
    System.out.printf("|---|---|%s%n", "---|".repeat(columns.size()));
    rows.forEach(
        (of, runs) -> {
          for (int i = 0; each && i < runs.size(); i++) {
            print(of, Integer.toString(i + 1), runs.get(i));
          }
          print(of, "median of " + runs.size(), medians(runs));
        });
  }

  private void print(String of, String run, double[] figures) {
    System.out.printf(
        "| %s | %s | %s |%n",
        of,
        run,
        IntStream.range(0, figures.length)
            .mapToObj(
                i ->
                    Double.isNaN(figures[i]) ? "–" : String.format(Locale.ROOT, format, figures[i]))
            .collect(Collectors.joining(" | ")));
  }

  /** Of each column; the greater one of two in the middle. */
  static double[] medians(List<double[]> all) {
    return IntStream.range(0, all.get(0).length)
        .mapToDouble(
            column ->
                all.stream().mapToDouble(row -> row[column]).sorted().toArray()[all.size() / 2])
        .toArray();
  }
}
