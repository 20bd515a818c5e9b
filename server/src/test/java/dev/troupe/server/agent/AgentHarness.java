package dev.troupe.server.agent;

import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceBlockingStub;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.WatchAgentsRequest;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Two servers before the same Redis; each test has a namespace of its own. */
final class AgentHarness implements AutoCloseable {

  private final TestRedis redis;
  private final List<TroupeProcess> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  final List<RedisWire> masters = new ArrayList<>();
  final List<Integer> ports;
  private String namespace = "";

  /** Starts the servers; the Redis is closed with them. */
  AgentHarness(TestRedis redis, int partitions) throws Exception {
    this.redis = redis;
    this.ports = redis.masters();
    for (int port : ports) {
      masters.add(new RedisWire(port));
    }
    for (int i = 0; i < 2; i++) {
      servers.add(
          new TroupeProcess(
              "--redis.url=" + redis.url(),
              "--redis.partitions=" + partitions,
              "--agents.port-range=20003-20102"));
      channels.add(servers.get(i).channel());
    }
  }

  void newNamespace() {
    namespace = "t-" + UUID.randomUUID();
  }

  String namespace() {
    return namespace;
  }

  ManagedChannel channelA() {
    return channels.get(0);
  }

  ManagedChannel channelB() {
    return channels.get(1);
  }

  /** A connection of the test's own, to be broken. */
  ManagedChannel newChannelA() {
    return servers.get(0).channel();
  }

  AgentStateServiceBlockingStub a() {
    return stub(channelA());
  }

  AgentStateServiceBlockingStub b() {
    return stub(channelB());
  }

  private static AgentStateServiceBlockingStub stub(ManagedChannel channel) {
    return AgentStateServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  /** A registration in this test's namespace. */
  /** One that need not be heard of while a test lasts. */
  RegisterAgentRequest.Builder agent(String id) {
    return RegisterAgentRequest.newBuilder()
        .setNamespace(namespace)
        .setAgentId(id)
        .setLeaseDuration(Durations.fromMinutes(10))
        .setType("coder");
  }

  Agent register(RegisterAgentRequest.Builder request) {
    return a().registerAgent(request.build()).getAgent();
  }

  /** Registers many at once, by turns through both servers; they are in the order of the list. */
  List<Agent> registerAll(List<RegisterAgentRequest> requests) {
    List<CompletableFuture<Agent>> answers = new ArrayList<>();
    for (RegisterAgentRequest request : requests) {
      CompletableFuture<Agent> answer = new CompletableFuture<>();
      answers.add(answer);
      AgentStateServiceGrpc.newStub(channels.get(answers.size() % 2))
          .registerAgent(
              request,
              new StreamObserver<>() {
                @Override
                public void onNext(dev.troupe.v1.RegisterAgentResponse response) {
                  answer.complete(response.getAgent());
                }

                @Override
                public void onError(Throwable failure) {
                  answer.completeExceptionally(failure);
                }

                @Override
                public void onCompleted() {}
              });
    }
    return answers.stream().map(answer -> answer.orTimeout(30, TimeUnit.SECONDS).join()).toList();
  }

  /** An agent as the other server sees it. */
  Agent get(String id) {
    return b().getAgent(GetAgentRequest.newBuilder().setNamespace(namespace).setAgentId(id).build())
        .getAgent();
  }

  ListAgentsRequest.Builder listing() {
    return ListAgentsRequest.newBuilder().setNamespace(namespace);
  }

  /** All pages of a listing, by turns through both servers. */
  List<Agent> list(ListAgentsRequest.Builder request) {
    List<Agent> agents = new ArrayList<>();
    int page = 0;
    do {
      ListAgentsResponse response = stub(channels.get(page++ % 2)).listAgents(request.build());
      agents.addAll(response.getAgentsList());
      request.setPageToken(response.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    return agents;
  }

  WatchAgentsRequest.Builder watch() {
    return WatchAgentsRequest.newBuilder().setNamespace(namespace);
  }

  /** A watch of everything in this test's namespace, in place. */
  AgentWatcher watchAll(ManagedChannel channel) throws InterruptedException {
    return AgentWatcher.begun(channel, watch().build());
  }

  HeartbeatCaller heartbeats(ManagedChannel channel) {
    return new HeartbeatCaller(channel, namespace);
  }

  /** Fails if anything of the test's namespace does not fit together. */
  void audit() {
    // A sweep may come between two looks.
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(() -> AgentAudit.check(namespace, masters));
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
