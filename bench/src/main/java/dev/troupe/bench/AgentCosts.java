package dev.troupe.bench;

import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.RegisterAgentRequest;
import io.grpc.ManagedChannel;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a fleet of agents costs two servers before one Redis, beside what these cost when nobody
 * uses them, and how soon a part of the fleet that dies is noticed. Every run has a Redis and
 * servers of its own, as an idle registry is one that nobody has used.
 */
final class AgentCosts {

  private static final int SERVERS = 2;
  private static final int AGENTS = 2000;
  private static final int HOSTS = 80;
  private static final int DYING_HOSTS = 20;

  private static final Duration SETTLE = Duration.ofSeconds(10);
  private static final Duration IDLE = Duration.ofSeconds(20);
  private static final Duration WARM_UP = Duration.ofSeconds(40);
  private static final Duration STEADY = Duration.ofSeconds(60);
  private static final int DEAD_SECONDS = 120;
  private static final int MOST_COMMANDS = 15;

  private static final String LOG = "troupe:{default/0}:log";

  private final String fleet = AGENTS + " agents";
  private final FigureTable load =
      new FigureTable(
          "load",
          "%.1f",
          "first server's CPU %",
          "second server's CPU %",
          "both %",
          "Redis CPU %",
          "load generator CPU %",
          "commands/s",
          "scripts/s",
          "load average");
  private final FigureTable beats =
      new FigureTable("heartbeats", "%.1f", "answered/s", "p50 ms", "p99 ms");
  private final FigureTable memory = new FigureTable("memory", "%.0f", "KB per 100 agents");
  private final FigureTable log = new FigureTable("log", "%.0f", "entries", "KB", "bytes each");
  private final FigureTable losses =
      new FigureTable(
          DYING_HOSTS * AGENTS / HOSTS + " agents die",
          "%.0f",
          "leases end within ms",
          "LOST, p50 ms",
          "LOST, last ms",
          "locks released, p50 ms",
          "locks released, last ms",
          "all ports free, ms after the last lease",
          "load average");
  private final FigureTable commands =
      new FigureTable("command", "%.1f", "idle, per second", fleet + ", per second");

  private AgentCosts() {}

  /** Prints tables with a row per run and the medians. */
  static void measure(Path jar, String fsync, int runs) throws Exception {
    AgentCosts costs = new AgentCosts();
    for (int run = 1; run <= runs; run++) {
      System.err.printf("run %d of %d (about 4 minutes)%n", run, runs);
      costs.run(jar, fsync);
    }
    System.out.printf(
        "fsync %s; %d agents on %d hosts, a heartbeat every %d s each; %d servers%n",
        fsync, AGENTS, HOSTS, AgentFleet.INTERVAL.toSeconds(), SERVERS);
    Stream.of(costs.load, costs.beats, costs.log, costs.losses).forEach(FigureTable::printRuns);
    Stream.of(costs.memory, costs.commands).forEach(FigureTable::printMedians);
    System.out.println();
    System.out.println("Goals: at most 1000 KB per 100 agents; LOST and locks within 3000 ms.");
  }

  private void run(Path jar, String fsync) throws Exception {
    try (RedisUnderTest redis = RedisUnderTest.start(fsync);
        RedisProbe probe = new RedisProbe(redis.url());
        ServerUnderTest first = new ServerUnderTest(jar, "--redis.url=" + redis.url());
        ServerUnderTest second = new ServerUnderTest(jar, "--redis.url=" + redis.url())) {
      Setup setup = new Setup(redis, probe, List.of(first, second));
      Thread.sleep(SETTLE.toMillis());
      addLoad("idle, never used", setup.observe(IDLE));
      try (AgentFleet agents = new AgentFleet(setup.channels(), AGENTS, HOSTS)) {
        visit(first);
        Thread.sleep(SETTLE.toMillis());
        Observed idle = setup.observe(IDLE);
        addLoad("idle, one agent came and went", idle);
        Map<String, Long> before = probe.memoryByKind();
        long used = probe.usedMemory();

        agents.begin();
        Thread.sleep(WARM_UP.toMillis());
        agents.answerTimes();
        Observed busy = setup.observe(STEADY);
        Samples answers = agents.answerTimes();
        addLoad(fleet, busy);
        addLoad(fleet + ", less idle", busy.less(idle));
        beats.add(
            fleet,
            answers.count() / busy.seconds,
            answers.quantile(0.5) / 1e6,
            answers.quantile(0.99) / 1e6);
        addMemory(probe.usedMemory() - used, before, probe);
        addCommands(idle, busy);

        List<SimulatedAgent> dying =
            agents.agents().stream().filter(agent -> agent.host < DYING_HOSTS).toList();
        lose("over an interval", setup, agents, dying, () -> agents.kill(dying));
        agents.register(dying);
        lose("all at once", setup, agents, dying, () -> agents.killInStep(dying));
      }
    }
  }

  /** Has the servers know the namespace, whose partitions they sweep from then on. */
  private static void visit(ServerUnderTest server) throws InterruptedException {
    List<ManagedChannel> channels = ClosedLoop.channels(server.port, 1);
    AgentStateServiceGrpc.AgentStateServiceBlockingStub stub =
        AgentStateServiceGrpc.newBlockingStub(channels.get(0));
    stub.registerAgent(
        RegisterAgentRequest.newBuilder().setAgentId("visitor").setType("visitor").build());
    stub.deregisterAgent(DeregisterAgentRequest.newBuilder().setAgentId("visitor").build());
    channels.forEach(ManagedChannel::shutdownNow);
  }

