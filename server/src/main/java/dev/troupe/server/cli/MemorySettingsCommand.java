package dev.troupe.server.cli;

import com.google.protobuf.FieldMask;
import dev.troupe.v1.GetMemoryDefaultsRequest;
import dev.troupe.v1.MemoryDefaults;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code troupe memory settings}: what a namespace says for all its spaces. */
@Command(
    name = "settings",
    mixinStandardHelpOptions = true,
    description =
        "Shows, or with options changes, the settings of all spaces of the namespace that have"
            + " none of their own.")
final class MemorySettingsCommand implements Callable<Integer> {

  private static final String SERVERS = RetentionOptions.SERVERS;

  private final Console console;

  @Mixin ServerOptions options;

  @Mixin RetentionOptions wanted;

  @SuppressWarnings("NullAway.Init") // The mixins are there before it is called.
  MemorySettingsCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    boolean changes = !wanted.into(SpaceSettings.newBuilder()).isEmpty();
    try (Connection connection = options.connect()) {
      MemoryServiceBlockingStub stub =
          Connection.within(
              MemoryServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
      MemoryDefaults there = read(stub);
      print(changes ? change(stub, there) : there);
    }
    return ExitStatus.OK;
  }

  private MemoryDefaults read(MemoryServiceBlockingStub stub) {
    return stub.getMemoryDefaults(
            GetMemoryDefaultsRequest.newBuilder().setNamespace(options.namespace).build())
        .getDefaults();
  }

  private MemoryDefaults change(MemoryServiceBlockingStub stub, MemoryDefaults there) {
    // A tier is changed as a whole: what is not said of it stays as it is.
    SpaceSettings.Builder settings = there.getSettings().toBuilder();
    Set<String> paths = wanted.into(settings);
    return stub.updateMemoryDefaults(
            UpdateMemoryDefaultsRequest.newBuilder()
                .setNamespace(options.namespace)
                .setSettings(settings)
                .setUpdateMask(FieldMask.newBuilder().addAllPaths(paths))
                .setExpectedVersion(there.getVersion())
                .setRequestId(UUID.randomUUID().toString())
                .build())
        .getDefaults();
  }

  private void print(MemoryDefaults defaults) {
    SpaceSettings settings = defaults.getSettings();
    new Printer(console.out(), options.output)
        .one(
            defaults,
            "version",
            Long.toString(defaults.getVersion()),
            "changed",
            Text.of(defaults.getUpdateTime()),
            "everywhere",
            defaults.getSpreading() ? "not yet" : "yes",
            "short",
            RetentionOptions.tier(settings.getShortTier()),
            "working",
            RetentionOptions.tier(settings.getWorkingTier()),
            "long",
            RetentionOptions.tier(settings.getLongTier()),
            "conversations",
            settings.hasConversationLifetime()
                ? Text.setting(settings.getConversationLifetime())
                : SERVERS,
            "refresh on read",
            settings.hasRefreshOnRead()
                ? (settings.getRefreshOnRead() ? "yes" : "no")
                : "no, " + SERVERS,
            "promotions",
            settings.getPromotionsCount() == 0
                ? "none, " + SERVERS
                : RetentionOptions.promotions(settings),
            "items",
            settings.getMaxItems() == 0 ? SERVERS : Long.toString(settings.getMaxItems()),
            "bytes",
            settings.getMaxBytes() == 0 ? SERVERS : Long.toString(settings.getMaxBytes()));
  }
}
