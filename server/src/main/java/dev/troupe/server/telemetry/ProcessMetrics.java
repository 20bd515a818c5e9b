package dev.troupe.server.telemetry;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.util.LinkedHashMap;
import java.util.Map;

/** Heap, garbage collection, processor time and threads; read only when somebody asks. */
final class ProcessMetrics {

  private static final AttributeKey<String> COLLECTOR = AttributeKey.stringKey("jvm.gc.name");
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double MILLIS_PER_SECOND = 1e3;

  private ProcessMetrics() {}

  static void register(Meter meter) {
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    meter
        .gaugeBuilder("troupe.process.heap.used")
        .ofLongs()
        .setUnit("By")
        .setDescription("Heap in use, garbage included.")
        .buildWithCallback(value -> value.record(memory.getHeapMemoryUsage().getUsed()));
    meter
        .gaugeBuilder("troupe.process.heap.limit")
        .ofLongs()
        .setUnit("By")
        .setDescription("Heap that may be used.")
        .buildWithCallback(
            value -> {
              MemoryUsage heap = memory.getHeapMemoryUsage();
              value.record(heap.getMax());
            });
    meter
        .gaugeBuilder("troupe.process.threads")
        .ofLongs()
        .setDescription("Live threads.")
        .buildWithCallback(
            value -> value.record(ManagementFactory.getThreadMXBean().getThreadCount()));
    registerCollections(meter);
    if (ManagementFactory.getOperatingSystemMXBean()
        instanceof com.sun.management.OperatingSystemMXBean system) {
      meter
          .counterBuilder("troupe.process.cpu.time")
          .ofDoubles()
          .setUnit("s")
          .setDescription("Processor time used by this process.")
          .buildWithCallback(
              value -> value.record(Math.max(0, system.getProcessCpuTime()) / NANOS_PER_SECOND));
    }
  }

  private static void registerCollections(Meter meter) {
    Map<GarbageCollectorMXBean, Attributes> collectors = new LinkedHashMap<>();
    for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
      collectors.put(bean, Attributes.of(COLLECTOR, bean.getName()));
    }
    meter
        .counterBuilder("troupe.process.gc.collections")
        .setDescription("Garbage collections.")
        .buildWithCallback(
            value ->
                collectors.forEach(
                    (bean, name) -> value.record(Math.max(0, bean.getCollectionCount()), name)));
    meter
        .counterBuilder("troupe.process.gc.time")
        .ofDoubles()
        .setUnit("s")
        .setDescription("Time spent in garbage collections.")
        .buildWithCallback(
            value ->
                collectors.forEach(
                    (bean, name) ->
                        value.record(
                            Math.max(0, bean.getCollectionTime()) / MILLIS_PER_SECOND, name)));
  }
}