  private void addLoad(String of, Observed observed) {
    load.add(
        of,
        DoubleStream.concat(
                observed.cpu.stream().mapToDouble(share -> 100 * share),
                DoubleStream.of(
                    observed.perSecond.values().stream().mapToDouble(calls -> calls).sum(),
                    observed.perSecond.getOrDefault("evalsha", 0.0)
                        + observed.perSecond.getOrDefault("eval", 0.0),
                    observed.loadAverage))
            .toArray());
  }

  private void addMemory(long used, Map<String, Long> before, RedisProbe probe) throws Exception {
    double hundreds = AGENTS / 100.0;
    Map<String, Long> kinds = probe.memoryByKind();
    before.forEach((kind, bytes) -> kinds.merge(kind, -bytes, Long::sum));
    long logBytes = kinds.getOrDefault("log", 0L);
    long entries = probe.streamLength(LOG);
    long ofRequests = kinds.getOrDefault("rq:RegisterAgent", 0L);
    memory.add("used_memory", used / hundreds / 1e3);
    memory.add("without the log", (used - logBytes) / hundreds / 1e3);
    memory.add(
        "without the log and the answers kept for 10 minutes",
        (used - logBytes - ofRequests) / hundreds / 1e3);
    kinds.entrySet().stream()
        .filter(kind -> Math.abs(kind.getValue()) > 1000 * hundreds)
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            kind ->
                memory.add("keys `%s`".formatted(kind.getKey()), kind.getValue() / hundreds / 1e3));
    log.add(fleet, entries, logBytes / 1e3, (double) logBytes / entries);
  }

  private void addCommands(Observed idle, Observed busy) {
    busy.perSecond.entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder()))
        .limit(MOST_COMMANDS)
        .forEach(
            command ->
                commands.add(
                    "`%s`".formatted(command.getKey()),
                    idle.perSecond.getOrDefault(command.getKey(), 0.0),
                    command.getValue()));
  }

  private void lose(
      String how, Setup setup, AgentFleet agents, List<SimulatedAgent> dying, Runnable kill)
      throws Exception {
    agents.equip(dying);
    // Long enough for each to beat.
    Thread.sleep(2 * AgentFleet.INTERVAL.toMillis());
    FleetLosses heard = new FleetLosses(dying.size());
    List<ManagedChannel> channels = ClosedLoop.channels(setup.servers.get(0).port, 1);
    try {
      heard.listen(channels.get(0));
      kill.run();
      long freed = awaitPorts(setup.probe);
      heard.await(DEAD_SECONDS);
      losses.add(
          "leases end " + how,
          (heard.lastEnd() - heard.firstEnd()) / 1e3,
          heard.lostAfter().quantile(0.5) / 1e6,
          heard.lostAfter().max() / 1e6,
          heard.releasedAfter().quantile(0.5) / 1e6,
          heard.releasedAfter().max() / 1e6,
          (freed - heard.lastEnd()) / 1e3,
          loadAverage());
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }

  /** Returns when, us by the clock of Redis, no port of the dying hosts was leased any more. */
  private static long awaitPorts(RedisProbe probe) throws Exception {
    List<String> keys =
        IntStream.range(0, DYING_HOSTS)
            .mapToObj(host -> "troupe:{default/0}:ag:hp:" + SimulatedAgent.hostName(host))
            .toList();
    long deadline = System.nanoTime() + Duration.ofSeconds(DEAD_SECONDS).toNanos();
    while (probe.existing(keys) > 0) {
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("ports are still leased");
      }
      Thread.sleep(10);
    }
    return probe.timeMicros();
  }

  private static double loadAverage() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  /**
   * What happened meanwhile.
   *
   * @param cpu of each server, all of them, Redis and this process, in cores
   * @param perSecond commands, those called by scripts included
   */
  private record Observed(
      double seconds, List<Double> cpu, Map<String, Double> perSecond, double loadAverage) {

    Observed less(Observed base) {
      Map<String, Double> rest = new HashMap<>(perSecond);
      base.perSecond.forEach((command, calls) -> rest.merge(command, -calls, Double::sum));
      return new Observed(
          seconds,
          IntStream.range(0, cpu.size()).mapToObj(i -> cpu.get(i) - base.cpu.get(i)).toList(),
          rest,
          Double.NaN);
    }
  }

  /** The processes of a run. */
  private record Setup(RedisUnderTest redis, RedisProbe probe, List<ServerUnderTest> servers) {

    List<ManagedChannel> channels() {
      List<ManagedChannel> channels = new ArrayList<>();
      servers.forEach(server -> channels.addAll(ClosedLoop.channels(server.port, 1)));
      return channels;
    }

    Observed observe(Duration time) throws Exception {
      Map<String, Long> calls = probe.calls();
      List<Double> cpu = cpuSeconds();
      long begin = System.nanoTime();
      Thread.sleep(time.toMillis());
      double seconds = (System.nanoTime() - begin) / 1e9;
      List<Double> cpuAfter = cpuSeconds();
      Map<String, Double> perSecond = new HashMap<>();
      probe
          .calls()
          .forEach(
              (command, after) ->
                  perSecond.put(command, (after - calls.getOrDefault(command, 0L)) / seconds));
      return new Observed(
          seconds,
          IntStream.range(0, cpu.size())
              .mapToObj(i -> (cpuAfter.get(i) - cpu.get(i)) / seconds)
              .toList(),
          perSecond,
          loadAverage());
    }

    private List<Double> cpuSeconds() {
      List<Duration> all =
          new ArrayList<>(servers.stream().map(ServerUnderTest::serverCpu).toList());
      all.add(all.stream().reduce(Duration.ZERO, Duration::plus));
      all.add(redis.cpu());
      all.add(ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO));
      return all.stream().map(cpu -> cpu.toNanos() / 1e9).toList();
    }
  }
}
