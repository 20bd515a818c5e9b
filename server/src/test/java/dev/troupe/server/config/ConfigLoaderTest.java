package dev.troupe.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.inject.Guice;
import com.google.inject.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigLoaderTest {

  enum Persistence {
    EVERY_SECOND,
    ALWAYS
  }

  record DoorConfig(
      @Setting(name = "door.port", help = "Port.", fallback = "7070") int port,
      @Setting(name = "door.max-message", help = "Limit.", fallback = "4MiB") DataSize maxMessage,
      @Setting(name = "door.grace", help = "Grace.", fallback = "10s") Duration grace,
      @Setting(name = "door.ratio", help = "Ratio.", fallback = "0.5") double ratio,
      @Setting(name = "door.open", help = "Open.", fallback = "false") boolean open) {

    DoorConfig {
      if (port < 0 || port > 65535) {
        throw new IllegalArgumentException("door.port: " + port + " (expected: 0 to 65535)");
      }
    }
  }

  record StoreConfig(
      @Setting(name = "store.dir", help = "Directory.", fallback = "data") Path directory,
      @Setting(name = "store.persistence", help = "When.", fallback = "every-second")
          Persistence persistence,
      @Setting(name = "store.hosts", help = "Hosts.", fallback = "") List<String> hosts,
      @Setting(name = "store.name", help = "Name.", fallback = "") Optional<String> name,
      @Setting(name = "store.entries", help = "Entries.", fallback = "200000") long entries,
      @Setting(name = "store.password", help = "Password.", fallback = "", secret = true)
          String password) {}

  private static final List<Class<? extends Record>> SCHEMAS =
      List.of(DoorConfig.class, StoreConfig.class);

  private final Path directory;

  ConfigLoaderTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private static ConfigLoader loader() {
    return ConfigLoader.of(SCHEMAS);
  }

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("troupe.properties"), text);
  }

  private static List<String> problemsOf(ConfigLoader loader) {
    return catchThrowableOfType(ConfigException.class, loader::load).problems();
  }

  @Test
  void what_is_not_given_has_its_default() {
    Config config = loader().load();

    assertThat(config.get(DoorConfig.class))
        .isEqualTo(new DoorConfig(7070, new DataSize(4 << 20), Duration.ofSeconds(10), 0.5, false));
    assertThat(config.get(StoreConfig.class))
        .isEqualTo(
            new StoreConfig(
                Path.of("data"),
                Persistence.EVERY_SECOND,
                List.of(),
                Optional.empty(),
                200_000,
                ""));
  }

  @Test
  void a_flag_beats_the_environment_which_beats_the_file() throws IOException {
    Config config =
        loader()
            .file(file("door.port=1\ndoor.ratio=0.1\ndoor.grace=1s\n"))
            .environment(Map.of("TROUPE_DOOR_PORT", "2", "TROUPE_DOOR_RATIO", "0.2"))
            .flags(List.of("--door.port=3"))
            .load();

    DoorConfig door = config.get(DoorConfig.class);
    assertThat(door.port()).isEqualTo(3);
    assertThat(door.ratio()).isEqualTo(0.2);
    assertThat(door.grace()).isEqualTo(Duration.ofSeconds(1));
    assertThat(config.table())
        .extracting(Config.Row::source)
        .contains(
            "--door.port", "TROUPE_DOOR_RATIO", directory.resolve("troupe.properties:3") + "");
  }

  @Test
  void what_is_given_as_it_is_by_default_is_no_change() {
    Config config = loader().flags(List.of("--door.port=3", "--door.open=false")).load();

    assertThat(config.describeChanged().lines())
        .singleElement(InstanceOfAssertFactories.STRING)
        .startsWith("door.port");
    assertThat(loader().load().describeChanged()).isEmpty();
    assertThat(loader().flags(List.of("--store.password=hunter2")).load().describeChanged())
        .contains("store.password")
        .doesNotContain("hunter2");
  }

  @Test
  void every_type_is_read() {
    Config config =
        loader()
            .flags(
                List.of(
                    "--door.max-message=64KiB",
                    "--door.grace",
                    "PT1M30S",
                    "--door.open",
                    "--store.persistence=always",
                    "--store.hosts=a:1, b:2",
                    "--store.name=n",
                    "--store.entries=5000000000"))
            .load();

    assertThat(config.get(DoorConfig.class).maxMessage()).isEqualTo(new DataSize(65536));
    assertThat(config.get(DoorConfig.class).grace()).isEqualTo(Duration.ofSeconds(90));
    assertThat(config.get(DoorConfig.class).open()).isTrue();
    StoreConfig store = config.get(StoreConfig.class);
    assertThat(store.persistence()).isEqualTo(Persistence.ALWAYS);
    assertThat(store.hosts()).containsExactly("a:1", "b:2");
    assertThat(store.name()).contains("n");
    assertThat(store.entries()).isEqualTo(5_000_000_000L);
  }

  @Test
  void a_duration_is_written_so_that_it_can_be_read_again() {
    Map<String, Duration> written =
        Map.ofEntries(
            Map.entry("0s", Duration.ZERO),
            Map.entry("250ms", Duration.ofMillis(250)),
            Map.entry("1500ms", Duration.ofMillis(1500)),
            Map.entry("90s", Duration.ofSeconds(90)),
            Map.entry("15m", Duration.ofMinutes(15)),
            Map.entry("90m", Duration.ofMinutes(90)),
            Map.entry("1h", Duration.ofHours(1)),
            Map.entry("24h", Duration.ofDays(1)),
            Map.entry("36h", Duration.ofHours(36)),
            Map.entry("7d", Duration.ofDays(7)),
            Map.entry("PT0.000001S", Duration.ofNanos(1000)));
    written.forEach(
        (text, duration) -> {
          assertThat(DurationText.of(duration)).isEqualTo(text);
          assertThat(DurationText.parse(text)).isEqualTo(duration);
        });
  }

  @Test
  void durations_and_sizes_are_written_as_people_write_them() {
    assertThat(SettingReader.read(Duration.class, "250ms")).isEqualTo(Duration.ofMillis(250));
    assertThat(SettingReader.read(Duration.class, "2h")).isEqualTo(Duration.ofHours(2));
    assertThat(SettingReader.read(Duration.class, "7d")).isEqualTo(Duration.ofDays(7));
    assertThat(SettingReader.read(Duration.class, "0")).isEqualTo(Duration.ZERO);
    assertThat(DataSize.parse("10 MB")).isEqualTo(new DataSize(10_000_000));
    assertThat(DataSize.parse("1GiB")).hasToString("1GiB");
    assertThatThrownBy(() -> DataSize.parse("99999999999GiB"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void an_unknown_name_is_refused_with_the_nearest_one_wherever_it_is_given() throws IOException {
    Path file = file("# ports\ndoor.prot=1\n");

    assertThat(
            problemsOf(
                loader()
                    .file(file)
                    .environment(Map.of("TROUPE_STORE_DIRR", "x", "HOME", "/"))
                    .flags(List.of("--store.entry=1", "--bananas=2"))))
        .containsExactlyInAnyOrder(
            file + ":2: door.prot is no setting; did you mean door.port?",
            "environment: TROUPE_STORE_DIRR is no setting; did you mean TROUPE_STORE_DIR?",
            "--store.entry is no setting; did you mean store.entries?",
            "--bananas is no setting");
  }

  @Test
  void everything_that_is_wrong_is_reported_at_once() throws IOException {
    Path file = file("door.port=70000\n\nstore.entries=\\\n  many\n");

    assertThat(
            problemsOf(
                loader()
                    .file(file)
                    .environment(Map.of("TROUPE_STORE_PERSISTENCE", "never"))
                    .flags(List.of("--store.password", "loose"))))
        .containsExactlyInAnyOrder(
            file + ":1: door.port: 70000 (expected: 0 to 65535)",
            file + ":3: store.entries: many (expected: a whole number)",
            "TROUPE_STORE_PERSISTENCE: store.persistence: never"
                + " (expected: one of every-second, always)");
  }

  @Test
  void a_flag_is_named_once() {
    assertThat(problemsOf(loader().flags(List.of("--door.port=70000", "--store.entries=many"))))
        .containsExactlyInAnyOrder(
            "--door.port: 70000 (expected: 0 to 65535)",
            "--store.entries: many (expected: a whole number)");
  }

  @Test
  void a_flag_without_its_value_is_refused() {
    assertThat(problemsOf(loader().flags(List.of("--door.port", "--door.open", "stray"))))
        .containsExactly(
            "flags: --door.port needs a value: --door.port=<number>",
            "flags: stray is not of the form --setting=value");
  }

  @Test
  void a_name_given_twice_in_the_file_is_refused() throws IOException {
    Path file = file("door.port=1\ndoor.port=2\n");

    assertThat(problemsOf(loader().file(file)))
        .containsExactly(file + ":2: door.port is already given at " + file + ":1");
  }

  @Test
  void a_file_that_was_named_must_exist_and_one_that_was_not_need_not() {
    Path missing = directory.resolve("missing.properties");

    assertThat(problemsOf(loader().file(missing))).hasSize(1);
    assertThat(loader().fileIfPresent(missing).load().table()).isNotEmpty();
  }

  @Test
  void variables_of_the_launcher_the_tests_and_kubernetes_are_not_settings() {
    Config config =
        loader()
            .environment(
                Map.of(
                    "TROUPE_JAVA_OPTS", "-Xss1m",
                    "TROUPE_TEST_REDIS_URL", "redis://localhost",
                    "TROUPE_SERVER", "localhost:7070",
                    "TROUPE_REQUIRE_POLYGLOT", "1",
                    "TROUPE_SERVICE_HOST", "10.0.0.1",
                    "TROUPE_PORT", "tcp://10.0.0.1:7070",
                    "TROUPE_PORT_7070_TCP_ADDR", "10.0.0.1"))
            .load();

    assertThat(config.table()).allMatch(row -> row.source().equals("default"));
  }

  @Test
  void a_secret_is_shown_neither_in_the_table_nor_in_a_complaint() {
    record Vault(
        @Setting(name = "vault.pin", help = "Pin.", fallback = "0", secret = true) int pin) {}

    Config config = loader().flags(List.of("--store.password=hunter2")).load();
    assertThat(config.get(StoreConfig.class).password()).isEqualTo("hunter2");
    assertThat(config.describe()).contains("store.password").doesNotContain("hunter2");
    // A default is no secret: everybody reads it in the help.
    assertThat(ConfigLoader.of(List.of(Vault.class)).load().describe())
        .contains("vault.pin", "0")
        .doesNotContain("***");

    assertThat(
            problemsOf(ConfigLoader.of(List.of(Vault.class)).flags(List.of("--vault.pin=hunter2"))))
        .singleElement()
        .asString()
        .doesNotContain("hunter2");
  }

  @Test
  void each_record_is_bound_for_injection() {
    Config config = loader().flags(List.of("--door.port=9")).load();

    assertThat(
            Guice.createInjector(Stage.PRODUCTION, new ConfigModule(config))
                .getInstance(DoorConfig.class)
                .port())
        .isEqualTo(9);
  }

  @Test
  void two_settings_that_share_a_variable_are_a_fault() {
    record Twins(
        @Setting(name = "a.b-c", help = ".", fallback = "") String one,
        @Setting(name = "a.b.c", help = ".", fallback = "") String two) {}

    assertThatThrownBy(() -> ConfigLoader.of(List.of(Twins.class)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("share a name");
  }
}
