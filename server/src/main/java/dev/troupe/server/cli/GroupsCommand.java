package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.CreateGroupResponse;
import dev.troupe.v1.DeleteGroupRequest;
import dev.troupe.v1.DeliveryPolicy;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.ListGroupsRequest;
import dev.troupe.v1.ListGroupsResponse;
import dev.troupe.v1.RedriveEventsRequest;
import dev.troupe.v1.RedriveEventsResponse;
import dev.troupe.v1.SeekGroupRequest;
import dev.troupe.v1.StartPosition;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe events groups}: who shares the events of a topic, and how far they are. */
@Command(
    name = "groups",
    mixinStandardHelpOptions = true,
    description = "Consumer groups: who shares the events of a topic, and how far they are.")
final class GroupsCommand {

  private static final int LARGEST_PAGE = 500;

  private final Console console;

  GroupsCommand(Console console) {
    this.console = console;
  }

  /** Which group is meant. */
  static final class Which {

    @Parameters(index = "0", paramLabel = "TOPIC", description = "The topic.")
    String topic = "";

    @Parameters(index = "1", paramLabel = "GROUP", description = "The group's name.")
    String group = "";
  }

  /** How a group is to deliver. */
  static final class Wanted {

    @Option(
        names = "--ack-deadline",
        paramLabel = "DURATION",
        description = "Without an ack an event goes to another.")
    @Nullable Duration ackDeadline;

    @Option(
        names = "--max-deliveries",
        paramLabel = "N",
        defaultValue = "0",
        description = "After so many an event is a dead letter (default: 5).")
    int maxDeliveries;

    @Option(
        names = "--retry-delay",
        paramLabel = "DURATION",
        description = "How long an event waits that is given back.")
    @Nullable Duration retryDelay;

    @Option(names = "--ordered", description = "Events of one key one after the other.")
    boolean ordered;

    @Option(names = "--round-robin", description = "To one member after the other.")
    boolean roundRobin;

    @Option(
        names = "--max-outstanding",
        paramLabel = "N",
        defaultValue = "0",
        description = "How many may be in flight (default: 10000).")
    int maxOutstanding;

    @Option(
        names = "--dead-letter-topic",
        paramLabel = "TOPIC",
        defaultValue = "",
        description = "Where dead letters go (default: TOPIC.dead).")
    String deadLetterTopic = "";

    @Mixin FilterOptions wanted = new FilterOptions();

