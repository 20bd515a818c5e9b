package dev.troupe.server.grpc;

import io.grpc.StatusRuntimeException;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in one line what gRPC refuses before a call begins, such as a message over the limit. gRPC
 * itself logs a stack trace of its own for it, although the fault is a client's. The client is told
 * in any case; the log only at DEBUG, or clients could fill it as fast as they send.
 */
final class MessageWarnings {

  private static final org.slf4j.Logger log = LoggerFactory.getLogger(MessageWarnings.class);

  /** Held, as java.util.logging forgets loggers, with their filters, that nobody holds. */
  private static final Logger MESSAGES = Logger.getLogger("io.grpc.netty.NettyServerStream");

  private MessageWarnings() {}

  /** Takes these warnings over, for all servers of this process. */
  static void inOneLine() {
    MESSAGES.setFilter(MessageWarnings::isNotSaid);
  }

  private static boolean isNotSaid(LogRecord said) {
    if (!(said.getThrown() instanceof StatusRuntimeException refusal)) {
      return true;
    }
    log.debug(
        "refused a client's message: {}: {}",
        refusal.getStatus().getCode(),
        refusal.getStatus().getDescription());
    return false;
  }
}
