package dev.troupe.server.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.ItemError;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The only place that builds a status: from a refusal to a code and its details. */
public final class StatusMapper {

  private static final Logger log = LoggerFactory.getLogger(StatusMapper.class);
  private static final String DOMAIN = "troupe.dev";
  private static final String PREFIX = "ERROR_REASON_";

  private StatusMapper() {}

  /** The status for whatever went wrong; a fault of ours is logged under an id and says no more. */
  public static StatusRuntimeException toStatus(Throwable failure) {
    return StatusProto.toStatusRuntimeException(statusOf(refusal(failure)));
  }

  /** The same for one item of a batch or one report on a stream. */
  public static ItemError toItemError(Throwable failure) {
    TroupeException refusal = refusal(failure);
    return ItemError.newBuilder()
        .setReason(refusal.reason())
        .setMessage(String.valueOf(refusal.getMessage()))
        .addAllViolations(refusal.violations())
        .putAllMetadata(refusal.metadata())
        .build();
  }

  private static TroupeException refusal(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof TroupeException refusal) {
      log.debug("refused: {} {}", refusal.reason(), refusal.getMessage());
      return refusal;
    }
    String errorId = UUID.randomUUID().toString();
    log.error("internal error {}", errorId, cause);
    return TroupeException.of(
        ErrorReason.ERROR_REASON_INTERNAL,
        "internal error; the server's log has it under the error_id",
        java.util.Map.of("error_id", errorId));
  }

  private static Status statusOf(TroupeException refusal) {
    Status.Builder status =
        Status.newBuilder()
            .setCode(codeOf(refusal.reason()).getNumber())
            .setMessage(String.valueOf(refusal.getMessage()))
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setDomain(DOMAIN)
                        .setReason(refusal.reason().name().substring(PREFIX.length()))
                        .putAllMetadata(refusal.metadata())
                        .build()));
    if (!refusal.violations().isEmpty()) {
      BadRequest.Builder bad = BadRequest.newBuilder();
      refusal
          .violations()
          .forEach(
              violation ->
                  bad.addFieldViolationsBuilder()
                      .setField(violation.getField())
                      .setDescription(violation.getDescription()));
      status.addDetails(Any.pack(bad.build()));
    }
    if (codeOf(refusal.reason()) == Code.FAILED_PRECONDITION) {
      PreconditionFailure.Builder failure = PreconditionFailure.newBuilder();
      failure
          .addViolationsBuilder()
          .setType(refusal.reason().name().substring(PREFIX.length()))
          .setDescription(String.valueOf(refusal.getMessage()));
      status.addDetails(Any.pack(failure.build()));
    }
    refusal
        .retryAfter()
        .ifPresent(
            wait ->
                status.addDetails(
                    Any.pack(
                        RetryInfo.newBuilder()
                            .setRetryDelay(
                                Duration.newBuilder()
                                    .setSeconds(wait.toSeconds())
                                    .setNanos(wait.toNanosPart()))
                            .build())));
    return status.build();
  }

  private static Code codeOf(ErrorReason reason) {
    return switch (reason) {
      case ERROR_REASON_INVALID_FIELD,
          ERROR_REASON_INVALID_PAGE_TOKEN,
          ERROR_REASON_INVALID_RESUME_TOKEN ->
          Code.INVALID_ARGUMENT;
      case ERROR_REASON_TASK_NOT_FOUND,
          ERROR_REASON_QUEUE_NOT_FOUND,
          ERROR_REASON_AGENT_NOT_FOUND,
          ERROR_REASON_TOPIC_NOT_FOUND,
          ERROR_REASON_GROUP_NOT_FOUND,
          ERROR_REASON_SPACE_NOT_FOUND,
          ERROR_REASON_ITEM_NOT_FOUND ->
          Code.NOT_FOUND;
      case ERROR_REASON_TASK_EXISTS,
          ERROR_REASON_TOPIC_EXISTS,
          ERROR_REASON_GROUP_EXISTS,
          ERROR_REASON_SPACE_EXISTS,
          ERROR_REASON_ITEM_EXISTS,
          ERROR_REASON_REQUEST_ID_REUSED ->
          Code.ALREADY_EXISTS;
      case ERROR_REASON_NO_REPLY -> Code.DEADLINE_EXCEEDED;
      case ERROR_REASON_STALE_LEASE,
          ERROR_REASON_RESULT_CONFLICT,
          ERROR_REASON_STALE_FENCE,
          ERROR_REASON_STALE_SESSION,
          ERROR_REASON_QUEUE_DRAINING,
          ERROR_REASON_TASK_STATE,
          ERROR_REASON_LOCK_MODE,
          ERROR_REASON_DIMENSION_MISMATCH,
          ERROR_REASON_PROTOCOL_VIOLATION ->
          Code.FAILED_PRECONDITION;
      case ERROR_REASON_SESSION_REPLACED,
          ERROR_REASON_VERSION_MISMATCH,
          ERROR_REASON_DEADLOCK,
          ERROR_REASON_TURN_MISMATCH ->
          Code.ABORTED;
      case ERROR_REASON_LIMIT_EXCEEDED, ERROR_REASON_SLOW_CONSUMER -> Code.RESOURCE_EXHAUSTED;
      case ERROR_REASON_POSITION_TRIMMED -> Code.OUT_OF_RANGE;
      case ERROR_REASON_OVERLOADED,
          ERROR_REASON_STORE_UNAVAILABLE,
          ERROR_REASON_OUTCOME_UNKNOWN,
          ERROR_REASON_SHUTTING_DOWN,
          ERROR_REASON_INDEX_BEHIND ->
          Code.UNAVAILABLE;
      case ERROR_REASON_INTERNAL, ERROR_REASON_UNSPECIFIED, UNRECOGNIZED -> Code.INTERNAL;
    };
  }
}
