package dev.troupe.server.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.EventStore.Outcome;
import dev.troupe.server.event.EventStore.Outcome.Published;
import dev.troupe.server.event.TopicStore.KeptEvent;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import dev.troupe.v1.Topic;
import dev.troupe.v1.TopicSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.redisson.api.stream.StreamMessageId;
import org.redisson.api.stream.StreamRangeArgs;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.client.codec.StringCodec;
import org.redisson.codec.CompositeCodec;

/** What the stores of events and topics promise, on whatever Redis. */
@SuppressWarnings("NullAway.Init")
abstract class TopicStoreContract extends EventContract {

  private static final CompositeCodec CODEC =
      new CompositeCodec(StringCodec.INSTANCE, ByteArrayCodec.INSTANCE);

  private static final Script MANY_TOPICS = Script.load("test/many_topics");
  private static final Script LAY_OUT = Script.load("test/lay_out");

  private EventStore events;
  private TopicStore topics;
  private Partition partition;

  @BeforeAll
  void makeStores() {
    events = new EventStore(redis, EventHarness.NAMESPACES);
    topics = new TopicStore(redis, EventHarness.NAMESPACES);
  }

  @BeforeEach
  void takePartition() {
    partition = new Partition(namespace, 1, EventHarness.PARTITIONS);
  }

