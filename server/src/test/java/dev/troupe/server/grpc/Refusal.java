package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/**
 * How a call was refused.
 *
 * @param fields the violations, descriptions by field
 */
public record Refusal(
    Status.Code code,
    String reason,
    Map<String, String> metadata,
    Map<String, String> fields,
    boolean saysWhenToRetry) {

  /** The refusal of a call that has to be refused. */
  public static Refusal of(ThrowingCallable call) {
    return of(catchThrowableOfType(StatusRuntimeException.class, call));
  }

  /** The refusal of a call that is over. */
  public static Refusal of(ListenableFuture<?> call) {
    return of(
        () -> {
          try {
            call.get();
          } catch (ExecutionException e) {
            throw e.getCause() == null ? e : e.getCause();
          }
        });
  }

  public static Refusal of(StatusRuntimeException failure) {
    if (failure == null) {
      throw new AssertionError("the call was not refused");
    }
    Map<String, String> fields = new TreeMap<>();
    ErrorInfo info = ErrorInfo.getDefaultInstance();
    boolean saysWhenToRetry = false;
    try {
      for (Any detail : details(failure)) {
        if (detail.is(ErrorInfo.class)) {
          info = detail.unpack(ErrorInfo.class);
        } else if (detail.is(RetryInfo.class)) {
          saysWhenToRetry = true;
        } else if (detail.is(BadRequest.class)) {
          detail
              .unpack(BadRequest.class)
              .getFieldViolationsList()
              .forEach(
                  violation ->
                      fields.merge(
                          violation.getField(),
                          violation.getDescription(),
                          (one, other) -> one + "; " + other));
        }
      }
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
    return new Refusal(
        failure.getStatus().getCode(),
        info.getReason(),
        info.getMetadataMap(),
        fields,
        saysWhenToRetry);
  }

  private static List<Any> details(StatusRuntimeException failure) {
    com.google.rpc.Status status = StatusProto.fromThrowable(failure);
    return status == null ? List.of() : status.getDetailsList();
  }

  /** Code and reason, such as {@code ABORTED VERSION_MISMATCH}. */
  public String what() {
    return code + " " + reason;
  }
}
