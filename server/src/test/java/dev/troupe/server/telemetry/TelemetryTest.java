package dev.troupe.server.telemetry;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.common.base.Ticker;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceBlockingStub;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceImplBase;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.GetAgentResponse;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.OpenTelemetry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TelemetryTest {

  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

  private final PeriodicTasks tasks =
      new PeriodicTasks(Ticker.systemTicker(), InstantSource.system());
  private final AgentService service = new AgentService();
  private final List<AutoCloseable> open = new java.util.ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable resource : open) {
      resource.close();
    }
    stopped(tasks.stop(Duration.ZERO));
  }

  private static void stopped(CompletionStage<?> stage) throws Exception {
    stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static TelemetryConfig config(int port, String endpoint, double ratio) {
    return new TelemetryConfig(port, "127.0.0.1", endpoint, ratio, "troupe-test");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Telemetry telemetry(TelemetryConfig config) {
    return new Telemetry(config, tasks, Ticker.systemTicker());
  }

  private AgentStateServiceBlockingStub stub(Telemetry telemetry) throws IOException {
    String name = InProcessServerBuilder.generateName();
    InProcessServerBuilder builder = InProcessServerBuilder.forName(name).addService(service);
    telemetry.interceptors().forEach(builder::intercept);
    Server server = builder.build().start();
    ManagedChannel channel = InProcessChannelBuilder.forName(name).build();
    open.add(channel::shutdownNow);
    open.add(server::shutdownNow);
    return AgentStateServiceGrpc.newBlockingStub(channel);
  }

  private static String scrape(int port) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics")).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  /** The value of the sample whose line has all the parts. */
  private static double sample(String page, String... parts) {
    return page.lines()
        .filter(line -> !line.startsWith("#") && List.of(parts).stream().allMatch(line::contains))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  private static final class AgentService extends AgentStateServiceImplBase {
    final CompletableFuture<Boolean> readiness = new CompletableFuture<>();

    @Override
    public void getAgent(GetAgentRequest request, StreamObserver<GetAgentResponse> observer) {
      if (request.getAgentId().isEmpty()) {
        observer.onError(Status.NOT_FOUND.asRuntimeException());
      } else {
        observer.onNext(GetAgentResponse.getDefaultInstance());
        observer.onCompleted();
      }
    }

    /** Three messages as soon as the transport is ready, then an open stream. */
    @Override
    public void watchAgents(
        WatchAgentsRequest request, StreamObserver<WatchAgentsResponse> observer) {
      ServerCallStreamObserver<WatchAgentsResponse> call =
          (ServerCallStreamObserver<WatchAgentsResponse>) observer;
      AtomicInteger left = new AtomicInteger(3);
      call.setOnReadyHandler(
          () -> {
            readiness.complete(call.isReady());
            while (call.isReady() && left.getAndDecrement() > 0) {
              call.onNext(WatchAgentsResponse.getDefaultInstance());
            }
          });
    }
  }

  @Test
  void when_everything_is_off_there_is_no_interceptor_and_no_sdk() throws Exception {
    Telemetry telemetry = telemetry(config(0, "", 0));

    assertThat(telemetry.interceptors()).isEmpty();
    assertThat(telemetry.openTelemetry()).isSameAs(OpenTelemetry.noop());
    stopped(telemetry.stop(Duration.ZERO));
  }

  @Test
  void calls_are_counted_by_method_and_status_code() throws Exception {
    int port = freePort();
    Telemetry telemetry = telemetry(config(port, "", 0));
    AgentStateServiceBlockingStub stub = stub(telemetry);

    for (int i = 0; i < 3; i++) {
      stub.getAgent(GetAgentRequest.newBuilder().setAgentId("a").build());
    }
    assertThatThrownBy(() -> stub.getAgent(GetAgentRequest.getDefaultInstance()))
        .isInstanceOf(StatusRuntimeException.class);

    String page = scrape(port);
    String count = "troupe_grpc_call_duration_seconds_count";
    assertThat(sample(page, count, "AgentStateService/GetAgent", "code=\"OK\"")).isEqualTo(3);
    assertThat(sample(page, count, "AgentStateService/GetAgent", "code=\"NOT_FOUND\"")).isOne();
    assertThat(sample(page, "troupe_grpc_calls_in_flight", "GetAgent")).isZero();
    stopped(telemetry.stop(Duration.ZERO));
    assertThatThrownBy(() -> scrape(port)).isInstanceOf(IOException.class);
  }

  @Test
  void a_stream_is_in_flight_until_it_is_cancelled_and_its_readiness_passes_through()
      throws Exception {
    int port = freePort();
    Telemetry telemetry = telemetry(config(port, "", 0));
    io.grpc.Context.CancellableContext context = io.grpc.Context.current().withCancellation();
    AgentStateServiceBlockingStub stub = stub(telemetry);

    Iterator<WatchAgentsResponse> responses =
        context.call(() -> stub.watchAgents(WatchAgentsRequest.getDefaultInstance()));
    for (int i = 0; i < 3; i++) {
      responses.next();
    }

    assertThat(service.readiness).isCompletedWithValue(true);
    String page = scrape(port);
    assertThat(sample(page, "troupe_grpc_calls_in_flight", "WatchAgents")).isOne();
    assertThat(sample(page, "troupe_grpc_stream_messages_sent_total", "WatchAgents")).isEqualTo(3);
    assertThat(sample(page, "troupe_grpc_stream_messages_received_total", "WatchAgents")).isOne();

    context.cancel(null);
    await()
        .untilAsserted(
            () -> {
              String later = scrape(port);
              assertThat(sample(later, "troupe_grpc_calls_in_flight", "WatchAgents")).isZero();
              assertThat(sample(later, "duration_seconds_count", "code=\"CANCELLED\"")).isOne();
            });
    stopped(telemetry.stop(Duration.ZERO));
  }

  @Test
  void the_process_and_its_periodic_tasks_are_measured() throws Exception {
    int port = freePort();
    Telemetry telemetry = telemetry(config(port, "", 0));
    tasks.schedule("sweeper", () -> CompletableFuture.completedFuture(Duration.ofHours(1)));

    await()
        .untilAsserted(
            () ->
                assertThat(sample(scrape(port), "troupe_periodic_runs_total", "sweeper")).isOne());
    String page = scrape(port);
    assertThat(sample(page, "troupe_process_heap_used_bytes")).isPositive();
    assertThat(sample(page, "troupe_process_cpu_time_seconds_total")).isPositive();
    assertThat(page).contains("troupe_process_gc_collections_total").contains("troupe-test");
    stopped(telemetry.stop(Duration.ZERO));
  }

  @Test
  void a_call_becomes_a_span_in_the_trace_of_its_caller_and_is_sent_on_stop() throws Exception {
    try (CollectorDouble collector = new CollectorDouble()) {
      Telemetry telemetry = telemetry(config(0, collector.endpoint(), 0));
      Metadata headers = new Metadata();
      headers.put(
          Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER),
          "00-" + TRACE + "-00f067aa0ba902b7-01");
      AgentStateServiceBlockingStub stub = stub(telemetry);

      stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
          .getAgent(GetAgentRequest.newBuilder().setAgentId("a").build());
      stopped(telemetry.stop(Duration.ZERO));

      String trace = new String(HexFormat.of().parseHex(TRACE), ISO_8859_1);
      assertThat(collector.traces)
          .singleElement()
          .extracting(bytes -> new String(bytes, ISO_8859_1))
          .asString()
          .contains(trace)
          .contains("troupe.v1.AgentStateService/GetAgent")
          .contains("troupe-test");
      assertThat(collector.metrics).isNotEmpty();
    }
  }

  @Test
  void only_the_given_part_of_the_calls_is_traced_when_the_caller_does_not_say() throws Exception {
    try (CollectorDouble collector = new CollectorDouble()) {
      Telemetry none = telemetry(config(0, collector.endpoint(), 0));
      stub(none).getAgent(GetAgentRequest.newBuilder().setAgentId("a").build());
      stopped(none.stop(Duration.ZERO));
      assertThat(collector.traces).isEmpty();

      Telemetry all = telemetry(config(0, collector.endpoint(), 1));
      stub(all).getAgent(GetAgentRequest.newBuilder().setAgentId("a").build());
      stopped(all.stop(Duration.ZERO));
      assertThat(collector.traces).hasSize(1);
    }
  }

  @Test
  void settings_that_make_no_sense_are_refused_all_at_once() {
    assertThatThrownBy(() -> new TelemetryConfig(-1, "", "localhost:4317", 2, ""))
        .hasMessageContaining("telemetry.prometheus-port: -1")
        .hasMessageContaining("telemetry.otlp-endpoint")
        .hasMessageContaining("telemetry.trace-sample-ratio: 2.0")
        .hasMessageContaining("telemetry.service-name");
  }
}
