package dev.troupe.examples.survey;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What the fleet found, and whether it is what a plain count finds. */
record SurveyReport(
    Map<String, SurveyResult> results,
    Map<String, Counts> plain,
    Map<String, Integer> byWorker,
    List<String> misrouted,
    List<String> completedTwice,
    Set<String> findings) {

  private static final int MOST_SHOWN = 10;

  /** Everything that speaks against the survey; empty when all is well. */
  List<String> complaints() {
    List<String> complaints = new ArrayList<>();
    plain.forEach(
        (file, counts) -> {
          SurveyResult result = results.get(file);
          if (result == null) {
            complaints.add(file + ": no result");
          } else if (!result.counts().equals(counts)) {
            complaints.add(file + ": " + result.counts() + " (expected: " + counts + ")");
          } else if (counts.todos() > 0 && !findings.contains(file)) {
            complaints.add(file + ": no finding was published");
          }
        });
    misrouted.forEach(file -> complaints.add(file + ": went to a worker without its language"));
    completedTwice.forEach(file -> complaints.add(file + ": completed twice"));
    return complaints;
  }

  void print(PrintStream out) {
    Map<String, Counts> counts = new TreeMap<>();
    Map<String, Integer> files = new TreeMap<>();
    results
        .values()
        .forEach(
            result -> {
              counts.merge(result.language(), result.counts(), Counts::plus);
              files.merge(result.language(), 1, Integer::sum);
            });
    out.printf(
        "%-12s %8s %10s %13s %9s %6s%n",
        "LANGUAGE", "FILES", "LINES", "DECLARATIONS", "IMPORTS", "TODOS");
    counts.forEach((language, sum) -> row(out, language, files.getOrDefault(language, 0), sum));
    row(out, "all", results.size(), sum(counts.values()));
    out.println();
    out.printf("%-12s %8s%n", "WORKER", "FILES");
    byWorker.forEach((worker, done) -> out.printf("%-12s %8d%n", worker, done));
    out.println();
    out.printf("findings published for %d files%n", findings.size());
  }

  private static void row(PrintStream out, String name, int files, Counts sum) {
    out.printf(
        Locale.ROOT,
        "%-12s %8d %10d %13d %9d %6d%n",
        name,
        files,
        sum.lines(),
        sum.declarations(),
        sum.imports(),
        sum.todos());
  }

  private static Counts sum(Iterable<Counts> all) {
    Counts sum = Counts.NONE;
    for (Counts one : all) {
      sum = sum.plus(one);
    }
    return sum;
  }

  /** Prints the verdict and says whether it is a good one. */
  boolean printCheck(PrintStream out, double plainSeconds) {
    List<String> complaints = complaints();
    if (complaints.isEmpty()) {
      out.printf(
          Locale.ROOT,
          "check: equal to a plain count of %d files in one process (%.1f s)%n",
          plain.size(),
          plainSeconds);
      return true;
    }
    out.printf("check: FAILED, %d complaints%n", complaints.size());
    complaints.stream().limit(MOST_SHOWN).forEach(complaint -> out.println("  " + complaint));
    return false;
  }
}
