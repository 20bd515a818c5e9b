package dev.troupe.server.cli;

import com.google.protobuf.FieldMask;
import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.DeleteSpaceRequest;
import dev.troupe.v1.DeleteSpaceResponse;
import dev.troupe.v1.GetSpaceRequest;
import dev.troupe.v1.IndexState;
import dev.troupe.v1.ListSpacesRequest;
import dev.troupe.v1.ListSpacesResponse;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.SearchSettings;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TextLanguage;
import dev.troupe.v1.UpdateSpaceRequest;
import dev.troupe.v1.VectorMetric;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe memory spaces}: which there are, and their settings. */
@Command(
    name = "spaces",
    mixinStandardHelpOptions = true,
    description = "Lists the spaces, or with a command shows and changes the settings of one.")
final class SpacesCommand implements Callable<Integer> {

  private static final int LARGEST_PAGE = 500;

  private final Console console;

  @Mixin private ServerOptions listing = new ServerOptions();

  @Option(names = "--prefix", defaultValue = "", description = "Only names that begin so.")
  private String prefix = "";

  @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
  private int limit;

  SpacesCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    return list(listing, prefix, limit);
  }

  @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists the spaces.")
  int list(
      @Mixin ServerOptions options,
      @Option(names = "--prefix", defaultValue = "", description = "Only names that begin so.")
          String beginning,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int most) {
    ListSpacesRequest.Builder request =
        ListSpacesRequest.newBuilder().setNamespace(options.namespace).setPrefix(beginning);
    try (Connection connection = options.connect()) {
      List<MemorySpace> spaces =
          Pages.read(
              most,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listSpaces(request.setPageSize(size).setPageToken(token).build()),
              ListSpacesResponse::getSpacesList,
              ListSpacesResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              spaces,
              List.of("SPACE", "ITEMS", "BYTES", "DIMENSION", "REVISION", "CREATED"),
              space ->
                  List.of(
                      space.getName(),
                      Long.toString(space.getItems()),
                      Long.toString(space.getBytes()),
                      Integer.toString(space.getSettings().getDimension()),
                      Long.toString(space.getRevision()),
                      Text.of(space.getCreateTime())));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Shows a space with its settings.")
  int get(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "SPACE", description = "Its name.") String name) {
    try (Connection connection = options.connect()) {
      print(options, read(connection, options, name));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "create",
      mixinStandardHelpOptions = true,
      description = "Creates a space with settings of its own.")
  int create(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "SPACE", description = "Its name.") String name,
      @Mixin SpaceOptions wanted,
      @Option(names = "--metric", description = "cosine, dot or l2 (default: cosine); it stays.")
          Optional<String> metric,
      @Option(names = "--language", description = "any or english (default: any); it stays.")
          Optional<String> language) {
    SpaceSettings.Builder settings = SpaceSettings.newBuilder();
    wanted.into(settings);
    metric.ifPresent(
        word -> settings.setMetric(Names.constant("--metric", VectorMetric.class, word)));
    language.ifPresent(
        word -> settings.setLanguage(Names.constant("--language", TextLanguage.class, word)));
    try (Connection connection = options.connect()) {
      print(
          options,
          stub(connection, options)
              .createSpace(
                  CreateSpaceRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(name)
                      .setSettings(settings)
                      .setRequestId(UUID.randomUUID().toString())
                      .build())
              .getSpace());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "update",
      mixinStandardHelpOptions = true,
      description = "Changes the settings that are given, and no others.")
  int update(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "SPACE", description = "Its name.") String name,
      @Mixin SpaceOptions wanted,
      @Option(names = "--expected-version", defaultValue = "0", description = "Only of this one.")
          long expectedVersion) {
    if (wanted.into(SpaceSettings.newBuilder()).isEmpty()) {
      throw new UsageException("nothing to change (expected: a setting such as --max-items)");
    }
    try (Connection connection = options.connect()) {
      // A tier is changed as a whole, so the rest of it is sent as the space itself has it.
      MemorySpace before = read(connection, options, name);
      SpaceSettings.Builder settings = before.getOwnSettings().toBuilder();
      Set<String> paths = wanted.into(settings);
      print(
          options,
          stub(connection, options)
              .updateSpace(
                  UpdateSpaceRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(name)
                      .setSettings(settings)
                      .setUpdateMask(FieldMask.newBuilder().addAllPaths(paths))
                      .setExpectedVersion(
                          expectedVersion == 0 ? before.getVersion() : expectedVersion)
                      .setRequestId(UUID.randomUUID().toString())
                      .build())
              .getSpace());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Deletes a space with its items and conversations, without asking.")
  int delete(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "SPACE", description = "Its name.") String name) {
    try (Connection connection = options.connect()) {
      DeleteSpaceResponse response =
          stub(connection, options)
              .deleteSpace(
                  DeleteSpaceRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setSpace(name)
                      .setRequestId(UUID.randomUUID().toString())
                      .build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "deleted",
              response.getDeleted() ? "yes" : "no, there was none",
              "items",
              Long.toString(response.getItems()));
    }
    return ExitStatus.OK;
  }

  private static MemorySpace read(Connection connection, ServerOptions options, String name) {
    return stub(connection, options)
        .getSpace(
            GetSpaceRequest.newBuilder().setNamespace(options.namespace).setSpace(name).build())
        .getSpace();
  }

  private void print(ServerOptions options, MemorySpace space) {
    SpaceSettings settings = space.getSettings();
    SearchSettings search = settings.getSearch();
    new Printer(console.out(), options.output)
        .one(
            space,
            "space",
            space.getName(),
            "items",
            space.getItems() + " of at most " + settings.getMaxItems(),
            "bytes",
            space.getBytes() + " of at most " + settings.getMaxBytes(),
            "index",
            space.hasIndex() ? index(space.getIndex()) : "",
            "embeddings",
            settings.getDimension() == 0
                ? "of any dimension so far"
                : settings.getDimension() + " numbers, " + Text.of(settings.getMetric()),
            "language",
            Text.of(settings.getLanguage()),
            "short",
            RetentionOptions.tier(settings.getShortTier()),
            "working",
            RetentionOptions.tier(settings.getWorkingTier()),
            "long",
            RetentionOptions.tier(settings.getLongTier()),
            "reads",
            settings.getRefreshOnRead() ? "begin the lifetime anew" : "change no lifetime",
            "promotions",
            RetentionOptions.promotions(settings),
            "conversations",
            "last " + Text.setting(settings.getConversationLifetime()) + " after their last turn",
            "search",
            Text.of(search.getFusion())
                + ", vector "
                + search.getVectorWeight()
                + ", text "
                + search.getTextWeight()
                + ", recency "
                + search.getRecencyWeight()
                + " (half in "
                + Text.setting(search.getRecencyHalfLife())
                + "), importance "
                + search.getImportanceWeight(),
            "description",
            settings.getDescription(),
            "revision",
            Long.toString(space.getRevision()),
            "version",
            Long.toString(space.getVersion()));
  }

  private static String index(IndexState index) {
    return index.getReady()
        ? "at revision " + index.getRevision()
        : "loading, " + index.getItemsLoaded() + " of " + index.getItemsTotal() + " items";
  }

  private static MemoryServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        MemoryServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
