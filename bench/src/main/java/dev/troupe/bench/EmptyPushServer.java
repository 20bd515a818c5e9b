package dev.troupe.bench;

import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * A server that pushes what is published to all its streams, and does nothing else: no store, no
 * topics, no order among publishers, nothing encoded or read. What remains is what gRPC and Netty
 * cost, on threads and with a transport as Troupe's server has them.
 */
public final class EmptyPushServer {

  /** As Troupe's server has them, since they decide how much each write to a socket takes along. */
  private static final WriteBufferWaterMark UNWRITTEN =
      new WriteBufferWaterMark(512 << 10, 1 << 20);

  private static final int FLOW_CONTROL_WINDOW = 8 << 20;

  private final EventLoopGroup eventLoops;
  private final List<PushedStreams> streams = new ArrayList<>();

  private EmptyPushServer(EventLoopGroup eventLoops) {
    this.eventLoops = eventLoops;
    for (EventExecutor loop : eventLoops) {
      streams.add(new PushedStreams(loop));
    }
  }

  /** Tells its port, and ends when nobody can write to its standard input any more. */
  public static void main(String[] arguments) throws IOException {
    IoHandlerFactory io =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    EventLoopGroup eventLoops =
        new MultiThreadIoEventLoopGroup(
            Runtime.getRuntime().availableProcessors(), new DefaultThreadFactory("io", true), io);
    Server server = new EmptyPushServer(eventLoops).start();
    System.out.println("listening on 127.0.0.1:" + server.getPort());
    while (System.in.read() >= 0) {
      // What is said there means nothing.
    }
    server.shutdownNow();
  }

  private Server start() throws IOException {
    return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .directExecutor()
        .bossEventLoopGroup(eventLoops)
        .workerEventLoopGroup(eventLoops)
        .channelType(serverChannel())
        .withChildOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNWRITTEN)
        .flowControlWindow(FLOW_CONTROL_WINDOW)
        .addService(
            ServerServiceDefinition.builder(EmptyPush.SERVICE)
                .addMethod(
                    EmptyPush.SUBSCRIBE, ServerCalls.asyncServerStreamingCall(this::subscribe))
                .addMethod(EmptyPush.PUBLISH, ServerCalls.asyncUnaryCall(this::publish))
                .build())
        .build()
        .start();
  }

  private static Class<? extends ServerChannel> serverChannel() {
    return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  private void subscribe(byte[] request, StreamObserver<byte[]> answer) {
    // Calls run on the loop of their connection, as there is no other thread.
    streams.stream()
        .filter(PushedStreams::isHere)
        .findFirst()
        .orElseThrow()
        .add(request, (ServerCallStreamObserver<byte[]>) answer);
  }

  private void publish(byte[] message, StreamObserver<byte[]> answer) {
    streams.forEach(each -> each.push(message));
    answer.onNext(new byte[0]);
    answer.onCompleted();
  }
}