    GroupSettings settings() {
      GroupSettings.Builder settings =
          GroupSettings.newBuilder()
              .setMaxDeliveries(maxDeliveries)
              .setMaxOutstanding(maxOutstanding)
              .setOrderedByKey(ordered)
              .setDeadLetterTopic(deadLetterTopic)
              .setFilter(wanted.filter());
      if (ackDeadline != null) {
        settings.setAckDeadline(Durations.fromNanos(ackDeadline.toNanos()));
      }
      if (retryDelay != null) {
        settings.setRetryDelay(Durations.fromNanos(retryDelay.toNanos()));
      }
      if (roundRobin) {
        settings.setPolicy(DeliveryPolicy.DELIVERY_POLICY_ROUND_ROBIN);
      }
      return settings.build();
    }
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists the groups of a topic.")
  int list(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "TOPIC", description = "The topic.") String topic,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int limit) {
    ListGroupsRequest.Builder request =
        ListGroupsRequest.newBuilder().setNamespace(options.namespace).setTopic(topic);
    try (Connection connection = options.connect()) {
      List<Group> groups =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listGroups(request.setPageSize(size).setPageToken(token).build()),
              ListGroupsResponse::getGroupsList,
              ListGroupsResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              groups,
              List.of("GROUP", "LAG", "IN FLIGHT", "WAITING", "ACKNOWLEDGED", "DEAD"),
              group ->
                  List.of(
                      group.getName(),
                      Long.toString(group.getLag()),
                      Long.toString(group.getOutstanding()),
                      Long.toString(group.getWaiting()),
                      Long.toString(group.getAcknowledgedCount()),
                      Long.toString(group.getDeadCount())));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Shows a group with its members.")
  int get(@Mixin ServerOptions options, @Mixin Which which) {
    try (Connection connection = options.connect()) {
      print(
          options,
          stub(connection, options)
              .getGroup(
                  GetGroupRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setTopic(which.topic)
                      .setGroup(which.group)
                      .build())
              .getGroup());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "create",
      mixinStandardHelpOptions = true,
      description = "Creates a group, and its topic if there is none.")
  int create(
      @Mixin ServerOptions options,
      @Mixin Which which,
      @Mixin Wanted wanted,
      @Option(
              names = "--from",
              paramLabel = "WHERE",
              defaultValue = "now",
              description =
                  "beginning, now, a time such as 2030-01-31T12:00:00Z, or a topic position.")
          String from) {
    try (Connection connection = options.connect()) {
      CreateGroupResponse response =
          stub(connection, options)
              .createGroup(
                  CreateGroupRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setTopic(which.topic)
                      .setGroup(which.group)
                      .setSettings(wanted.settings())
                      .setStart(place("--from", from))
                      .setRequestId(UUID.randomUUID().toString())
                      .build());
      print(options, response.getGroup());
      if (response.getTopicCreated()) {
        console
            .err()
            .println("there was no topic " + Text.printable(which.topic) + ": it was created");
        console.err().flush();
      }
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Deletes a group with what it has in flight.")
  int delete(@Mixin ServerOptions options, @Mixin Which which) {
    try (Connection connection = options.connect()) {
      stub(connection, options)
          .deleteGroup(
              DeleteGroupRequest.newBuilder()
                  .setNamespace(options.namespace)
                  .setTopic(which.topic)
                  .setGroup(which.group)
                  .setRequestId(UUID.randomUUID().toString())
                  .build());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "seek",
      mixinStandardHelpOptions = true,
      description = "Moves a group to another place of its topic.")
  int seek(
      @Mixin ServerOptions options,
      @Mixin Which which,
      @Option(
              names = "--to",
              required = true,
              paramLabel = "WHERE",
              description =
                  "beginning, now, a time such as 2030-01-31T12:00:00Z, or after a topic position.")
          String to) {
    try (Connection connection = options.connect()) {
      print(
          options,
          stub(connection, options)
              .seekGroup(
                  SeekGroupRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setTopic(which.topic)
                      .setGroup(which.group)
                      .setStart(place("--to", to))
                      .setRequestId(UUID.randomUUID().toString())
                      .build())
              .getGroup());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "redrive",
      mixinStandardHelpOptions = true,
      description = "Delivers dead letters to their group once more, oldest first.")
  int redrive(
      @Mixin ServerOptions options,
      @Mixin Which which,
      @Option(
              names = "--position",
              paramLabel = "N",
              description = "Only the event of this topic position; repeatable.")
          @Nullable List<Long> positions) {
    int redriven = 0;
    try (Connection connection = options.connect()) {
      RedriveEventsResponse response;
      do {
        response =
            stub(connection, options)
                .redriveEvents(
                    RedriveEventsRequest.newBuilder()
                        .setNamespace(options.namespace)
                        .setTopic(which.topic)
                        .setGroup(which.group)
                        .addAllTopicPositions(positions == null ? List.of() : positions)
                        .setRequestId(UUID.randomUUID().toString())
                        .build());
        redriven += response.getRedriven();
      } while (response.getMore());
      new Printer(console.out(), options.output)
          .one(
              RedriveEventsResponse.newBuilder().setRedriven(redriven).build(),
              "redriven",
              Integer.toString(redriven));
    }
    return ExitStatus.OK;
  }

  private static GroupStart place(String option, String text) {
    GroupStart.Builder start = GroupStart.newBuilder();
    switch (text) {
      case "beginning" -> start.setPosition(StartPosition.START_POSITION_BEGINNING);
      case "now" -> start.setPosition(StartPosition.START_POSITION_NOW);
      default -> {
        try {
          if (text.matches("\\d{1,18}")) {
            start.setTopicPosition(Long.parseLong(text));
          } else {
            start.setTime(Timestamps.parse(text));
          }
        } catch (ParseException e) {
          throw new UsageException(
              option
                  + ": "
                  + text
                  + " (expected: beginning, now, a time such as 2030-01-31T12:00:00Z, or a"
                  + " number)");
        }
      }
    }
    return start.build();
  }

  private void print(ServerOptions options, Group group) {
    GroupSettings settings = group.getSettings();
    new Printer(console.out(), options.output)
        .one(
            group,
            "group",
            group.getTopic() + "/" + group.getName(),
            "position",
            group.getPosition() + ", " + group.getLag() + " behind",
            "in flight",
            group.getOutstanding() + ", " + group.getWaiting() + " waiting",
            "acknowledged",
            Long.toString(group.getAcknowledgedCount()),
            "redelivered",
            Long.toString(group.getRedeliveredCount()),
            "dead",
            group.getDeadCount() + ", in " + settings.getDeadLetterTopic(),
            "members",
            group.getMembersList().stream()
                .map(member -> member.getId() + " (" + member.getOutstanding() + ")")
                .collect(Collectors.joining(", ")),
            "ack deadline",
            Text.setting(settings.getAckDeadline()),
            "deliveries",
            "at most " + settings.getMaxDeliveries(),
            "order",
            settings.getOrderedByKey() ? "by key" : "none",
            "version",
            Long.toString(group.getVersion()));
  }

  private static EventStreamServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        EventStreamServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
