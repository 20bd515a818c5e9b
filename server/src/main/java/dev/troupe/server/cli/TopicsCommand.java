package dev.troupe.server.cli;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.Durability;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.ListTopicsRequest;
import dev.troupe.v1.ListTopicsResponse;
import dev.troupe.v1.Topic;
import dev.troupe.v1.TopicSettings;
import dev.troupe.v1.UpdateTopicRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe events topics}: what topics there are and what they keep. */
@Command(
    name = "topics",
    mixinStandardHelpOptions = true,
    description = "What topics there are and what they keep.")
final class TopicsCommand {

  private static final int LARGEST_PAGE = 500;

  private final Console console;

  TopicsCommand(Console console) {
    this.console = console;
  }

  /** What a topic keeps, as far as it is said. */
  static final class Kept {

    @Option(
        names = "--max-age",
        paramLabel = "DURATION",
        description = "Events older than this go; 0s: the default.")
    @Nullable Duration maxAge;

    @Option(names = "--max-events", description = "Of more events the oldest go; 0: the default.")
    @Nullable Long maxEvents;

    @Option(
        names = "--max-bytes",
        paramLabel = "SIZE",
        description = "Of more bytes the oldest events go, such as 64MiB; 0: the default.")
    @Nullable String maxBytes;

    @Option(
        names = "--replicated",
        negatable = true,
        description = "Answer publishers when a replica has the event.")
    @Nullable Boolean replicated;

    @Option(
        names = "--compacted",
        negatable = true,
        description = "Keep only the last event of each key.")
    @Nullable Boolean compacted;

    @Option(names = "--description", description = "What the topic is for.")
    @Nullable String description;

    /** Fills the settings in; returns the paths of those that were said. */
    List<String> into(TopicSettings.Builder settings) {
      List<String> paths = new ArrayList<>();
      if (maxAge != null) {
        settings.setMaxAge(Durations.fromNanos(maxAge.toNanos()));
        paths.add("max_age");
      }
      if (maxEvents != null) {
        settings.setMaxEvents(maxEvents);
        paths.add("max_events");
      }
      if (maxBytes != null) {
        settings.setMaxBytes(Given.bytes("--max-bytes", maxBytes));
        paths.add("max_bytes");
      }
      if (replicated != null) {
        settings.setDurability(
            replicated ? Durability.DURABILITY_REPLICATED : Durability.DURABILITY_STANDARD);
        paths.add("durability");
      }
      if (compacted != null) {
        settings.setCompacted(compacted);
        paths.add("compacted");
      }
      if (description != null) {
        settings.setDescription(description);
        paths.add("description");
      }
      return paths;
    }
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists topics; the server's own are not among them.")
  int list(
      @Mixin ServerOptions options,
      @Option(names = "--prefix", defaultValue = "", description = "Only names that begin so.")
          String prefix,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int limit) {
    ListTopicsRequest.Builder request =
        ListTopicsRequest.newBuilder().setNamespace(options.namespace).setPrefix(prefix);
    try (Connection connection = options.connect()) {
      List<Topic> topics =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listTopics(request.setPageSize(size).setPageToken(token).build()),
              ListTopicsResponse::getTopicsList,
              ListTopicsResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              topics,
              List.of("TOPIC", "EVENTS", "BYTES", "PUBLISHED", "GROUPS", "NEWEST"),
              topic ->
                  List.of(
                      topic.getName(),
                      Long.toString(topic.getEventCount()),
                      Long.toString(topic.getByteCount()),
                      Long.toString(topic.getPublishedCount()),
                      Integer.toString(topic.getGroupCount()),
                      Text.of(topic.getLastTime())));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Shows a topic with its settings.")
  int get(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "TOPIC", description = "Its name.") String name) {
    try (Connection connection = options.connect()) {
      print(
          options,
          stub(connection, options)
              .getTopic(
                  GetTopicRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setTopic(name)
                      .build())
              .getTopic());
    }
    return ExitStatus.OK;
  }

  @Command(name = "create", mixinStandardHelpOptions = true, description = "Creates a topic.")
  int create(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "TOPIC", description = "Its name.") String name,
      @Mixin Kept kept) {
    TopicSettings.Builder settings = TopicSettings.newBuilder();
    kept.into(settings);
    try (Connection connection = options.connect()) {
      print(
          options,
          stub(connection, options)
              .createTopic(
                  CreateTopicRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setTopic(name)
                      .setSettings(settings)
                      .setRequestId(UUID.randomUUID().toString())
                      .build())
              .getTopic());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "update",
      mixinStandardHelpOptions = true,
      description = "Changes the settings that are given, and no others.")
  int update(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "TOPIC", description = "Its name.") String name,
      @Mixin Kept kept,
      @Option(names = "--expected-version", defaultValue = "0", description = "Only of this one.")
          long expectedVersion) {
    TopicSettings.Builder settings = TopicSettings.newBuilder();
    List<String> paths = kept.into(settings);
    if (paths.isEmpty()) {
      throw new UsageException("nothing to change (expected: a setting such as --max-age)");
    }
    try (Connection connection = options.connect()) {
      print(
          options,
          stub(connection, options)
              .updateTopic(
                  UpdateTopicRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setTopic(name)
                      .setSettings(settings)
                      .setUpdateMask(FieldMask.newBuilder().addAllPaths(paths))
                      .setExpectedVersion(expectedVersion)
                      .setRequestId(UUID.randomUUID().toString())
                      .build())
              .getTopic());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Deletes a topic with its events and groups, without asking.")
  int delete(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "TOPIC", description = "Its name.") String name,
      @Option(names = "--expected-version", description = "Only of this one.")
          Optional<Long> expectedVersion) {
    try (Connection connection = options.connect()) {
      stub(connection, options)
          .deleteTopic(
              DeleteTopicRequest.newBuilder()
                  .setNamespace(options.namespace)
                  .setTopic(name)
                  .setExpectedVersion(expectedVersion.orElse(0L))
                  .setRequestId(UUID.randomUUID().toString())
                  .build());
    }
    return ExitStatus.OK;
  }

  private void print(ServerOptions options, Topic topic) {
    TopicSettings settings = topic.getSettings();
    new Printer(console.out(), options.output)
        .one(
            topic,
            "topic",
            topic.getName(),
            "events",
            topic.getEventCount() + " of " + topic.getPublishedCount() + " published",
            "bytes",
            Long.toString(topic.getByteCount()),
            "oldest",
            Text.of(topic.getFirstTime()),
            "newest",
            Text.of(topic.getLastTime()),
            "groups",
            Integer.toString(topic.getGroupCount()),
            "keeps",
            settings.getMaxEvents()
                + " events, "
                + settings.getMaxBytes()
                + " bytes, "
                + Text.setting(settings.getMaxAge())
                + (settings.getCompacted() ? ", the last of each key" : ""),
            "durability",
            Text.of(settings.getDurability()),
            "description",
            settings.getDescription(),
            "version",
            Long.toString(topic.getVersion()));
  }

  private static EventStreamServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        EventStreamServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
