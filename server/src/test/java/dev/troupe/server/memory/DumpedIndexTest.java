package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.stub;
import static dev.troupe.server.memory.MemoryHarness.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.DeleteSpaceRequest;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoriesResponse;
import dev.troupe.v1.PutOutcome;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.UpdateMemoryRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Servers that start with a dump of their index, however old it is and whatever happened to it, to
 * the log or to Redis meanwhile: they find what a server finds that has followed all along.
 */
@SuppressWarnings("NullAway.Init")
final class DumpedIndexTest {

  private static final Partition PARTITION = new Partition("n", 0, 1);
  private static final String LOG = "troupe:{n/0}:log";
  private static final int ITEMS = 2_500;
  private static final int A_CALL = 500;
  private static final int MOST_IDS = 64;
  private static final int WORDS = 30;

  @TempDir private Path directory;

  private final Random random = new Random(3);
  private final List<String> ids = new ArrayList<>();
  private TestRedis redis;
  private RedisWire wire;
  private TroupeProcess writer;
  private TroupeProcess searcher;
  private ManagedChannel toWriter;
  private long revision;

  @BeforeEach
  void start() throws Exception {
    redis = TestRedis.single();
    wire = new RedisWire(redis.masters().get(0));
    writer = new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=1");
    toWriter = writer.channel();
    searcher = newSearcher();
  }

  private TroupeProcess newSearcher() throws Exception {
    return new TroupeProcess(
        "--redis.url=" + redis.url(),
        "--redis.partitions=1",
        "--memory.index-dir=" + directory,
        "--memory.index-save-interval=1s");
  }

  @AfterEach
  void stop() throws Exception {
    toWriter.shutdownNow();
    writer.close();
    searcher.close();
    wire.close();
    redis.close();
  }

  private MemoryServiceBlockingStub memory() {
    return stub(toWriter);
  }

  private void put(String space, int count) {
    for (int left = count; left > 0; left -= A_CALL) {
      PutMemoriesRequest.Builder call =
          PutMemoriesRequest.newBuilder().setNamespace("n").setSpace(space);
      for (int i = 0; i < Math.min(left, A_CALL); i++) {
        call.addItems(item());
      }
      PutMemoriesResponse response = memory().putMemories(call.build());
      revision = response.getRevision();
      if (space.equals("s")) {
        response.getOutcomesList().stream().map(PutOutcome::getItemId).forEach(ids::add);
      }
    }
  }

  private MemoryPut item() {
    return MemoryPut.newBuilder()
        .setContent(content())
        .setTier(MemoryTier.MEMORY_TIER_LONG)
        .build();
  }

  private MemoryContent.Builder content() {
    MemoryContent.Builder content =
        MemoryContent.newBuilder()
            .setText("common word" + random.nextInt(WORDS) + " " + random.nextLong());
    for (int i = 0; i < 8; i++) {
      content.addEmbedding((float) random.nextGaussian());
    }
    return content;
  }

  private void update(int count) {
    for (int i = 0; i < count; i++) {
      MemoryItem item = MemoryItem.newBuilder().setItemId(any()).setContent(content()).build();
      revision =
          memory()
              .updateMemory(
                  UpdateMemoryRequest.newBuilder()
                      .setNamespace("n")
                      .setSpace("s")
                      .setItem(item)
                      .setUpdateMask(
                          FieldMask.newBuilder()
                              .addPaths("content.text")
                              .addPaths("content.embedding"))
                      .build())
              .getItem()
              .getRevision();
    }
  }

  private String any() {
    return ids.get(random.nextInt(ids.size()));
  }

  private void forget(int count) {
    for (int left = count; left > 0; left -= MOST_IDS) {
      ForgetMemoriesRequest.Builder call =
          ForgetMemoriesRequest.newBuilder().setNamespace("n").setSpace("s");
      for (int i = 0; i < Math.min(left, MOST_IDS); i++) {
        call.addItemIds(ids.remove(random.nextInt(ids.size())));
      }
      memory().forgetMemories(call.build());
    }
  }

  private void deleteOtherSpace() {
    memory().deleteSpace(DeleteSpaceRequest.newBuilder().setNamespace("n").setSpace("o").build());
  }

