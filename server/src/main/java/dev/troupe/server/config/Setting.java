package dev.troupe.server.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Makes a component of a config record a setting that can be given from outside. */
@Target(ElementType.RECORD_COMPONENT)
@Retention(RetentionPolicy.RUNTIME)
public @interface Setting {

  /** Full name, such as {@code grpc.port}. */
  String name();

  /** What it does, in one sentence, with its unit and range. */
  String help();

  /** The value when none is given, as it would be written in the file. */
  String fallback();

  /** Whether the value must not be shown. */
  boolean secret() default false;
}
