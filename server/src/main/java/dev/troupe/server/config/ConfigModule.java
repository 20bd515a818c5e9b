package dev.troupe.server.config;

import com.google.inject.AbstractModule;

/** Binds the configuration and each of its records. */
public final class ConfigModule extends AbstractModule {

  private final Config config;

  public ConfigModule(Config config) {
    this.config = config;
  }

  @Override
  protected void configure() {
    bind(Config.class).toInstance(config);
    config.records().keySet().forEach(this::bindRecord);
  }

  private <T extends Record> void bindRecord(Class<T> type) {
    bind(type).toInstance(config.get(type));
  }
}
