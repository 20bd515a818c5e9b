package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.ForgetMemoriesResponse;
import dev.troupe.v1.GetMemoryRequest;
import dev.troupe.v1.ListMemoriesRequest;
import dev.troupe.v1.ListMemoriesResponse;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.ScorePart;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SearchMemoryResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe memory}: what agents remember. */
@Command(name = "memory", mixinStandardHelpOptions = true, description = "What agents remember.")
final class MemoryCommand {

  private static final int LARGEST_PAGE = 500;

  private final Console console;

  MemoryCommand(Console console) {
    this.console = console;
  }

  /** How long something is remembered. */
  enum Tier {
    SHORT,
    WORKING,
    LONG,
    PINNED;

    MemoryTier tier() {
      return MemoryTier.valueOf("MEMORY_TIER_" + name());
    }
  }

  /** Which items are meant. */
  static final class Wanted {

    @Option(names = "--tag", description = "Only what has this tag; repeatable.")
    @Nullable List<String> tags;

    @Option(names = "--tier", description = "Only this tier; repeatable.")
    @Nullable List<Tier> tiers;

    @Option(names = "--source", description = "Only what comes from here; repeatable.")
    @Nullable List<String> sources;

    @Option(
        names = "--min-importance",
        paramLabel = "N",
        defaultValue = "0",
        description = "Only what is at least so important, 0 to 1.")
    float importance;

    MemoryFilter filter() {
      MemoryFilter.Builder filter =
          MemoryFilter.newBuilder()
              .addAllAllTags(Given.list(tags))
              .addAllSources(Given.list(sources))
              .setMinImportance(importance);
      if (tiers != null) {
        tiers.forEach(tier -> filter.addTiers(tier.tier()));
      }
      return filter.build();
    }
  }

  @Command(name = "put", mixinStandardHelpOptions = true, description = "Puts a text.")
  int put(
      @Mixin ServerOptions options,
      @Parameters(index = "0", paramLabel = "SPACE", description = "Where to.") String space,
      @Parameters(index = "1", paramLabel = "TEXT", description = "What to remember.") String text,
      @Option(
              names = "--tier",
              defaultValue = "SHORT",
              description = "short, working, long or pinned (default: ${DEFAULT-VALUE}).")
          Tier tier,
      @Option(names = "--tag", description = "A tag; repeatable.") @Nullable List<String> tags,
      @Option(
              names = "--importance",
              paramLabel = "N",
              defaultValue = "0.5",
              description = "0 to 1 (default: ${DEFAULT-VALUE}).")
          float importance,
      @Option(
              names = "--source",
              defaultValue = "troupe-cli",
              description = "Who it comes from (default: ${DEFAULT-VALUE}).")
          String source,
      @Option(
              names = "--lifetime",
              paramLabel = "DURATION",
              description = "How long it lasts (default: as the tier does).")
          @Nullable Duration lifetime) {
    MemoryPut.Builder item =
        MemoryPut.newBuilder()
            .setContent(MemoryContent.newBuilder().setText(text))
            .setTier(tier.tier())
            .addAllTags(Given.list(tags))
            .setImportance(importance)
            .setSource(source);
    if (lifetime != null) {
      item.setLifetime(Durations.fromNanos(lifetime.toNanos()));
    }
    try (Connection connection = options.connect()) {
      PutMemoryResponse response =
          stub(connection, options)
              .putMemory(
                  PutMemoryRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(space)
                      .setItem(item)
                      .setRequestId(UUID.randomUUID().toString())
                      .build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "item",
              response.getItem().getItemId(),
              "new",
              response.getDuplicate() ? "no, merged with what was there" : "yes",
              "until",
              Text.of(response.getItem().getExpireTime()),
              "revision",
              Long.toString(response.getRevision()));
    }
    return ExitStatus.OK;
  }

