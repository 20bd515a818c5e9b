package dev.troupe.server.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.protobuf.Duration;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.Fence;
import dev.troupe.v1.FieldViolation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Collects everything that is wrong with a request, to be told at once.
 *
 * <p>For one request and one thread. Nothing is thrown before {@link #done}.
 */
public final class Checks {

  /** Longest name, in bytes of UTF-8. */
  public static final int NAME_BYTES = 256;

  /** "groups/", a topic, a group and a position; others are shorter. */
  private static final int FENCE_BYTES = 2 * NAME_BYTES + 32;

  private static final int REQUEST_ID_BYTES = 128;
  private static final Pattern NAMESPACE = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");
  private static final int MOST_VIOLATIONS = 100;

  /**
   * They travel in the trailers, of which clients take 8 KiB, a third more than what is encoded.
   */
  private static final int MOST_BYTES = 4096;

  private static final int MOST_OF_A_NAME = 128;

  /** Three messages each, and most readers of Protobuf give up at a hundred. */
  private static final int MOST_LEVELS = 24;

  private final List<FieldViolation> violations = new ArrayList<>();
  private int bytes;

  /** Records a violation; past a hundred, or what a status can carry, they are no longer kept. */
  @CanIgnoreReturnValue
  public Checks violation(String field, String description) {
    FieldViolation violation =
        FieldViolation.newBuilder().setField(field).setDescription(description).build();
    bytes += violation.getSerializedSize();
    if (violations.isEmpty() || (violations.size() < MOST_VIOLATIONS && bytes < MOST_BYTES)) {
      violations.add(violation);
    }
    return this;
  }

  /** A name as a violation quotes it: its beginning, when it is long. */
  public static String quoted(String name) {
    return name.length() <= MOST_OF_A_NAME ? name : name.substring(0, MOST_OF_A_NAME) + "...";
  }

  /** Records a violation unless the condition holds. */
  @CanIgnoreReturnValue
  public Checks that(boolean holds, String field, String description) {
    return holds ? this : violation(field, description);
  }

  /** A namespace: empty (meaning "default") or 1 to 63 of {@code a-z 0-9 . _ -}. */
  @CanIgnoreReturnValue
  public Checks namespace(String namespace) {
    return that(
        namespace.isEmpty() || NAMESPACE.matcher(namespace).matches(),
        "namespace",
        "expected 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, or"
            + " nothing for \"default\"");
  }

  /** A required name: 1 to 256 bytes of printable UTF-8. */
  @CanIgnoreReturnValue
  public Checks name(String field, String value) {
    return value.isEmpty() ? violation(field, "required") : optionalName(field, value);
  }

  /** A name that may be empty. */
  @CanIgnoreReturnValue
  public Checks optionalName(String field, String value) {
    return text(field, value, NAME_BYTES);
  }

  /** Text without control characters, up to the given number of bytes of UTF-8. */
  @CanIgnoreReturnValue
  public Checks text(String field, String value, int maxBytes) {
    // A string of n chars has at least n bytes, so that huge ones are not encoded just to count.
    int bytes = value.length() > maxBytes ? value.length() : utf8Length(value, maxBytes);
    if (bytes > maxBytes) {
      violation(field, "too long: at least " + bytes + " bytes (at most " + maxBytes + ")");
    }
    for (int i = 0; i < Math.min(value.length(), maxBytes); i++) {
      if (isUnprintable(value.charAt(i))) {
        return violation(
            field, String.format("control character U+%04X at %d", (int) value.charAt(i), i));
      }
    }
    return this;
  }

  private static boolean isUnprintable(char c) {
    return Character.isISOControl(c) || c == '\u2028' || c == '\u2029' || c == '\uFFFE';
  }

  private static int utf8Length(String value, int maxBytes) {
    return value.length() * 3 <= maxBytes ? value.length() : value.getBytes(UTF_8).length;
  }

  /** At most so many names, each of them valid. */
  @CanIgnoreReturnValue
  public Checks names(String field, Collection<String> values, int most) {
    atMost(field, values.size(), most);
    int i = 0;
    for (String value : values) {
      if (i == most) {
        break;
      }
      name(field + "[" + i++ + "]", value);
    }
    return this;
  }

  /** At most so many labels: keys are names, values up to 256 bytes. */
  @CanIgnoreReturnValue
  public Checks labels(String field, Map<String, String> labels, int most) {
    atMost(field, labels.size(), most);
    if (labels.size() <= most) {
      labels.forEach(
          (key, value) -> {
            name(field + " key", key);
            text(field + "[" + quoted(key) + "]", value, NAME_BYTES);
          });
    }
    return this;
  }

  /** A request id: up to 128 bytes, may be empty. */
  @CanIgnoreReturnValue
  public Checks requestId(String value) {
    return text("request_id", value, REQUEST_ID_BYTES);
  }

  /** A fence: either not given or with a name and a token above 0. */
  @CanIgnoreReturnValue
  public Checks fence(boolean given, Fence fence) {
    if (given) {
      that(!fence.getName().isEmpty(), "fence.name", "required");
      text("fence.name", fence.getName(), FENCE_BYTES);
      that(fence.getToken() > 0, "fence.token", "expected a number above 0");
    }
    return this;
  }

  /** No more elements than allowed. */
  @CanIgnoreReturnValue
  public Checks atMost(String field, int count, int most) {
    return count <= most
        ? this
        : violation(field, "too many: " + count + " (at most " + most + ")");
  }

  /** A number within bounds. */
  @CanIgnoreReturnValue
  public Checks range(String field, long value, long least, long most) {
    return value >= least && value <= most
        ? this
        : violation(field, "out of range: " + value + " (expected " + least + " to " + most + ")");
  }

  /** A number of bytes up to a limit. */
  @CanIgnoreReturnValue
  public Checks bytes(String field, long size, long most) {
    return that(size <= most, field, "too large: " + size + " bytes (at most " + most + ")");
  }

  /** Structured data with at most 24 objects and lists within each other. */
  @CanIgnoreReturnValue
  public Checks depth(String field, Struct value) {
    return that(
        levels(value, MOST_LEVELS) <= MOST_LEVELS,
        field,
        "too deep (at most " + MOST_LEVELS + " objects and lists within each other)");
  }

  /** How many objects and lists stand within each other; no more than one above the limit. */
  private static int levels(Struct object, int limit) {
    int deepest = 0;
    for (Value value : object.getFieldsMap().values()) {
      deepest = Math.max(deepest, levels(value, limit - 1));
    }
    return 1 + deepest;
  }

  private static int levels(Value value, int limit) {
    if (limit < 0) {
      return 0;
    }
    if (value.hasStructValue()) {
      return levels(value.getStructValue(), limit);
    }
    int deepest = 0;
    for (Value inner : value.getListValue().getValuesList()) {
      deepest = Math.max(deepest, levels(inner, limit - 1));
    }
    return value.hasListValue() ? 1 + deepest : 0;
  }

  /** A valid time, when it is given. */
  @CanIgnoreReturnValue
  public Checks time(String field, boolean given, Timestamp value) {
    return that(!given || Timestamps.isValid(value), field, "not a valid time");
  }

  /** A duration within bounds, when it is given. */
  @CanIgnoreReturnValue
  public Checks duration(
      String field,
      boolean given,
      Duration value,
      java.time.Duration least,
      java.time.Duration most) {
    if (!given) {
      return this;
    }
    if (!Durations.isValid(value)) {
      return violation(field, "not a valid duration");
    }
    java.time.Duration exact = java.time.Duration.ofSeconds(value.getSeconds(), value.getNanos());
    boolean within = exact.compareTo(least) >= 0 && exact.compareTo(most) <= 0;
    return within
        ? this
        : violation(
            field,
            "out of range: "
                + Durations.toString(value)
                + " (expected "
                + Durations.toString(millis(least))
                + " to "
                + Durations.toString(millis(most))
                + ")");
  }

  private static Duration millis(java.time.Duration duration) {
    return Durations.fromMillis(duration.toMillis());
  }

  /**
   * Ends the checks.
   *
   * @throws TroupeException with every violation, if there was one
   */
  public void done() {
    if (!violations.isEmpty()) {
      throw TroupeException.invalid(violations);
    }
  }

  /** What was found so far. */
  public List<FieldViolation> violations() {
    return List.copyOf(violations);
  }
}
