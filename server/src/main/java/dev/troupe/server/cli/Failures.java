package dev.troupe.server.cli;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.PrintWriter;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Says in words why a call failed, and which exit status that is. */
final class Failures {

  private Failures() {}

  /** The exit status of a failed call. */
  static int exitStatus(Status status) {
    return switch (status.getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED -> ExitStatus.UNAVAILABLE;
      case NOT_FOUND -> ExitStatus.NOT_FOUND;
      default -> ExitStatus.REFUSED;
    };
  }

  /** Prints the reason, the values in question and every violation. */
  static void print(StatusRuntimeException failure, String server, PrintWriter err) {
    Status status = failure.getStatus();
    com.google.rpc.Status details = StatusProto.fromThrowable(failure);
    ErrorInfo info = details == null ? null : find(details, ErrorInfo.class);
    if (details == null || info == null) {
      err.println(withoutDetails(status, server));
      err.flush();
      return;
    }
    err.println(status.getCode() + " / " + info.getReason() + ": " + details.getMessage());
    new TreeMap<>(info.getMetadataMap())
        .forEach((name, value) -> err.println("  " + name + " = " + Text.printable(value)));
    BadRequest invalid = find(details, BadRequest.class);
    if (invalid != null) {
      invalid
          .getFieldViolationsList()
          .forEach(
              violation ->
                  err.println("  " + violation.getField() + ": " + violation.getDescription()));
    }
    RetryInfo retry = find(details, RetryInfo.class);
    if (retry != null) {
      err.println("  try again in " + Text.of(retry.getRetryDelay()));
    }
    err.flush();
  }

  private static String withoutDetails(Status status, String server) {
    String reason = status.getDescription() == null ? "no reason given" : status.getDescription();
    return switch (status.getCode()) {
      case UNAVAILABLE ->
          "cannot reach a server at "
              + server
              + ": "
              + rootMessage(status, reason)
              + "\n  start one with `troupe serve`, or name another with --server HOST:PORT";
      case DEADLINE_EXCEEDED -> "the server at " + server + " did not answer in time";
      case UNIMPLEMENTED -> "the server at " + server + " does not know this call: " + reason;
      default -> status.getCode() + ": " + reason;
    };
  }

  private static String rootMessage(Status status, String reason) {
    Throwable cause = status.getCause();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause == null || cause.getMessage() == null ? reason : cause.getMessage();
  }

  private static <M extends com.google.protobuf.Message> @Nullable M find(
      com.google.rpc.Status details, Class<M> type) {
    for (Any detail : details.getDetailsList()) {
      if (detail.is(type)) {
        try {
          return detail.unpack(type);
        } catch (InvalidProtocolBufferException e) {
          return null;
        }
      }
    }
    return null;
  }
}
