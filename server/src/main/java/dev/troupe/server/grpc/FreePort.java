package dev.troupe.server.grpc;

import dev.troupe.server.lifecycle.Service;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Looks whether the port can be had, before there is anything to answer with. */
final class FreePort implements Service {

  private final GrpcConfig config;

  FreePort(GrpcConfig config) {
    this.config = config;
  }

  @Override
  public CompletionStage<?> start() throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(config.host(), config.port()));
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on "
              + config.host()
              + ":"
              + config.port()
              + ": "
              + e.getMessage()
              + "; name another port with --port",
          e);
    }
    return CompletableFuture.completedFuture(null);
  }
}
