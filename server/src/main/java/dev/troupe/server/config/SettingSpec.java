package dev.troupe.server.config;

import java.lang.reflect.Type;
import java.util.Locale;

/**
 * A setting as its record declares it.
 *
 * @param name full name, such as {@code grpc.port}
 * @param help what it does
 * @param fallback the value when none is given, as text
 * @param secret whether the value must not be shown
 * @param type what the text is read as
 */
public record SettingSpec(String name, String help, String fallback, boolean secret, Type type) {

  static final String ENVIRONMENT_PREFIX = "TROUPE_";

  /** The environment variable that gives it, such as {@code TROUPE_GRPC_PORT}. */
  public String environmentName() {
    return ENVIRONMENT_PREFIX + name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /** What may be written, in a word: {@code number}, {@code duration}, {@code one|two}. */
  public String kind() {
    return SettingReader.kind(type);
  }

  /** The value as it may be shown. */
  String shown(String text) {
    // What everybody reads in the help is no secret.
    return secret && !text.isEmpty() && !text.equals(fallback) ? "******" : text;
  }
}
