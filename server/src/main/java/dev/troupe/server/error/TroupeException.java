package dev.troupe.server.error;

import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.FieldViolation;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A refusal that the caller gets to see.
 *
 * <p>The message is fixed text, and behind it, in brackets, the names of what it is about; these
 * and all else that varies are in the metadata. It carries no stack trace, because a refusal is an
 * answer, not a fault; a fault keeps its cause.
 */
public final class TroupeException extends RuntimeException {

  /** Trailers take 8 KiB, and the message stands in them twice, beside the violations. */
  private static final int MOST_IN_WORDS = 300;

  private final ErrorReason reason;
  private final String text;
  private final Map<String, String> names;
  private final Map<String, String> metadata;
  private final List<FieldViolation> violations;
  private final @Nullable Duration retryAfter;

  private TroupeException(
      ErrorReason reason,
      String text,
      Map<String, String> names,
      Map<String, String> metadata,
      List<FieldViolation> violations,
      @Nullable Duration retryAfter,
      @Nullable Throwable cause) {
    super(inWords(text, names), cause, false, cause != null);
    this.reason = reason;
    this.text = text;
    this.names = names;
    this.metadata = Map.copyOf(metadata);
    this.violations = List.copyOf(violations);
    this.retryAfter = retryAfter;
  }

  /** A refusal without further values. */
  public static TroupeException of(ErrorReason reason, String message) {
    return new TroupeException(reason, message, Map.of(), Map.of(), List.of(), null, null);
  }

  /** A refusal with the values in question. */
  public static TroupeException of(
      ErrorReason reason, String message, Map<String, String> metadata) {
    return new TroupeException(reason, message, Map.of(), metadata, List.of(), null, null);
  }

  /** All that is wrong with a request, at once. */
  public static TroupeException invalid(List<FieldViolation> violations) {
    return new TroupeException(
        ErrorReason.ERROR_REASON_INVALID_FIELD,
        sentence(violations),
        Map.of(),
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
    return new TroupeException(reason, message, Map.of(), Map.of(), List.of(), retryAfter, cause);
  }

  /** The same with the values in question. */
  public static TroupeException retryable(
      ErrorReason reason, String message, Map<String, String> metadata, Duration retryAfter) {
    return new TroupeException(reason, message, Map.of(), metadata, List.of(), retryAfter, null);
  }

  /** Another holder of the fence was seen since the caller got its token. */
  public static TroupeException staleFence(long highestToken) {
    return of(
        ErrorReason.ERROR_REASON_STALE_FENCE,
        "a higher fencing token was seen for this fence",
        Map.of("highest_token", Long.toString(highestToken)));
  }

  /** The first call with the request id asked for something else. */
  public static TroupeException requestIdReused() {
    return of(
        ErrorReason.ERROR_REASON_REQUEST_ID_REUSED,
        "the request_id was used by a call with other arguments");
  }

  /**
   * The server stops.
   *
   * @param advice what to do on another one
   */
  public static TroupeException shuttingDown(String advice, Duration retryAfter) {
    return retryable(
        ErrorReason.ERROR_REASON_SHUTTING_DOWN,
        "the server is stopping; " + advice,
        retryAfter,
        null);
  }

  /** Redis did not answer in time, so that nobody knows whether the write happened. */
  public static TroupeException outcomeUnknown(Throwable cause) {
    return new TroupeException(
        ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN,
        "the store did not answer in time, the outcome is unknown; ask again with the same"
            + " request_id or token",
        Map.of(),
        Map.of("outcome", "unknown"),
        List.of(),
        Duration.ofMillis(500),
        cause);
  }

  /**
   * The same refusal, saying what it is about: in the metadata, and behind the message for those
   * who see nothing else. What is known of it already stands.
   *
   * @param namesAndValues take turns; an empty value is left out
   */
  public TroupeException about(String... namesAndValues) {
    Map<String, String> all = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      if (!namesAndValues[i + 1].isEmpty()) {
        all.put(namesAndValues[i], metadata.getOrDefault(namesAndValues[i], namesAndValues[i + 1]));
      }
    }
    all.putAll(names);
    Map<String, String> told = new HashMap<>(all);
    told.putAll(metadata);
    return new TroupeException(reason, text, all, told, violations, retryAfter, getCause());
  }

  private static String inWords(String text, Map<String, String> names) {
    return names.isEmpty()
        ? text
        : names.entrySet().stream()
            .map(name -> name.getKey() + " " + name.getValue())
            .collect(Collectors.joining(", ", text + " (", ")"));
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
