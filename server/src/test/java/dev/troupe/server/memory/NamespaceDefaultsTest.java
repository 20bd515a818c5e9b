package dev.troupe.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.MemoryDefaults;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Changes of what a namespace says while partitions have lost it, or do not answer. */
final class NamespaceDefaultsTest {

  private static final List<Partition> PARTITIONS =
      List.of(new Partition("n", 0, 3), new Partition("n", 1, 3), new Partition("n", 2, 3));

  private final Partitions redis = new Partitions();
  private final NamespaceDefaults defaults =
      new NamespaceDefaults(new DefaultsStore(new MemoryScripts(redis)), new OneNamespace());

  /** What each partition has; any may be away, for all or for one script. */
  private static final class Partitions implements ScriptRunner {

    private record Copy(long version, long micros, byte[] settings) {}

    private static final Copy NOTHING = new Copy(0, 0, new byte[0]);
    private final Map<Integer, Copy> copies = new HashMap<>();
    private final Set<String> away = new HashSet<>();

    @Override
    public CompletionStage<List<Object>> run(
        Script script, Partition partition, Object... arguments) {
      if (away.contains("" + partition.index())
          || away.contains(partition.index() + " " + script.name())) {
        return CompletableFuture.failedFuture(
            TroupeException.retryable(
                ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, "away", Duration.ZERO, null));
      }
      Copy there = copies.getOrDefault(partition.index(), NOTHING);
      Copy now =
          switch (script.name()) {
            case "memory/update_defaults" ->
                new Copy(there.version + 1, there.micros + 10, (byte[]) arguments[5]);
            case "memory/take_defaults" ->
                new Copy((Long) arguments[0], (Long) arguments[1], (byte[]) arguments[2]);
            default -> there;
          };
      copies.put(partition.index(), now);
      return CompletableFuture.completedFuture(
          List.of("OK", List.of(now.version, now.micros, now.settings)));
    }

    void lose(int partition) {
      copies.remove(partition);
    }
  }

  private static final class OneNamespace implements Namespaces {

    @Override
    public CompletionStage<Partition> locate(String namespace, String name) {
      return CompletableFuture.completedFuture(PARTITIONS.get(0));
    }

    @Override
    public CompletionStage<List<Partition>> partitions(String namespace) {
      return CompletableFuture.completedFuture(PARTITIONS);
    }

    @Override
    public CompletionStage<List<String>> known() {
      return CompletableFuture.completedFuture(List.of("n"));
    }
  }

  private MemoryDefaults update(SpaceSettings.Builder settings, String path) {
    return defaults
        .update(
            UpdateMemoryDefaultsRequest.newBuilder()
                .setNamespace("n")
                .setSettings(settings)
                .setUpdateMask(FieldMask.newBuilder().addPaths(path))
                .build())
        .toCompletableFuture()
        .join();
  }

  private MemoryDefaults maxItems() {
    return update(SpaceSettings.newBuilder().setMaxItems(7), "max_items");
  }

  private MemoryDefaults maxBytes() {
    return update(SpaceSettings.newBuilder().setMaxBytes(4096), "max_bytes");
  }

  private void assertNotNow() {
    try {
      throw new AssertionError("not refused: " + maxBytes());
    } catch (CompletionException e) {
      assertThat(((TroupeException) Objects.requireNonNull(e.getCause())).reason())
          .isEqualTo(ErrorReason.ERROR_REASON_STORE_UNAVAILABLE);
    }
  }

  @Test
  void whatTheFirstPartitionLostItGetsBackBeforeItIsChanged() {
    maxItems();
    redis.lose(0);
    MemoryDefaults changed = maxBytes();
    assertThat(changed.getVersion()).isEqualTo(2);
    assertThat(changed.getSettings())
        .isEqualTo(SpaceSettings.newBuilder().setMaxItems(7).setMaxBytes(4096).build());
    assertThat(changed.getSpreading()).isFalse();
  }

  @Test
  void nothingIsChangedWhileItCannotGetItBack() {
    maxItems();
    redis.lose(0);
    redis.away.add("0 memory/take_defaults");
    assertNotNow();
    redis.away.clear();
    assertThat(maxBytes().getSettings().getMaxItems()).isEqualTo(7);
  }

  @Test
  void nothingIsChangedWhileItHasNothingAndOthersDoNotAnswer() {
    maxItems();
    redis.lose(0);
    redis.away.addAll(List.of("1", "2"));
    assertNotNow();
    redis.away.remove("2");
    assertNotNow();
    redis.away.clear();
    assertThat(maxBytes().getSettings().getMaxItems()).isEqualTo(7);
  }

  @Test
  void anotherThatIsAwayDoesNotKeepTheFirstFromBeingChanged() {
    maxItems();
    redis.away.add("2");
    MemoryDefaults changed = maxBytes();
    assertThat(changed.getVersion()).isEqualTo(2);
    assertThat(changed.getSpreading()).isTrue();
  }
}