  /** Fills two spaces, and waits for the first dump; what comes after it is not in it. */
  private void fill() {
    put("o", 100);
    put("s", ITEMS);
    // It follows a namespace from the first search on.
    assertSame();
    until(() -> Files.exists(file()));
  }

  private Path file() {
    return directory.resolve("n-0.index");
  }

  /** What both servers find: the same, whatever they are asked for. */
  private void assertSame() {
    put("s", 1);
    ManagedChannel channel = searcher.channel();
    try {
      for (String space : List.of("s", "o")) {
        for (int i = 0; i < 8; i++) {
          SearchMemoryRequest near = near(space);
          assertThat(found(stub(channel), near)).isEqualTo(found(memory(), near));
          SearchMemoryRequest said = said(space, "word" + random.nextInt(WORDS));
          assertThat(found(stub(channel), said).keySet()).isEqualTo(found(memory(), said).keySet());
        }
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private SearchMemoryRequest near(String space) {
    SearchMemoryRequest.Builder near = searching(space).setTopK(50);
    content().getEmbeddingList().forEach(near::addVector);
    return near.build();
  }

  private SearchMemoryRequest said(String space, String word) {
    return searching(space).setText(word).setTopK(200).build();
  }

  private SearchMemoryRequest.Builder searching(String space) {
    return SearchMemoryRequest.newBuilder()
        .setNamespace("n")
        .setSpace(space)
        .setMinRevision(revision)
        .setPeek(true);
  }

  /** Ids and scores, in the order of the answer; empty where there is no such space. */
  private static Map<String, Double> found(
      MemoryServiceBlockingStub memory, SearchMemoryRequest request) {
    Map<String, Double> hits = new LinkedHashMap<>();
    try {
      memory
          .searchMemory(request)
          .getHitsList()
          .forEach(hit -> hits.put(hit.getItem().getItemId(), hit.getScore()));
    } catch (StatusRuntimeException e) {
      assertThat(e.getMessage()).contains("space");
    }
    return hits;
  }

  private long said(String words) {
    return searcher.log().stream().filter(line -> line.contains(words)).count();
  }

  private long dumpsRead() {
    return said("read the dump of the index of n/0");
  }

  private long loadsAnew() {
    return said("is not indexed, but will be");
  }

  @Test
  void aServerThatWasKilledGoesOnFromItsDump() throws Exception {
    fill();
    update(20);
    for (int round = 1; round <= 3; round++) {
      put("s", 30);
      forget(20);
      searcher.kill();
      update(20);
      put("s", 300);
      forget(20);
      put("o", 5);
      searcher.startAgain();
      assertSame();
      assertThat(dumpsRead()).isEqualTo(round);
    }
    searcher.kill();
    deleteOtherSpace();
    searcher.startAgain();
    assertSame();
    searcher.kill();
    // A space of the same name, which has nothing to do with the one in the dump.
    put("o", 50);
    searcher.startAgain();
    assertSame();
    assertThat(dumpsRead()).isEqualTo(5);
    assertThat(loadsAnew()).isZero();
  }

  @Test
  void aServerThatIsStoppedDumpsWhatItHas() throws Exception {
    fill();
    put("s", 1500);
    assertSame();
    searcher.close();
    searcher = newSearcher();
    assertSame();
    assertThat(said("0 entries of the log behind")).isEqualTo(1);
    assertThat(directory).isDirectoryContaining("glob:**n-0.index");
    assertThat(directory).isDirectoryNotContaining("glob:**.new");
    // What few items there are is read from Redis.
    forget(ids.size() - 1000);
    assertSame();
    until(() -> !Files.exists(file()));
  }

  @Test
  void aServerThatFilledAnEmptyRedisHasADumpOfIt() throws Exception {
    ManagedChannel other = toWriter;
    toWriter = searcher.channel();
    fill();
    toWriter.shutdownNow();
    toWriter = other;
    searcher.kill();
    searcher.startAgain();
    assertSame();
    assertThat(dumpsRead()).isEqualTo(1);
  }

  @Test
  void aLogThatWasTrimmedPastTheDumpHasEverythingReadAnew() throws Exception {
    fill();
    put("s", 600);
    searcher.kill();
    forget(20);
    put("s", 1);
    wire.command("XTRIM", LOG, "MAXLEN", "1");
    searcher.startAgain();
    assertSame();
    assertThat(loadsAnew()).isEqualTo(1);
  }

  @Test
  void aDumpOfAnotherLifeOfTheLogIsNotUsed() throws Exception {
    fill();
    searcher.kill();
    redis.flush();
    ids.clear();
    put("s", 100);
    searcher.startAgain();
    assertSame();
    assertThat(dumpsRead()).isZero();
    assertThat(said("it is of another log")).isEqualTo(1);
    assertThat(file()).doesNotExist();
  }

  @Test
  void whatRedisLostIsNotFoundInTheDumpEither() throws Exception {
    fill();
    Map<String, String> before = new LinkedHashMap<>();
    for (String key : wire.texts("KEYS", "troupe:{n/0}:*")) {
      before.put(key, (String) wire.command("DUMP", RedisWire.bytes(key)));
    }
    List<String> idsBefore = List.copyOf(ids);
    forget(500);
    put("s", 1000);
    assertSame();
    searcher.close();
    // Redis comes back as it was some time ago, and goes on from there.
    wire.command("FLUSHALL");
    for (Map.Entry<String, String> key : before.entrySet()) {
      wire.command("RESTORE", RedisWire.bytes(key.getKey()), "0", key.getValue());
    }
    ids.clear();
    ids.addAll(idsBefore);
    put("s", 10);
    TroupeProcess old = writer;
    toWriter.shutdownNow();
    old.close();
    writer = new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=1");
    toWriter = writer.channel();
    put("s", 2000);
    searcher = newSearcher();
    assertSame();
  }

  @Test
  void aDumpThatSawWhatIsNotInTheLogIsGivenUp() throws Exception {
    fill();
    searcher.close();
    DumpHeader header = IndexDump.open(file(), PARTITION).header();
    LogPosition at = header.at();
    // More than a page of the log away, so that much else is seen before it comes.
    LogPosition lost = new LogPosition(at.millis() + 1, 0, at.sequence() + 700);
    try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.WRITE)) {
      header.as(at, lost).write(channel);
    }
    update(800);
    searcher = newSearcher();
    assertSame();
    assertThat(dumpsRead()).isEqualTo(1);
    assertThat(loadsAnew()).isEqualTo(1);
  }

  @Test
  void aDamagedDumpIsToldOfAndNotUsed() throws Exception {
    fill();
    byte[] whole = Files.readAllBytes(file());
    searcher.kill();
    for (int at : new int[] {12, 40, whole.length / 2}) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 4;
      startWith(damaged);
    }
    startWith(Arrays.copyOf(whole, whole.length - 1));
    assertThat(said("the dump of the index of n/0 is not used")).isEqualTo(4);
    // What a server left that was killed while it wrote is not looked at.
    Path half = directory.resolve("n-0.index.new");
    Files.write(half, new byte[5]);
    Path foreign = directory.resolve("thesis.new");
    Files.write(foreign, new byte[5]);
    Files.write(file(), whole);
    searcher.startAgain();
    assertSame();
    assertThat(half).doesNotExist();
    assertThat(foreign).exists();
    assertThat(dumpsRead()).isEqualTo(1);
  }

  private void startWith(byte[] dump) throws IOException, InterruptedException {
    Files.write(file(), dump);
    searcher.startAgain();
    assertSame();
    searcher.kill();
  }

  @Test
  void aDirectoryBelongsToOneServer() throws Exception {
    fill();
    try (TroupeProcess other = newSearcher()) {
      assertThat(other.log()).anyMatch(line -> line.contains("is in use by another server"));
      TroupeProcess first = searcher;
      searcher = other;
      assertSame();
      assertThat(dumpsRead()).isZero();
      searcher = first;
    }
  }

  @Test
  void aServerThatIsKilledAtAnyTimeFindsEverything() throws Exception {
    fill();
    for (int round = 0; round < 5; round++) {
      // So much that dumps are due all the time.
      put("s", 1500 + random.nextInt(500));
      forget(1500);
      update(random.nextInt(10));
      searcher.kill();
      searcher.startAgain();
      if (round % 3 == 0) {
        assertSame();
      }
    }
    assertSame();
    assertThat(dumpsRead()).isGreaterThanOrEqualTo(4);
  }
}
