package dev.troupe.server.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A request made wrong, one field and one way at a time, however deep the field is. */
final class Distortions {

  private static final int MOST_DEPTH = 3;
  private static final int TOO_MANY = 2_000;
  private static final String TOO_LONG = "x".repeat(257);
  private static final List<String> TEXTS =
      List.of(
          TOO_LONG,
          "ü".repeat(20_000),
          "a\u0000b",
          "a\nb",
          "a\u007fb",
          "{b}:c/d*?[e]'\"\\|, é",
          " ");

  private Distortions() {}

  /**
   * One of them.
   *
   * @param field the top level field that it is in
   * @param path names of the fields down to the wrong one
   */
  record Distortion(Message message, FieldDescriptor field, List<String> path, Object value) {

    String what() {
      String text = String.valueOf(value);
      return String.join(".", path) + " = " + text.substring(0, Math.min(40, text.length()));
    }

    /** Whether a violation's field is the wrong one, or what it is in. */
    boolean isNamedBy(String violation) {
      return path.stream().anyMatch(name -> violation.contains(name));
    }
  }

  static DynamicMessage dynamic(Message message) {
    try {
      return DynamicMessage.parseFrom(message.getDescriptorForType(), message.toByteString());
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  static List<Distortion> of(Message request) {
    List<Distortion> all = new ArrayList<>();
    for (FieldDescriptor field : request.getDescriptorForType().getFields()) {
      for (Changed changed : changes(dynamic(request), field, MOST_DEPTH)) {
        all.add(new Distortion(changed.message, field, changed.path, changed.value));
      }
    }
    return all;
  }

  /** The texts of the request itself, each too long. */
  static List<Distortion> ofTopLevelTexts(Message request) {
    List<Distortion> all = new ArrayList<>();
    for (FieldDescriptor field : request.getDescriptorForType().getFields()) {
      if (field.getJavaType() == FieldDescriptor.JavaType.STRING && !field.isRepeated()) {
        all.add(
            new Distortion(
                dynamic(request).toBuilder().setField(field, TOO_LONG).build(),
                field,
                List.of(field.getName()),
                TOO_LONG));
      }
    }
    return all;
  }

  private record Changed(DynamicMessage message, List<String> path, Object value) {}

  private static List<Changed> changes(DynamicMessage message, FieldDescriptor field, int depth) {
    List<Changed> all = new ArrayList<>();
    if (field.isMapField()) {
      return all;
    }
    for (Object value : values(field)) {
      Object whole = field.isRepeated() ? List.of(value) : value;
      all.add(changed(message, field, whole, List.of(field.getName()), value));
    }
    if (field.isRepeated() && field.getJavaType() == FieldDescriptor.JavaType.STRING) {
      all.add(
          changed(
              message,
              field,
              Collections.nCopies(TOO_MANY, "x"),
              List.of(field.getName()),
              "too many"));
    }
    if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
        && field.getMessageType().getFile().getPackage().equals("troupe.v1")
        && depth > 0) {
      DynamicMessage inner = innermost(message, field);
      for (FieldDescriptor innerField : field.getMessageType().getFields()) {
        for (Changed deep : changes(inner, innerField, depth - 1)) {
          List<String> path = new ArrayList<>(List.of(field.getName()));
          path.addAll(deep.path);
          Object whole = field.isRepeated() ? List.of(deep.message) : deep.message;
          all.add(changed(message, field, whole, path, deep.value));
        }
      }
    }
    return all;
  }

  private static DynamicMessage innermost(DynamicMessage message, FieldDescriptor field) {
    if (field.isRepeated()) {
      return message.getRepeatedFieldCount(field) > 0
          ? (DynamicMessage) message.getRepeatedField(field, 0)
          : DynamicMessage.getDefaultInstance(field.getMessageType());
    }
    return (DynamicMessage) message.getField(field);
  }

  private static Changed changed(
      DynamicMessage message,
      FieldDescriptor field,
      Object whole,
      List<String> path,
      Object value) {
    return new Changed(message.toBuilder().setField(field, whole).build(), path, value);
  }

  private static List<Object> values(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case STRING -> List.copyOf(TEXTS);
      case INT -> List.of(-1, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case LONG -> List.of(-1L, Long.MIN_VALUE, Long.MAX_VALUE);
      case DOUBLE -> List.of(Double.NaN, Double.NEGATIVE_INFINITY, -1.0, Double.MAX_VALUE);
      case ENUM -> List.of(unknown(field));
      case BYTE_STRING -> List.of(ByteString.copyFrom(new byte[300 << 10]));
      case MESSAGE -> wellKnown(field);
      case BOOLEAN, FLOAT -> List.of();
    };
  }

  private static EnumValueDescriptor unknown(FieldDescriptor field) {
    return field.getEnumType().findValueByNumberCreatingIfUnknown(9_999);
  }

  private static List<Object> wellKnown(FieldDescriptor field) {
    return switch (field.getMessageType().getFullName()) {
      case "google.protobuf.Duration" ->
          List.of(
              Duration.newBuilder().setSeconds(-1).build(),
              Duration.newBuilder().setSeconds(Long.MAX_VALUE).build(),
              Duration.newBuilder().setSeconds(1).setNanos(-5).build(),
              Duration.newBuilder().setNanos(Integer.MAX_VALUE).build());
      case "google.protobuf.Timestamp" ->
          List.of(
              Timestamp.newBuilder().setSeconds(Long.MIN_VALUE).build(),
              Timestamp.newBuilder().setSeconds(Long.MAX_VALUE).build(),
              Timestamp.newBuilder().setNanos(-1).build());
      default -> List.of();
    };
  }
}