  @Test
  void aTopicsEventsAreNumberedWithoutAHoleAndStandUnderTheirIdsInTheLog() throws Exception {
    List<Publication> batch = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      batch.add(event(i % 2 == 0 ? "a" : "b", "" + i, i == 3 ? "k" : "", "x" + i));
    }
    List<Outcome> outcomes = get(events.append(partition, batch));
    Map<String, Map<String, String>> log = entries("log");
    for (String topic : List.of("a", "b")) {
      Map<String, Map<String, String>> kept = entries("ev:e:" + topic);
      assertThat(kept).hasSize(5);
      List<String> positions = new ArrayList<>();
      kept.forEach(
          (id, fields) -> {
            Map<String, String> entry = log.getOrDefault(id, Map.of());
            positions.add(fields.get("q"));
            assertThat(entry).containsEntry("t", topic);
            for (String field : List.of("q", "s", "y", "u", "d", "k")) {
              assertThat(entry.get(field)).isEqualTo(fields.get(field));
            }
          });
      assertThat(positions).containsExactly("1", "2", "3", "4", "5");
    }
    assertThat(log.values().stream().map(fields -> fields.get("s")))
        .containsExactlyElementsOf(IntStream.rangeClosed(1, 12).mapToObj(i -> "" + i).toList());
    assertThat(entries("ev:e:b").values().stream().map(fields -> fields.getOrDefault("k", "-")))
        .containsExactly("-", "k", "-", "-", "-");
    assertThat(outcomes)
        .allSatisfy(outcome -> assertThat(((Published) outcome).duplicate()).isFalse());
    assertThat(((Published) outcomes.get(9)).topicPosition()).isEqualTo(5);
    assertThat(((Published) outcomes.get(9)).at().position().sequence()).isEqualTo(12);
  }

  @Test
  void anEventIsAppendedOnceInOneScriptAndOverSeveral() throws Exception {
    List<Outcome> outcomes =
        get(
            events.append(
                partition,
                List.of(
                    event("a", "1", "", "first"),
                    event("a", "1", "", "again"),
                    event("b", "1", "", "elsewhere"),
                    event("a", "2", "", "second"))));
    List<Published> published = outcomes.stream().map(Published.class::cast).toList();
    assertThat(published.stream().map(Published::duplicate))
        .containsExactly(false, true, false, false);
    assertThat(published.get(1).at()).isEqualTo(published.get(0).at());
    Published later = publish(event("a", "2", "", "later"));
    assertThat(later.duplicate()).isTrue();
    assertThat(later.at()).isEqualTo(published.get(3).at());
    assertThat(later.topicPosition()).isEqualTo(2);
    assertThat(kept("a")).containsExactly("first", "second");
  }

  @Test
  void aStaleFenceRefusesItsEventAndNoOther() throws Exception {
    Fence fence = Fence.newBuilder().setName("f").setToken(5).build();
    publish(new Publication("a", event("a", "1", "", "1").event(), fence));
    Fence stale = fence.toBuilder().setToken(4).build();
    List<Outcome> outcomes =
        get(
            events.append(
                partition,
                List.of(
                    event("a", "2", "", "2"),
                    new Publication("a", event("a", "3", "", "3").event(), stale),
                    new Publication("new", event("new", "3", "", "3").event(), stale),
                    event("a", "4", "", "4"))));
    assertThat(outcomes.get(1)).isEqualTo(new Outcome.Fenced(5));
    assertThat(outcomes.get(2)).isEqualTo(new Outcome.Fenced(5));
    assertThat(kept("a")).containsExactly("1", "2", "4");
    assertThat(((Published) outcomes.get(3)).topicPosition()).isEqualTo(3);
    assertThatThrownBy(() -> get(topics.get(partition, "new"))).hasMessageContaining("no such");
  }

  @Test
  void theOldestGoBeyondANumber() throws Exception {
    create("a", TopicSettings.newBuilder().setMaxEvents(3));
    for (int i = 1; i <= 5; i++) {
      publish(event("a", "" + i, "", "" + i));
    }
    assertThat(kept("a")).containsExactly("3", "4", "5");
    List<Publication> batch = new ArrayList<>();
    for (int i = 6; i <= 60; i++) {
      batch.add(event("a", "" + i, "", "" + i));
    }
    get(events.append(partition, batch));
    assertThat(kept("a")).containsExactly("58", "59", "60");
    Topic topic = get(topics.get(partition, "a"));
    assertThat(topic.getEventCount()).isEqualTo(3);
    assertThat(topic.getPublishedCount()).isEqualTo(60);
    assertThat(topic.getFirstPosition()).isEqualTo(58);
    assertBytesAddUp("a");
  }

  @Test
  void theOldestGoBeyondANumberOfBytesButNeverTheNewest() throws Exception {
    create("a", TopicSettings.newBuilder().setMaxBytes(2048));
    for (int i = 0; i < 20; i++) {
      publish(event("a", "" + i, "", "x".repeat(300)));
      assertThat(get(topics.get(partition, "a")).getByteCount()).isBetween(300L, 2048L);
    }
    assertThat(kept("a")).hasSizeBetween(4, 6);
    publish(event("a", "large", "", "y".repeat(5000)));
    assertThat(kept("a")).containsExactly("y".repeat(5000));
    publish(event("a", "small", "", "z"));
    assertThat(kept("a")).containsExactly("z");
    assertBytesAddUp("a");
  }

  @Test
  void eventsThatAreTooOldAreSweptAndNoOthers() throws Exception {
    create("short", TopicSettings.newBuilder().setMaxAge(Durations.fromMillis(1000)));
    create("long", TopicSettings.newBuilder());
    List<Publication> batch = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      batch.add(event("short", "" + i, "", "old"));
    }
    get(events.append(partition, batch));
    List<Publication> more = new ArrayList<>();
    for (int i = 64; i < 100; i++) {
      more.add(event("short", "" + i, "", "old"));
    }
    get(events.append(partition, more));
    publish(event("long", "1", "", "1"));
    Swept swept = sweepAll();
    assertThat(kept("short")).hasSize(100);
    assertThat(swept.dueInMicros()).isBetween(1L, 1_000_000L);
    Awaitility.await()
        .until(
            () -> {
              sweepAll();
              return kept("short").isEmpty();
            });
    assertThat(kept("long")).containsExactly("1");
    publish(event("short", "new", "", "new"));
    sweepAll();
    assertThat(kept("short")).containsExactly("new");
    assertBytesAddUp("short");
  }

  @Test
  void narrowedSettingsAreSweptThrough() throws Exception {
    for (int part = 0; part < 5; part++) {
      List<Publication> batch = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        int number = part * 50 + i;
        batch.add(event("a", "" + number, "", "" + number));
      }
      get(events.append(partition, batch));
    }
    update("a", "max_events", TopicSettings.newBuilder().setMaxEvents(7));
    sweepAll();
    assertThat(kept("a")).containsExactly("243", "244", "245", "246", "247", "248", "249");
    assertBytesAddUp("a");
  }

  @Test
  void aCompactedTopicKeepsTheLastOfEachKey() throws Exception {
    create("a", TopicSettings.newBuilder().setCompacted(true));
    int id = 0;
    for (String key : List.of("x", "y", "", "x", "z", "x", "", "y")) {
      publish(event("a", "" + id, key, key + id));
      id++;
    }
    assertThat(kept("a")).containsExactly("2", "z4", "x5", "6", "y7");
    assertBytesAddUp("a");
    // One without data stands for the end of its key.
    publish(event("a", "gone", "x", ""));
    assertThat(kept("a")).containsExactly("2", "z4", "6", "y7", "");
    update("a", "max_events", TopicSettings.newBuilder().setMaxEvents(2));
    sweepAll();
    assertThat(kept("a")).containsExactly("y7", "");
    assertThat(keys("ev:k:a")).containsExactlyInAnyOrder("x", "y");
    assertBytesAddUp("a");
  }

  @Test
  void compactionThatBeginsLaterLooksThroughWhatIsThere() throws Exception {
    for (int i = 0; i < 200; i++) {
      publish(event("a", "" + i, i % 10 == 9 ? "" : "k" + i % 10, "" + i));
    }
    update("a", "compacted", TopicSettings.newBuilder().setCompacted(true));
    publish(event("a", "n0", "k0", "new"));
    get(topics.sweep(partition));
    publish(event("a", "n1", "k1", "new"));
    sweepAll();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      if (i % 10 == 9 || (i >= 192 && i < 199)) {
        expected.add("" + i);
      }
    }
    expected.addAll(List.of("new", "new"));
    assertThat(kept("a")).isEqualTo(expected);
    assertBytesAddUp("a");
    update("a", "compacted", TopicSettings.newBuilder());
    assertThat(keys("ev:k:a")).isEmpty();
    publish(event("a", "n2", "k1", "newer"));
    assertThat(kept("a")).hasSize(expected.size() + 1);
  }

  @Test
  void aDeletedTopicLeavesNothingAndBeginsAnew() throws Exception {
    create("a", TopicSettings.newBuilder().setCompacted(true).setMaxEvents(3));
    for (int i = 0; i < 5; i++) {
      publish(event("a", "" + i, "k" + i, "" + i));
    }
    for (int i = 0; i < 40; i++) {
      redis
          .commands()
          .getScoredSortedSet(partition.key("ev:gs:a"), StringCodec.INSTANCE)
          .add(0, "group-" + i);
    }
    get(topics.delete(partition, "a", 1, NOBODY));
    List<String> left = new ArrayList<>();
    redis.commands().getKeys().getKeys().forEach(left::add);
    left.removeIf(
        key ->
            !key.startsWith(partition.prefix())
                || key.matches(".*:(log|head|ev:[0-9a-f]{32}|rq:.*)"));
    // Which says of no topic in particular that one was deleted.
    assertThat(left).containsExactly(partition.key("ev:deleted"));
    Published again = publish(event("a", "1", "", "again"));
    assertThat(again.duplicate()).isFalse();
    assertThat(again.topicPosition()).isEqualTo(1);
    assertThat(get(topics.get(partition, "a")).getSettings().getMaxEvents()).isEqualTo(100_000);
  }

  @Test
  void aPartitionHasSoManyTopicsAndNoMore() throws Exception {
    publish(event("before", "1", "", "1"));
    get(redis.run(MANY_TOPICS, partition));
    List<Outcome> outcomes =
        get(
            events.append(
                partition, List.of(event("new", "1", "", "1"), event("before", "2", "", "2"))));
    assertThat(outcomes.get(0)).isEqualTo(new Outcome.TooManyTopics());
    assertThat(outcomes.get(1)).isInstanceOf(Published.class);
    assertThatThrownBy(() -> create("new", TopicSettings.newBuilder()))
        .cause()
        .isInstanceOfSatisfying(
            TroupeException.class,
            refusal ->
                assertThat(refusal.reason()).isEqualTo(ErrorReason.ERROR_REASON_LIMIT_EXCEEDED));
  }

  @Test
  void whatWasLeftInAnOutboxIsCarriedOnceAndInOrderHoweverManyServersCarryIt() throws Exception {
    layOut(200);
    OutboxRelay one = new OutboxRelay(new OutboxStore(redis), events);
    OutboxRelay other = new OutboxRelay(new OutboxStore(redis), events);
    Awaitility.await()
        .until(
            () -> {
              CompletionStage<Swept> first = one.sweep(partition);
              get(other.sweep(partition));
              get(first);
              return !exists("ob");
            });
    for (int topic = 0; topic < 5; topic++) {
      assertThat(carried("t" + topic)).isEqualTo(numbers(topic, 200));
    }
  }

  @Test
  void aPartitionThatTakesNoEventsGetsThemLaterInOrder() throws Exception {
    layOut(200);
    Partition away = get(EventHarness.NAMESPACES.locate(partition.namespace(), "t2"));
    AtomicBoolean isAway = new AtomicBoolean(true);
    ScriptRunner faulty =
        (script, place, arguments) ->
            isAway.get() && script.name().equals("event/publish") && place.equals(away)
                ? CompletableFuture.failedFuture(new IllegalStateException("away"))
                : redis.run(script, place, arguments);
    OutboxRelay relay =
        new OutboxRelay(new OutboxStore(redis), new EventStore(faulty, EventHarness.NAMESPACES));
    relay.written(partition);
    for (int topic = 0; topic < 5; topic++) {
      String name = "t" + topic;
      if (get(EventHarness.NAMESPACES.locate(partition.namespace(), name)).equals(away)) {
        continue;
      }
      List<String> expected = numbers(topic, 200);
      Awaitility.await().ignoreExceptions().until(() -> carried(name).equals(expected));
    }
    assertThat(exists("ob")).isTrue();
    assertThatThrownBy(() -> carried("t2")).hasMessageContaining("no such topic");
    isAway.set(false);
    relay.written(partition);
    Awaitility.await().until(() -> !exists("ob"));
    assertThat(carried("t2")).isEqualTo(numbers(2, 200));
  }

  private void layOut(int count) throws Exception {
    for (int from = 0; from < count; from += 50) {
      List<Object> arguments = new ArrayList<>();
      for (int i = from; i < from + 50; i++) {
        arguments.add("t" + i % 5);
        arguments.add(event("", "" + i, "", "" + i).event().toByteArray());
      }
      get(redis.run(LAY_OUT, partition, arguments.toArray()));
    }
  }

  private boolean exists(String kind) {
    return redis.commands().getBucket(partition.key(kind)).isExists();
  }

  private static List<String> numbers(int topic, int count) {
    return IntStream.range(0, count).filter(i -> i % 5 == topic).mapToObj(i -> "" + i).toList();
  }

  private List<String> carried(String topic) throws Exception {
    return kept(get(EventHarness.NAMESPACES.locate(partition.namespace(), topic)), topic);
  }

  private static final TopicStore.Asked NOBODY =
      new TopicStore.Asked("", "", Fence.getDefaultInstance());

  private void create(String topic, TopicSettings.Builder settings) throws Exception {
    get(topics.create(partition, topic, settings.build(), NOBODY));
  }

  private void update(String topic, String path, TopicSettings.Builder settings) throws Exception {
    get(topics.update(partition, topic, List.of(path), settings.build(), 0, NOBODY));
  }

  private Swept sweepAll() throws Exception {
    Swept swept = get(topics.sweep(partition));
    while (swept.more() || swept.dueInMicros() == 0) {
      swept = get(topics.sweep(partition));
    }
    return swept;
  }

  private static Publication event(String topic, String id, String key, String text) {
    Event.Builder event = Event.newBuilder().setId(id).setSource("s").setType("t").setKey(key);
    if (!text.isEmpty()) {
      event.setTextData(text);
    }
    return new Publication(topic, event.build(), Fence.getDefaultInstance());
  }

  private Published publish(Publication publication) throws Exception {
    return (Published) get(events.publish(partition, publication));
  }

  @Test
  void aLargeEventThatTakesThePlaceOfManySmallOnesLeavesTheRestToTheSweep() throws Exception {
    create("a", TopicSettings.newBuilder().setMaxBytes(16_384));
    for (int i = 0; i < 256; i += 64) {
      List<Publication> small = new ArrayList<>();
      for (int k = i; k < i + 64; k++) {
        small.add(event("a", "" + k, "", "x"));
      }
      get(events.append(partition, small));
    }
    sweepAll();
    long before = get(topics.get(partition, "a")).getEventCount();
    assertThat(before).isGreaterThan(200);
    get(events.append(partition, List.of(event("a", "large", "", "x".repeat(12_000)))));
    sweepAll();
    assertThat(get(topics.get(partition, "a")).getByteCount()).isLessThanOrEqualTo(16_384);
    assertThat(kept("a")).last().isEqualTo("x".repeat(12_000));
    assertBytesAddUp("a");
  }

  /** The texts that a topic keeps. */
  private List<String> kept(String topic) throws Exception {
    return kept(partition, topic);
  }

  private List<String> kept(Partition place, String topic) throws Exception {
    List<String> texts = new ArrayList<>();
    String from = "-";
    while (true) {
      List<KeptEvent> page = get(topics.read(place, topic, false, from, "+", 64)).events();
      if (page.isEmpty()) {
        return texts;
      }
      for (KeptEvent event : page) {
        texts.add(Event.parseFrom(event.event()).getTextData());
        from = "(" + event.at().id();
      }
    }
  }

  private void assertBytesAddUp(String topic) throws Exception {
    long bytes = 0;
    for (KeptEvent event : get(topics.read(partition, topic, false, "-", "+", 10_000)).events()) {
      bytes += event.event().size();
    }
    assertThat(get(topics.get(partition, topic)).getByteCount()).isEqualTo(bytes);
  }

  private List<Object> keys(String kind) {
    return new ArrayList<>(
        redis.commands().getMap(partition.key(kind), StringCodec.INSTANCE).keySet());
  }

  private Map<String, Map<String, String>> entries(String kind) {
    Map<String, Map<String, String>> entries = new java.util.LinkedHashMap<>();
    Map<StreamMessageId, Map<String, byte[]>> found =
        redis
            .commands()
            .<String, byte[]>getStream(partition.key(kind), CODEC)
            .range(StreamRangeArgs.startId(StreamMessageId.MIN).endId(StreamMessageId.MAX));
    found.forEach(
        (id, fields) -> {
          Map<String, String> texts = new TreeMap<>();
          fields.forEach((name, value) -> texts.put(name, text(value)));
          entries.put(id.toString(), texts);
        });
    return entries;
  }

  private static String text(byte[] value) {
    ByteString bytes = ByteString.copyFrom(value);
    return bytes.isValidUtf8() ? new String(value, UTF_8) : Arrays.toString(value);
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
