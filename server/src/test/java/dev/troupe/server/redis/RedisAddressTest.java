package dev.troupe.server.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.server.config.ConfigException;
import dev.troupe.server.config.ConfigLoader;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RedisAddressTest {

  @Test
  void a_url_names_hosts_login_and_database() {
    assertThat(RedisAddress.parse("redis://me:pass/word@host:7/3"))
        .isEqualTo(
            new RedisAddress(
                RedisAddress.Kind.SINGLE, List.of("redis://host:7"), "", 3, "me", "pass/word"));
    assertThat(RedisAddress.parse("redis-sentinel://a,b:1/main"))
        .isEqualTo(
            new RedisAddress(
                RedisAddress.Kind.SENTINEL,
                List.of("redis://a:6379", "redis://b:1"),
                "main",
                0,
                null,
                null));
    assertThat(RedisAddress.parse("rediss-cluster://a,[::1]:2").nodes())
        .containsExactly("rediss://a:6379", "rediss://[::1]:2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost:6379",
        "http://localhost",
        "redis://",
        "redis://user:hunter2@",
        "redis://two hosts",
        "redis://a,b",
        "redis://:hunter2@host:port",
        "redis://:hun/ter2@host:99999",
        "redis://host/database",
        "redis-sentinel://a,b",
        "default:hunter2@localhost:6379",
        ":hunter2@host",
        "redis:me:hunter2@h",
        "redis:/me:hunter2@host:1",
        "redis://me:hun\nter2@host:port",
      })
  void one_that_cannot_be_read_is_told_with_what_may_be_written(String url) {
    assertThatThrownBy(
            () ->
                ConfigLoader.of(List.of(RedisConfig.class))
                    .flags(List.of("--redis.url=" + url))
                    .load())
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("the configuration is wrong: --redis.url: ")
        .hasMessageContaining("(expected: embedded, redis://host:port, ")
        .hasMessageNotContaining("--redis.url: redis.url")
        .hasMessageNotContaining("hunter2")
        .hasMessageNotContaining("hun/ter2")
        .hasMessageNotContaining("\n");
  }
}
