package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.PromoteMemoryRequest;
import dev.troupe.v1.PromoteMemoryResponse;
import dev.troupe.v1.UpdateMemoryRequest;
import dev.troupe.v1.UpdateMemoryResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What changes an item: {@code troupe memory update} and {@code promote}. */
final class MemoryChangeCommands {

  private MemoryChangeCommands() {}

  /** Which item is meant, and as it was read. */
  static final class Which {

    @Parameters(index = "0", paramLabel = "SPACE", description = "Where it is.")
    String space = "";

    @Parameters(index = "1", paramLabel = "ITEM", description = "As put printed it.")
    String id = "";

    @Option(
        names = "--lifetime",
        paramLabel = "DURATION",
        description = "How long it lasts from now on.")
    @Nullable Duration lifetime;

    @Option(names = "--expected-version", defaultValue = "0", description = "Only of this one.")
    long expectedVersion;
  }

  /** {@code troupe memory update}. */
  @Command(
      name = "update",
      mixinStandardHelpOptions = true,
      description = "Changes what is given of an item, and nothing else.")
  static final class Update implements Callable<Integer> {

    private final Console console;

    @Mixin private ServerOptions options = new ServerOptions();
    @Mixin private Which which = new Which();

    @Option(names = "--text", description = "What to remember instead.")
    private @Nullable String text;

    @Option(names = "--tag", description = "A tag; repeatable. All tags are replaced.")
    private @Nullable List<String> tags;

    @Option(names = "--no-tags", description = "Takes all tags away.")
    private boolean noTags;

    @Option(names = "--importance", paramLabel = "N", description = "0 to 1.")
    private @Nullable Float importance;

    @Option(names = "--source", description = "Who it comes from.")
    private @Nullable String source;

    @Option(
        names = "--attribute",
        description = "KEY=VALUE; repeatable. All attributes are replaced.")
    private @Nullable Map<String, String> attributes;

    Update(Console console) {
      this.console = console;
    }

    @Override
    public Integer call() {
      UpdateMemoryRequest request = request();
      if (request.getUpdateMask().getPathsCount() == 0) {
        throw new UsageException("nothing to change (expected: a value such as --importance)");
      }
      if (noTags && tags != null) {
        throw new UsageException("--no-tags: not with --tag");
      }
      try (Connection connection = options.connect()) {
        UpdateMemoryResponse response = stub(connection, options).updateMemory(request);
        new Printer(console.out(), options.output)
            .one(response, changed(response.getItem(), response.getRevision()));
      }
      return ExitStatus.OK;
    }

    private UpdateMemoryRequest request() {
      UpdateMemoryRequest.Builder request =
          UpdateMemoryRequest.newBuilder()
              .setNamespace(options.namespace)
              .setSpace(which.space)
              .setExpectedVersion(which.expectedVersion)
              .setRequestId(UUID.randomUUID().toString());
      MemoryItem.Builder item = request.getItemBuilder().setItemId(which.id);
      if (text != null) {
        item.getContentBuilder().setText(text);
        request.getUpdateMaskBuilder().addPaths("content.text");
      }
      if (tags != null || noTags) {
        item.addAllTags(Given.list(tags));
        request.getUpdateMaskBuilder().addPaths("tags");
      }
      if (importance != null) {
        item.setImportance(importance);
        request.getUpdateMaskBuilder().addPaths("importance");
      }
      if (source != null) {
        item.setSource(source);
        request.getUpdateMaskBuilder().addPaths("source");
      }
      if (attributes != null) {
        item.putAllAttributes(attributes);
        request.getUpdateMaskBuilder().addPaths("attributes");
      }
      if (which.lifetime != null) {
        item.setLifetime(Durations.fromNanos(which.lifetime.toNanos()));
        request.getUpdateMaskBuilder().addPaths("lifetime");
      }
      return request.build();
    }
  }

  /** {@code troupe memory promote}. */
  @Command(
      name = "promote",
      mixinStandardHelpOptions = true,
      description = "Moves an item to another tier, up or down, where its lifetime begins anew.")
  static final class Promote implements Callable<Integer> {

    private final Console console;

    @Mixin private ServerOptions options = new ServerOptions();
    @Mixin private Which which = new Which();

    @Option(names = "--to", required = true, description = "short, working, long or pinned.")
    private MemoryCommand.Tier tier = MemoryCommand.Tier.LONG;

    Promote(Console console) {
      this.console = console;
    }

    @Override
    public Integer call() {
      PromoteMemoryRequest.Builder request =
          PromoteMemoryRequest.newBuilder()
              .setNamespace(options.namespace)
              .setSpace(which.space)
              .setItemId(which.id)
              .setTier(tier.tier())
              .setExpectedVersion(which.expectedVersion)
              .setRequestId(UUID.randomUUID().toString());
      if (which.lifetime != null) {
        request.setLifetime(Durations.fromNanos(which.lifetime.toNanos()));
      }
      try (Connection connection = options.connect()) {
        PromoteMemoryResponse response = stub(connection, options).promoteMemory(request.build());
        new Printer(console.out(), options.output)
            .one(response, changed(response.getItem(), response.getRevision()));
      }
      return ExitStatus.OK;
    }
  }

  private static String[] changed(MemoryItem item, long revision) {
    return new String[] {
      "item", item.getItemId(),
      "tier", Text.of(item.getTier()),
      "until", Text.of(item.getExpireTime()),
      "version", Long.toString(item.getVersion()),
      "revision", Long.toString(revision)
    };
  }

  private static MemoryServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        MemoryServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