  @Command(name = "get", mixinStandardHelpOptions = true, description = "Shows one item.")
  int get(
      @Mixin ServerOptions options,
      @Parameters(index = "0", paramLabel = "SPACE", description = "Where it is.") String space,
      @Parameters(index = "1", paramLabel = "ITEM", description = "As put printed it.") String id,
      @Option(names = "--count", description = "Counts as a read, which may keep it for longer.")
          boolean count) {
    try (Connection connection = options.connect()) {
      MemoryItem item =
          stub(connection, options)
              .getMemory(
                  GetMemoryRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(space)
                      .setItemId(id)
                      .setPeek(!count)
                      .setOmitEmbedding(true)
                      .build())
              .getItem();
      new Printer(console.out(), options.output)
          .one(
              item,
              "item",
              item.getItemId(),
              "text",
              Text.printable(item.getContent().getText()),
              "tier",
              Text.of(item.getTier()),
              "until",
              Text.of(item.getExpireTime()),
              "tags",
              String.join(",", item.getTagsList()),
              "importance",
              number(item.getImportance()),
              "source",
              Text.printable(item.getSource()),
              "attributes",
              Text.of(item.getAttributesMap()),
              "version",
              Long.toString(item.getVersion()),
              "reads",
              Long.toString(item.getReadCount()),
              "merges",
              Long.toString(item.getMergeCount()));
    }
    return ExitStatus.OK;
  }

  @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists items of a space.")
  int list(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "SPACE", description = "Which.") String space,
      @Mixin Wanted wanted,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int limit) {
    ListMemoriesRequest.Builder request =
        ListMemoriesRequest.newBuilder()
            .setNamespace(options.namespace)
            .setSpace(space)
            .setFilter(wanted.filter())
            .setOmitEmbedding(true);
    try (Connection connection = options.connect()) {
      List<MemoryItem> items =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listMemories(request.setPageSize(size).setPageToken(token).build()),
              ListMemoriesResponse::getItemsList,
              ListMemoriesResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              items,
              List.of("ITEM", "TIER", "UNTIL", "IMPORTANCE", "TAGS", "TEXT"),
              item ->
                  List.of(
                      item.getItemId(),
                      Text.of(item.getTier()),
                      Text.of(item.getExpireTime()),
                      number(item.getImportance()),
                      String.join(",", item.getTagsList()),
                      item.getContent().getText()));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "search",
      mixinStandardHelpOptions = true,
      description = "Finds items by their words, best first; without words the newest.")
  int search(
      @Mixin ServerOptions options,
      @Parameters(index = "0", paramLabel = "SPACE", description = "Where.") String space,
      @Parameters(
              index = "1",
              arity = "0..1",
              paramLabel = "TEXT",
              defaultValue = "",
              description = "Words of which any may occur.")
          String text,
      @Mixin Wanted wanted,
      @Option(names = "--limit", defaultValue = "10", description = "How many, up to 200.")
          int limit,
      @Option(
              names = "--revision",
              paramLabel = "N",
              defaultValue = "0",
              description = "See at least what was put up to here, as put printed it.")
          long revision) {
    try (Connection connection = options.connect()) {
      SearchMemoryResponse response =
          stub(connection, options)
              .searchMemory(
                  SearchMemoryRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(space)
                      .setText(text)
                      .setFilter(wanted.filter())
                      .setTopK(limit)
                      .setMinRevision(revision)
                      .setPeek(true)
                      .build());
      new Printer(console.out(), options.output)
          .list(
              response.getHitsList(),
              List.of("ITEM", "SCORE", "PARTS", "TEXT"),
              hit ->
                  List.of(
                      hit.getItem().getItemId(),
                      number(hit.getScore()),
                      hit.getPartsList().stream()
                          .map(MemoryCommand::part)
                          .collect(Collectors.joining(" ")),
                      hit.getItem().getContent().getText()));
    }
    return ExitStatus.OK;
  }

  private static String part(ScorePart part) {
    return Text.of(part.getLeg()).toLowerCase(Locale.ROOT)
        + "="
        + number(part.getRawScore())
        + (part.getRank() == 0 ? "" : "#" + part.getRank());
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }

  @Command(name = "forget", mixinStandardHelpOptions = true, description = "Forgets items.")
  int forget(
      @Mixin ServerOptions options,
      @Parameters(index = "0", paramLabel = "SPACE", description = "Where they are.") String space,
      @Parameters(index = "1..*", arity = "1..*", paramLabel = "ITEM", description = "Which.")
          List<String> ids) {
    try (Connection connection = options.connect()) {
      ForgetMemoriesResponse response =
          stub(connection, options)
              .forgetMemories(
                  ForgetMemoriesRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(space)
                      .addAllItemIds(ids)
                      .setRequestId(UUID.randomUUID().toString())
                      .build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "forgotten",
              response.getForgottenCount() + " of " + ids.size(),
              "revision",
              Long.toString(response.getRevision()));
    }
    return ExitStatus.OK;
  }

  private static MemoryServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        MemoryServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
