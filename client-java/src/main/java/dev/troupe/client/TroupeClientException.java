package dev.troupe.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.FieldViolation;
import dev.troupe.v1.ItemError;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A call that was refused or did not get through, with all that the server said about it. A call
 * that failed with UNAVAILABLE or DEADLINE_EXCEEDED may have been done all the same; repeating it
 * with the same request id finds out.
 */
public final class TroupeClientException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final Status.Code code;
  private final ErrorReason reason;
  private final transient Map<String, String> metadata;
  private final transient List<FieldViolation> violations;
  private final @Nullable Duration retryAfter;

  private TroupeClientException(
      String message,
      Status.Code code,
      ErrorReason reason,
      Map<String, String> metadata,
      List<FieldViolation> violations,
      @Nullable Duration retryAfter,
      @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
    this.reason = reason;
    this.metadata = Map.copyOf(metadata);
    this.violations = List.copyOf(violations);
    this.retryAfter = retryAfter;
  }

  /** The exception for whatever a call or a future ended with. */
  public static TroupeClientException of(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof TroupeClientException known) {
      return known;
    }
    com.google.rpc.Status details = StatusProto.fromThrowable(cause);
    return fromStatus(statusOf(cause), details, cause);
  }

  /** A connection that breaks while grpc-java writes ends its calls UNKNOWN (its issue 10120). */
  private static Status statusOf(Throwable failure) {
    Status status = Status.fromThrowable(failure);
    boolean broken =
        status.getCode() == Status.Code.UNKNOWN && status.getCause() instanceof IOException;
    return broken
        ? Status.UNAVAILABLE
            .withDescription("the connection to the server broke: " + status.getCause())
            .withCause(status.getCause())
        : status;
  }

  /** The exception for an item of a batch, or a report on a stream, that was refused. */
  public static TroupeClientException of(ItemError error) {
    return new TroupeClientException(
        message(error.getReason(), error.getMessage()),
        Status.Code.UNKNOWN,
        error.getReason(),
        error.getMetadataMap(),
        error.getViolationsList(),
        null,
        null);
  }

  private static TroupeClientException fromStatus(
      Status status, com.google.rpc.@Nullable Status details, Throwable cause) {
    ErrorReason reason = ErrorReason.ERROR_REASON_UNSPECIFIED;
    Map<String, String> metadata = new HashMap<>();
    List<FieldViolation> violations = new ArrayList<>();
    Duration retryAfter = null;
    for (Any detail : details == null ? List.<Any>of() : details.getDetailsList()) {
      try {
        if (detail.is(ErrorInfo.class)) {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          reason = reasonOf(info.getReason());
          metadata.putAll(info.getMetadataMap());
        } else if (detail.is(BadRequest.class)) {
          for (BadRequest.FieldViolation violation :
              detail.unpack(BadRequest.class).getFieldViolationsList()) {
            violations.add(
                FieldViolation.newBuilder()
                    .setField(violation.getField())
                    .setDescription(violation.getDescription())
                    .build());
          }
        } else if (detail.is(RetryInfo.class)) {
          retryAfter = Durations.of(detail.unpack(RetryInfo.class).getRetryDelay());
        }
      } catch (InvalidProtocolBufferException e) {
        metadata.put("unreadable_detail", detail.getTypeUrl());
      }
    }
    String said =
        status.getDescription() == null ? status.getCode().name() : status.getDescription();
    return new TroupeClientException(
        message(reason, said), status.getCode(), reason, metadata, violations, retryAfter, cause);
  }

  private static ErrorReason reasonOf(String name) {
    try {
      return ErrorReason.valueOf("ERROR_REASON_" + name);
    } catch (IllegalArgumentException e) {
      // A newer server may know more reasons.
      return ErrorReason.UNRECOGNIZED;
    }
  }

  private static String message(ErrorReason reason, String said) {
    return reason == ErrorReason.ERROR_REASON_UNSPECIFIED || reason == ErrorReason.UNRECOGNIZED
        ? said
        : reason.name().substring("ERROR_REASON_".length()) + ": " + said;
  }

  /** The gRPC code; UNKNOWN for an item of a batch, which has only a reason. */
  public Status.Code code() {
    return code;
  }

  /** The reason to branch on; UNSPECIFIED when the failure did not come from Troupe itself. */
  public ErrorReason reason() {
    return reason;
  }

  /** The values in question, by name. */
  public Map<String, String> metadata() {
    return metadata == null ? Map.of() : metadata;
  }

  /** Everything that was wrong with the request; empty when that was not the trouble. */
  public List<FieldViolation> violations() {
    return violations == null ? List.of() : violations;
  }

  /** When the server suggests to try again. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /** Whether the same request may get through later: nothing was wrong with it. */
  public boolean isPassing() {
    return switch (reason) {
      case ERROR_REASON_STORE_UNAVAILABLE,
          ERROR_REASON_OUTCOME_UNKNOWN,
          ERROR_REASON_OVERLOADED,
          ERROR_REASON_SHUTTING_DOWN ->
          true;
      case ERROR_REASON_UNSPECIFIED ->
          switch (code) {
            case UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, CANCELLED, INTERNAL -> true;
            default -> false;
          };
      default -> false;
    };
  }

  /** Whether a stream that ended so is worth opening again. */
  boolean endsOnlyTheStream() {
    return isPassing()
        || reason == ErrorReason.ERROR_REASON_SLOW_CONSUMER
        || reason == ErrorReason.ERROR_REASON_INTERNAL;
  }
}
