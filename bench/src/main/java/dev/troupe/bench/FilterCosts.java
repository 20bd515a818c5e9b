package dev.troupe.bench;

import com.sun.management.ThreadMXBean;
import dev.troupe.server.event.cesql.Attributes;
import dev.troupe.server.event.cesql.CesqlFilter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What it takes to ask a CESQL filter whether an event passes, without any server. */
final class FilterCosts {

  private static final int EVENTS = 64;
  private static final int EVALUATIONS = 2_000_000;
  private static final int FEW_EVALUATIONS = 20_000;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private FilterCosts() {}

  /** Prints the medians of the runs, per event. */
  static void measure(int runs) {
    Map<String, String> filters = new LinkedHashMap<>();
    filters.put("`type = 'build.finished'`", "type = 'build.finished'");
    filters.put(
        "`… AND subject LIKE 'repo/%' AND EXISTS priority`",
        "type = 'build.finished' AND subject LIKE 'repo/%' AND EXISTS priority");
    filters.put("`subject LIKE '%/2_/%'`", "subject LIKE '%/2_/%'");
    filters.put("`priority * 2 > 10 OR missing = 1`", "priority * 2 > 10 OR missing = 1");
    filters.put(
        "a pattern of 4 KB, full of `%`, on 256 characters",
        "long LIKE '" + "%_a".repeat(1_350) + "%'");
    List<Attributes> events = new ArrayList<>();
    for (int i = 0; i < EVENTS; i++) {
      events.add(event(i)::get);
    }
    FigureTable table =
        new FigureTable("filter", "%.0f", "ns of CPU", "bytes allocated", "passed, %");
    // The first round only warms up.
    for (int run = 0; run <= runs; run++) {
      for (Map.Entry<String, String> each : filters.entrySet()) {
        double[] figures = figures(filter(each.getValue()), events);
        if (run > 0) {
          table.add(each.getKey(), figures);
        }
      }
    }
    table.printMedians();
  }

  /** A quarter has another type, another another subject, and a third no priority. */
  private static Map<String, Object> event(int i) {
    Map<String, Object> event = new HashMap<>();
    event.put("type", i % 4 == 0 ? "build.started" : "build.finished");
    event.put("subject", (i % 4 == 1 ? "user/" : "repo/") + i + "/main");
    event.put("long", "a".repeat(256));
    if (i % 4 != 2) {
      event.put("priority", i);
    }
    return event;
  }

  private static CesqlFilter filter(String expression) {
    if (CesqlFilter.compile(expression) instanceof CesqlFilter.Compiled compiled) {
      return compiled.filter();
    }
    throw new IllegalArgumentException(expression);
  }

  private static double[] figures(CesqlFilter filter, List<Attributes> events) {
    int times = filter.expression().length() > 1_000 ? FEW_EVALUATIONS : EVALUATIONS;
    int passed = 0;
    long bytes = THREADS.getCurrentThreadAllocatedBytes();
    long start = THREADS.getCurrentThreadCpuTime();
    for (int i = 0; i < times; i++) {
      passed += filter.matches(events.get(i % EVENTS)) ? 1 : 0;
    }
    double nanos = THREADS.getCurrentThreadCpuTime() - start;
    bytes = THREADS.getCurrentThreadAllocatedBytes() - bytes;
    return new double[] {nanos / times, (double) bytes / times, 100.0 * passed / times};
  }
}
