package dev.troupe.bench;

import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SearchMemoryResponse;
import dev.troupe.v1.SpaceSettings;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Two servers with one Redis: how soon what was put through one is found through the other, and how
 * long a server that just started needs until its first search, with and without a dump of the
 * index.
 */
final class MemoryServers {

  private static final int DIMENSION = 384;
  private static final int[] SIZES = {10_000, 100_000};
  private static final int A_CALL = 500;
  private static final int PUTS = 1000;
  private static final String SPACE = "bench";

  /** What a server answers that has not read everything yet, or is not there yet. */
  private static final Set<Status.Code> NOT_YET =
      Set.of(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED, Status.Code.ABORTED);

  private final SyntheticEmbeddings embeddings = new SyntheticEmbeddings(11, DIMENSION, 300);
  private int items;

  private MemoryServers() {}

  /** Prints a table row per size and run, and the medians. */
  static void measure(Path jar, int runs) throws Exception {
    FigureTable table =
        new FigureTable(
            "items",
            "%.2f",
            "search p50 ms",
            "search p99 ms",
            "found elsewhere p50 ms",
            "found elsewhere p99 ms",
            "listening to first search ms",
            "start to first search ms",
            "the same with a dump ms",
            "from the start ms",
            "load average");
    for (int run = 1; run <= runs; run++) {
      System.err.printf("run %d of %d (about 2 minutes)%n", run, runs);
      MemoryServers servers = new MemoryServers();
      try (RedisUnderTest redis = RedisUnderTest.start("everysec")) {
        for (int size : SIZES) {
          servers.measure(jar, redis, size, table);
        }
      }
    }
    table.printRuns();
  }

  private void measure(Path jar, RedisUnderTest redis, int size, FigureTable table)
      throws Exception {
    long revision;
    Delays searches = new Delays();
    Delays elsewhere = new Delays();
    double load;
    try (Door one = new Door(jar, redis);
        Door other = new Door(jar, redis)) {
      fill(one, size);
      // Both are compiled, and the other one follows.
      follow(one, other, new Delays(), new Delays());
      load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
      revision = follow(one, other, searches, elsewhere);
    }
    Path dumps = Scratch.directory("troupe-bench");
    // The first one finds no dump, and leaves one behind when it ends.
    Start read = start(jar, redis, dumps, revision);
    Start dumped = start(jar, redis, dumps, revision);
    Scratch.delete(dumps);
    table.add(
        Integer.toString(size),
        searches.quantile(0.5) / 1e6,
        searches.quantile(0.99) / 1e6,
        elsewhere.quantile(0.5) / 1e6,
        elsewhere.quantile(0.99) / 1e6,
        read.fromListening(),
        read.fromStart(),
        dumped.fromListening(),
        dumped.fromStart(),
        load);
  }

  /** How long it took until the first answer, in milliseconds. */
  private record Start(double fromListening, double fromStart) {}

  private Start start(Path jar, RedisUnderTest redis, Path dumps, long revision) throws Exception {
    long begun = System.nanoTime();
    try (Door fresh = new Door(jar, redis, "--memory.index-dir=" + dumps)) {
      long listening = System.nanoTime();
      search(fresh, embeddings.next(), revision);
      long found = System.nanoTime();
      return new Start((found - listening) / 1e6, (found - begun) / 1e6);
    }
  }

  /** A server and a connection to it. */
  private static final class Door implements AutoCloseable {
    private final ServerUnderTest server;
    private final ManagedChannel channel;
    final MemoryServiceBlockingStub memory;

    Door(Path jar, RedisUnderTest redis, String... settings) throws Exception {
      List<String> all = new ArrayList<>(List.of(settings));
      all.add("--redis.url=" + redis.url());
      server = new ServerUnderTest(jar, all.toArray(String[]::new));
      channel =
          ManagedChannelBuilder.forAddress("127.0.0.1", server.port)
              .usePlaintext()
              .directExecutor()
              .build();
      memory = MemoryServiceGrpc.newBlockingStub(channel);
    }

    @Override
    public void close() throws Exception {
      channel.shutdownNow();
      server.close();
    }
  }

  private void fill(Door door, int size) {
    if (items == 0) {
      door.memory.createSpace(
          CreateSpaceRequest.newBuilder()
              .setSpace(SPACE)
              .setSettings(
                  SpaceSettings.newBuilder()
                      .setDimension(DIMENSION)
                      .setMaxItems(200_000)
                      .setMaxBytes(1L << 30))
              .build());
    }
    while (items < size) {
      PutMemoriesRequest.Builder call = PutMemoriesRequest.newBuilder().setSpace(SPACE);
      for (int i = 0; i < A_CALL; i++) {
        call.addItems(item(embeddings.next()));
      }
      door.memory.putMemories(call.build());
    }
  }

  private MemoryPut item(float[] embedding) {
    MemoryContent.Builder content = MemoryContent.newBuilder().setText("note " + items++);
    for (float component : embedding) {
      content.addEmbedding(component);
    }
    return MemoryPut.newBuilder()
        .setContent(content)
        .setTier(MemoryTier.MEMORY_TIER_LONG)
        .addTags("bench")
        .build();
  }

  /** Each item is put through one server and looked for through the other as soon as it is in. */
  private long follow(Door one, Door other, Delays searches, Delays elsewhere) {
    long revision = 0;
    for (int i = 0; i < PUTS; i++) {
      float[] embedding = embeddings.next();
      PutMemoryResponse put =
          one.memory.putMemory(
              PutMemoryRequest.newBuilder().setSpace(SPACE).setItem(item(embedding)).build());
      revision = put.getRevision();
      long begun = System.nanoTime();
      SearchMemoryResponse found = search(other, embedding, revision);
      elsewhere.add(System.nanoTime() - begun);
      if (!found.getHits(0).getItem().getItemId().equals(put.getItem().getItemId())) {
        throw new IllegalStateException("not found elsewhere: " + put.getItem().getItemId());
      }
      begun = System.nanoTime();
      search(other, embedding, 0);
      searches.add(System.nanoTime() - begun);
    }
    return revision;
  }

  private static SearchMemoryResponse search(Door door, float[] vector, long revision) {
    SearchMemoryRequest.Builder search =
        SearchMemoryRequest.newBuilder().setSpace(SPACE).setTopK(10).setMinRevision(revision);
    for (float component : vector) {
      search.addVector(component);
    }
    SearchMemoryRequest request = search.build();
    while (true) {
      try {
        return door.memory.searchMemory(request);
      } catch (StatusRuntimeException e) {
        if (!NOT_YET.contains(e.getStatus().getCode())) {
          throw e;
        }
      }
    }
  }
}
