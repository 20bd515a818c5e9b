package dev.troupe.server.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import java.util.List;
import java.util.Map;

/** Documents that are no messages of the contract, on one line each. */
final class Json {

  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().omittingInsignificantWhitespace();

  private Json() {}

  /** A document of texts, truth values, lists and documents. */
  static String of(Map<String, ?> fields) {
    try {
      return PRINTER.print(struct(fields));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a document has no JSON form", e);
    }
  }

  private static Struct struct(Map<?, ?> fields) {
    Struct.Builder struct = Struct.newBuilder();
    fields.forEach((name, value) -> struct.putFields(String.valueOf(name), value(value)));
    return struct.build();
  }

  private static Value value(Object value) {
    Value.Builder built = Value.newBuilder();
    if (value instanceof Boolean truth) {
      return built.setBoolValue(truth).build();
    }
    if (value instanceof Map<?, ?> fields) {
      return built.setStructValue(struct(fields)).build();
    }
    if (value instanceof List<?> items) {
      ListValue.Builder list = ListValue.newBuilder();
      items.forEach(item -> list.addValues(value(item)));
      return built.setListValue(list).build();
    }
    return built.setStringValue(String.valueOf(value)).build();
  }
}
