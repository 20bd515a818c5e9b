package dev.troupe.server.error;

import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.FieldViolation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A refusal that the caller gets to see.
 *
 * <p>The message is fixed text; what varies is in the metadata. It carries no stack trace, because
 * a refusal is an answer, not a fault; a fault keeps its cause.
 */
public final class TroupeException extends RuntimeException {

  /** Trailers take 8 KiB, and the message stands in them twice, beside the violations. */
  private static final int MOST_IN_WORDS = 300;

  private final ErrorReason reason;
  private final Map<String, String> metadata;
  private final List<FieldViolation> violations;
  private final @Nullable Duration retryAfter;

  private TroupeException(
      ErrorReason reason,
      String message,
      Map<String, String> metadata,
      List<FieldViolation> violations,
      @Nullable Duration retryAfter,
      @Nullable Throwable cause) {
    super(message, cause, false, cause != null);
    this.reason = reason;
    this.metadata = Map.copyOf(metadata);
    this.violations = List.copyOf(violations);
    this.retryAfter = retryAfter;
  }

  /** A refusal without further values. */
  public static TroupeException of(ErrorReason reason, String message) {
    return new TroupeException(reason, message, Map.of(), List.of(), null, null);
  }

  /** A refusal with the values in question. */
  public static TroupeException of(
      ErrorReason reason, String message, Map<String, String> metadata) {
    return new TroupeException(reason, message, metadata, List.of(), null, null);
  }

  /** All that is wrong with a request, at once. */
  public static TroupeException invalid(List<FieldViolation> violations) {
    return new TroupeException(
        ErrorReason.ERROR_REASON_INVALID_FIELD,
        sentence(violations),
        Map.of(),
        violations,
        null,
        null);
  }

  /**
   * The violations in words, as far as they fit, for those who do not see the details: grpcurl
   * shows these as bytes.
   */
  private static String sentence(List<FieldViolation> violations) {
    StringBuilder sentence = new StringBuilder();
    int told = 0;
    for (FieldViolation violation : violations) {
      String one = violation.getField() + ": " + violation.getDescription();
      if (told > 0 && sentence.length() + one.length() > MOST_IN_WORDS) {
        break;
      }
      sentence.append(told > 0 ? "; " : "").append(one);
      told++;
    }
    if (told < violations.size()) {
      sentence.append("; and ").append(violations.size() - told).append(" more");
    }
    return sentence.toString();
  }

  /** A passing condition, to be tried again after the given time. */
  public static TroupeException retryable(
      ErrorReason reason, String message, Duration retryAfter, @Nullable Throwable cause) {
    return new TroupeException(reason, message, Map.of(), List.of(), retryAfter, cause);
  }

  /** The same with the values in question. */
  public static TroupeException retryable(
      ErrorReason reason, String message, Map<String, String> metadata, Duration retryAfter) {
    return new TroupeException(reason, message, metadata, List.of(), retryAfter, null);
  }

  /** Redis did not answer in time, so that nobody knows whether the write happened. */
  public static TroupeException outcomeUnknown(Throwable cause) {
    return new TroupeException(
        ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN,
        "the store did not answer in time, the outcome is unknown; ask again with the same"
            + " request_id or token",
        Map.of("outcome", "unknown"),
        List.of(),
        Duration.ofMillis(500),
        cause);
  }

  public ErrorReason reason() {
    return reason;
  }

  public Map<String, String> metadata() {
    return metadata;
  }

  public List<FieldViolation> violations() {
    return violations;
  }

  /** How long to wait before the next try; empty when trying again is no use. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
