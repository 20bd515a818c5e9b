package dev.troupe.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the retry policy that ships beside the contract, in the form that gRPC takes. */
final class ServiceConfig {

  private static final String RESOURCE = "/service_config.json";

  private ServiceConfig() {}

  static Map<String, ?> load() {
    try (InputStream in = ServiceConfig.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing from the class path");
      }
      Struct.Builder json = Struct.newBuilder();
      JsonFormat.parser().merge(new InputStreamReader(in, UTF_8), json);
      return toMap(json.build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, @Nullable Object> toMap(Struct struct) {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    struct.getFieldsMap().forEach((name, value) -> map.put(name, toObject(value)));
    return map;
  }

  private static @Nullable Object toObject(Value value) {
    return switch (value.getKindCase()) {
      case STRING_VALUE -> value.getStringValue();
      case NUMBER_VALUE -> value.getNumberValue();
      case BOOL_VALUE -> value.getBoolValue();
      case STRUCT_VALUE -> toMap(value.getStructValue());
      case LIST_VALUE ->
          value.getListValue().getValuesList().stream().map(ServiceConfig::toObject).toList();
      case NULL_VALUE, KIND_NOT_SET -> null;
    };
  }
}
