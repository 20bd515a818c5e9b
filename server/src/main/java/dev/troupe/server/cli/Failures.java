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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Says why a call failed, in words or as a document, and which exit status that is. */
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

  /** The reason of a refusal, such as {@code INVALID_RESUME_TOKEN}; empty when it has none. */
  static String reason(StatusRuntimeException failure) {
    com.google.rpc.Status details = StatusProto.fromThrowable(failure);
    ErrorInfo info = details == null ? null : find(details, ErrorInfo.class);
    return info == null ? "" : info.getReason();
  }

  /** Prints the reason, the values in question and every violation. */
  static void print(StatusRuntimeException failure, CommandLine command, PrintWriter err) {
    ServerOptions options = ServerOptions.of(command);
    Status status = failure.getStatus();
    com.google.rpc.Status details = StatusProto.fromThrowable(failure);
    ErrorInfo info = details == null ? null : find(details, ErrorInfo.class);
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("code", status.getCode());
    if (details == null || info == null) {
      error.put("message", withoutDetails(status, options.server));
    } else {
      error.put("reason", info.getReason());
      error.put("message", details.getMessage());
      error.put("metadata", new TreeMap<>(info.getMetadataMap()));
      error.put("violations", violations(details, command.getCommandSpec()));
      RetryInfo retry = find(details, RetryInfo.class);
      if (retry != null) {
        error.put("retryAfter", Text.of(retry.getRetryDelay()));
      }
    }
    err.println(
        options.output == OutputFormat.JSON ? Json.of(Map.of("error", error)) : inWords(error));
    err.flush();
  }

  /** Prints what is wrong with the command line. */
  static void print(String message, CommandLine command, PrintWriter err) {
    err.println(
        ServerOptions.of(command).output == OutputFormat.JSON
            ? Json.of(Map.of("error", Map.of("message", message)))
            : message);
    err.flush();
  }

  private static List<Map<String, String>> violations(
      com.google.rpc.Status details, CommandSpec command) {
    BadRequest invalid = find(details, BadRequest.class);
    return invalid == null
        ? List.of()
        : invalid.getFieldViolationsList().stream()
            .map(
                violation ->
                    Map.of(
                        "argument",
                        Arguments.of(command, violation.getField()),
                        "field",
                        violation.getField(),
                        "description",
                        violation.getDescription()))
            .toList();
  }

  private static String inWords(Map<String, Object> error) {
    if (!(error.get("metadata") instanceof Map<?, ?> metadata)
        || !(error.get("violations") instanceof List<?> violations)) {
      return String.valueOf(error.get("message"));
    }
    List<String> lines = new ArrayList<>();
    // The message of a bad request says again what the violations say.
    String message =
        violations.isEmpty() ? ": " + Text.printable(String.valueOf(error.get("message"))) : "";
    lines.add(error.get("code") + " / " + error.get("reason") + message);
    metadata.forEach(
        (name, value) -> {
          String said = Text.printable(String.valueOf(value));
          if (!message.contains(name + " " + said)) {
            lines.add("  " + name + " = " + said);
          }
        });
    // An option may stand for several fields, as one for all tiers does.
    Set<String> wrong = new LinkedHashSet<>();
    for (Object violation : violations) {
      Map<?, ?> parts = (Map<?, ?>) violation;
      wrong.add("  " + parts.get("argument") + ": " + parts.get("description"));
    }
    lines.addAll(wrong);
    if (error.get("retryAfter") != null) {
      lines.add("  try again in " + error.get("retryAfter"));
    }
    return String.join("\n", lines);
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
