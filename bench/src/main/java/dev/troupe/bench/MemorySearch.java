package dev.troupe.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Searches of one memory space in the server's memory, without the network: exact ones at two
 * sizes, with the loops of {@code jdk.incubator.vector} and without, and one through a graph.
 */
final class MemorySearch {

  /** What {@link MemorySearchRun} prints after the loops' name and the number of items. */
  static final String[] COLUMNS = {
    "p50 ms", "p99 ms", "p50 ms at 1 %", "p99 ms at 1 %", "recall", "rebuild ms", "bytes each"
  };

  private static final String MODULE = "--add-modules=jdk.incubator.vector";

  private MemorySearch() {}

  /**
   * Prints the medians of the runs, of wall time and of processor time, and then how well a planted
   * fact is found.
   */
  static void measure(int runs) throws IOException, InterruptedException {
    load();
    for (String clock : List.of("wall", "cpu")) {
      FigureTable table = new FigureTable("vectors, items, by " + clock + " time", "%.3f", COLUMNS);
      for (int run = 0; run < runs; run++) {
        for (String items : List.of("10000", "100000")) {
          add(table, clock, "exact", items, "400", MODULE);
          add(table, clock, "exact", items, "100", "-Dplain=true");
        }
      }
      table.printRuns();
    }
    FigureTable graph = new FigureTable("vectors, items, by cpu time", "%.3f", COLUMNS);
    add(graph, "cpu", "graph", "200000", "400", MODULE);
    graph.printRuns();
    load();
    MemoryRetrieval.measure();
  }

  private static void load() {
    System.out.printf(
        "load of the machine: %.1f on %d processors%n",
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
        Runtime.getRuntime().availableProcessors());
  }

  private static void add(
      FigureTable table, String clock, String way, String items, String searches, String option)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(JvmUnderTest.AS_LAUNCHED);
    command.addAll(List.of("-Xmx3g", "-Dbench.cpu=" + clock.equals("cpu"), option));
    if (clock.equals("cpu")) {
      // Only the searching thread's time is read, so no other one may help it.
      command.add("-Djava.util.concurrent.ForkJoinPool.common.parallelism=0");
    }
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), MemorySearchRun.class.getName()));
    command.addAll(List.of(way, items, searches));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String line =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0 || line.isEmpty()) {
      throw new IOException("the process of " + items + " items failed");
    }
    String[] cells = line.split(";", -1);
    table.add(
        cells[0] + ", " + cells[1],
        Arrays.stream(cells).skip(2).mapToDouble(Double::parseDouble).toArray());
  }
}
