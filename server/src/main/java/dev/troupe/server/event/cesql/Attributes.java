package dev.troupe.server.event.cesql;

import org.jspecify.annotations.Nullable;

/**
 * The attributes of one event, as far as an expression asks for them. The data of the event is out
 * of reach of the language and need not be decoded.
 */
@FunctionalInterface
public interface Attributes {

  /**
   * The value of an attribute: a {@code String}, an {@code Integer} or a {@code Boolean}; a value
   * of any other class stands for its {@code toString()}. Timestamps are in the form of RFC 3339,
   * binary values in Base64. Must answer for {@code specversion}, {@code id}, {@code source} and
   * {@code type}, which every event has.
   *
   * @param name in lower case, {@code a-z} and {@code 0-9}
   * @return null if the event does not have the attribute
   */
  @Nullable Object get(String name);
}
