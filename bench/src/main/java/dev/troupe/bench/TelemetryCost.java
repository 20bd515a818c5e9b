package dev.troupe.bench;

import io.grpc.HandlerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerMethodDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Server CPU per call with telemetry off and on: one server each, loaded in turn. */
final class TelemetryCost {

  private static final int CALLS = 40_000;
  private static final int IN_FLIGHT = 64;
  private static final int CHANNELS = 4;

  private TelemetryCost() {}

  /** Prints the median of the runs, per setting and call. */
  static void measure(Path jar, int runs) throws Exception {
    Server sink = sink();
    String endpoint = "--telemetry.otlp-endpoint=http://127.0.0.1:" + sink.getPort();
    Map<String, String[]> variants = new LinkedHashMap<>();
    variants.put("off", new String[0]);
    variants.put("Prometheus", new String[] {"--telemetry.prometheus-port=" + Scratch.freePort()});
    variants.put("OTLP, no traces", new String[] {endpoint});
    variants.put(
        "OTLP, 1 % traced", new String[] {endpoint, "--telemetry.trace-sample-ratio=0.01"});
    variants.put("OTLP, all traced", new String[] {endpoint, "--telemetry.trace-sample-ratio=1"});
    Map<String, ServerUnderTest> servers = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, String[]> variant : variants.entrySet()) {
        servers.put(variant.getKey(), new ServerUnderTest(jar, variant.getValue()));
      }
      print(servers, runs);
    } finally {
      for (ServerUnderTest server : servers.values()) {
        server.close();
      }
      sink.shutdownNow();
    }
  }

  private static void print(Map<String, ServerUnderTest> servers, int runs)
      throws InterruptedException {
    System.out.println("| telemetry | empty call, µs of server CPU | enqueue, µs of server CPU |");
    System.out.println("|---|---|---|");
    Map<String, List<double[]>> measured = new LinkedHashMap<>();
    // The first round only warms up.
    for (int run = 0; run <= runs; run++) {
      for (Map.Entry<String, ServerUnderTest> server : servers.entrySet()) {
        double[] micros = {
          cpu(server.getValue(), UnaryCall.EMPTY), cpu(server.getValue(), UnaryCall.ENQUEUE)
        };
        if (run > 0) {
          measured.computeIfAbsent(server.getKey(), name -> new ArrayList<>()).add(micros);
        }
      }
    }
    measured.forEach(
        (name, all) ->
            System.out.printf("| %s | %.1f | %.1f |%n", name, median(all, 0), median(all, 1)));
  }

  private static double cpu(ServerUnderTest server, UnaryCall call) throws InterruptedException {
    List<ManagedChannel> channels = ClosedLoop.channels(server.port, CHANNELS);
    try {
      Duration before = server.serverCpu();
      ClosedLoop.run(channels, CALLS, IN_FLIGHT, call);
      return server.serverCpu().minus(before).toNanos() / 1e3 / CALLS;
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }

  private static double median(List<double[]> all, int column) {
    double[] sorted = all.stream().mapToDouble(row -> row[column]).sorted().toArray();
    return Arrays.stream(sorted).skip(sorted.length / 2).findFirst().orElse(0);
  }

  /** A collector that takes everything and keeps nothing. */
  private static Server sink() throws IOException {
    return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .fallbackHandlerRegistry(
            new HandlerRegistry() {
              @Override
              public ServerMethodDefinition<?, ?> lookupMethod(
                  String name, @Nullable String authority) {
                return ServerMethodDefinition.create(
                    MethodDescriptor.<byte[], byte[]>newBuilder(new RawBytes(), new RawBytes())
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .setFullMethodName(name)
                        .build(),
                    ServerCalls.asyncUnaryCall(
                        (request, answer) -> {
                          answer.onNext(new byte[0]);
                          answer.onCompleted();
                        }));
              }
            })
        .build()
        .start();
  }
}
