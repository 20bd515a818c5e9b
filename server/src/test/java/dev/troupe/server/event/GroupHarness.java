package dev.troupe.server.event;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.PullEventsResponse;
import dev.troupe.v1.SettleEventsRequest;
import dev.troupe.v1.SettleOutcome;
import dev.troupe.v1.Settlement;
import dev.troupe.v1.StartPosition;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** Two servers before the same Redis; each test has a namespace of its own. */
final class GroupHarness implements AutoCloseable {

  /** The topic and the group of most tests. */
  static final String TOPIC = "orders";

  static final String GROUP = "billing";

  private final TestRedis redis;
  private final List<TroupeProcess> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<RedisWire> masters = new ArrayList<>();
  private final int partitions;
  private String namespace = "";

  /** Starts the servers; the Redis is closed with them. */
  GroupHarness(TestRedis redis, int partitions) throws Exception {
    this.redis = redis;
    this.partitions = partitions;
    for (int port : redis.masters()) {
      masters.add(new RedisWire(port));
    }
    for (int i = 0; i < 2; i++) {
      servers.add(
          new TroupeProcess(
              "--redis.url=" + redis.url(),
              "--redis.partitions=" + partitions,
              "--events.checkpoint-interval=500ms"));
      channels.add(servers.get(i).channel());
    }
  }

  void newNamespace() {
    namespace = "t-" + UUID.randomUUID();
  }

  String namespace() {
    return namespace;
  }

  /** A topic whose dead letters live in its own partition, or in another one. */
  String topic(boolean deadLettersBeside) {
    for (int i = 0; ; i++) {
      String topic = "topic-" + i;
      int home = Partition.of(namespace, partitions, topic).index();
      boolean beside = Partition.of(namespace, partitions, topic + ".dead").index() == home;
      if (beside == deadLettersBeside || partitions == 1) {
        return topic;
      }
    }
  }

  EventStreamServiceBlockingStub a() {
    return stub(channels.get(0));
  }

  EventStreamServiceBlockingStub b() {
    return stub(channels.get(1));
  }

  private static EventStreamServiceBlockingStub stub(ManagedChannel channel) {
    return EventStreamServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  ManagedChannel channelA() {
    return channels.get(0);
  }

  ManagedChannel channelB() {
    return channels.get(1);
  }

  /** A group that begins with the first event. */
  CreateGroupRequest.Builder group(GroupSettings.Builder settings) {
    return CreateGroupRequest.newBuilder()
        .setNamespace(namespace)
        .setTopic(TOPIC)
        .setGroup(GROUP)
        .setSettings(settings)
        .setStart(GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_BEGINNING));
  }

  Group create(GroupSettings.Builder settings) {
    return a().createGroup(group(settings).build()).getGroup();
  }

  Group get() {
    return get(TOPIC);
  }

  Group get(String topic) {
    return b().getGroup(
            GetGroupRequest.newBuilder()
                .setNamespace(namespace)
                .setTopic(topic)
                .setGroup(GROUP)
                .build())
        .getGroup();
  }

  void publish(String... ids) {
    for (String id : ids) {
      publish(TOPIC, Event.newBuilder().setId(id).setType("order.placed"));
    }
  }

  void publish(String topic, Event.Builder event) {
    a().publish(
            PublishRequest.newBuilder()
                .setNamespace(namespace)
                .setTopic(topic)
                .setEvent(event.setSource("test"))
                .build());
  }

  GroupMemberDouble join(ManagedChannel channel, String member, int credits) {
    return new GroupMemberDouble(channel, namespace, TOPIC, GROUP, member, credits);
  }

  PullEventsRequest.Builder pulling(String topic, String member, int most) {
    return PullEventsRequest.newBuilder()
        .setNamespace(namespace)
        .setTopic(topic)
        .setGroup(GROUP)
        .setMemberId(member)
        .setMaxEvents(most);
  }

  List<GroupDelivery> pull(String member, int most) {
    return a().pullEvents(pulling(TOPIC, member, most).build()).getDeliveriesList();
  }

  /** One delivery, waiting for it through the other server. */
  GroupDelivery pullOne(String topic) {
    List<GroupDelivery> one =
        b().pullEvents(pulling(topic, "b", 1).setWait(Durations.fromSeconds(20)).build())
            .getDeliveriesList();
    if (one.isEmpty()) {
      throw new AssertionError("nothing came; " + get(topic));
    }
    return one.get(0);
  }

  GroupDelivery pullOne() {
    return pullOne(TOPIC);
  }

  ListenableFuture<PullEventsResponse> pullLater(ManagedChannel channel, PullEventsRequest call) {
    return EventStreamServiceGrpc.newFutureStub(channel).pullEvents(call);
  }

  List<SettleOutcome> settle(String topic, Settlement.Builder settlement) {
    return b().settleEvents(
            SettleEventsRequest.newBuilder()
                .setNamespace(namespace)
                .setTopic(topic)
                .setGroup(GROUP)
                .setSettlement(settlement)
                .build())
        .getOutcomes()
        .getOutcomesList();
  }

  List<SettleOutcome> settle(Settlement.Builder settlement) {
    return settle(TOPIC, settlement);
  }

  SettleOutcome ack(GroupDelivery delivery) {
    return settle(Settlement.newBuilder().addAck(delivery.getDeliveryId())).get(0);
  }

  /** Runs a command on the master that has a key of the topic's partition. */
  Object redis(String topic, String command, String kind, String... arguments) throws IOException {
    String key = Partition.of(namespace, partitions, topic).key(kind);
    List<String> all = new ArrayList<>(List.of(command, key));
    all.addAll(List.of(arguments));
    for (RedisWire master : masters) {
      try {
        return master.command(all.toArray(String[]::new));
      } catch (IOException elsewhere) {
        if (!String.valueOf(elsewhere.getMessage()).contains("MOVED")) {
          throw elsewhere;
        }
      }
    }
    throw new IllegalStateException("no master has " + key);
  }

  /** Fails if anything of the test's namespace does not fit together. */
  void audit() {
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(() -> GroupAudit.check(namespace, masters));
  }

  @Override
  public void close() throws Exception {
    channels.forEach(ManagedChannel::shutdownNow);
    for (TroupeProcess server : servers) {
      server.close();
    }
    for (RedisWire master : masters) {
      master.close();
    }
    redis.close();
  }
}
