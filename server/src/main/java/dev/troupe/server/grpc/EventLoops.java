package dev.troupe.server.grpc;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.Executor;

/** The threads that do all input and output, for gRPC and Redis alike. */
final class EventLoops {

  private EventLoops() {}

  /** One per processor, with native epoll where there is one. */
  static EventLoopGroup open() {
    IoHandlerFactory io =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return new MultiThreadIoEventLoopGroup(
        Runtime.getRuntime().availableProcessors(), new DefaultThreadFactory("io", true), io);
  }

  /** The event loop that asks, or all threads together when another one does. */
  static Executor current(Executor threads) {
    if (threads instanceof EventLoopGroup loops) {
      for (EventExecutor loop : loops) {
        if (loop.inEventLoop()) {
          return loop;
        }
      }
    }
    return threads;
  }

  static Class<? extends ServerChannel> serverChannel() {
    return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }
}
