package dev.troupe.server.cli;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.ReplayEventsRequest;
import dev.troupe.v1.ReplayEventsResponse;
import java.text.ParseException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What reads the events that a topic keeps: {@code troupe events history} and {@code replay}. */
final class HistoryCommands {

  private static final int LARGEST_PAGE = 500;

  private HistoryCommands() {}

  /** Which events of a topic. */
  static final class Range {

    @Parameters(index = "0", paramLabel = "TOPIC", description = "The topic.")
    String topic = "";

    @Option(names = "--since", paramLabel = "TIME", description = "Accepted at or after this.")
    @Nullable String since;

    @Option(names = "--until", paramLabel = "TIME", description = "Accepted before this.")
    @Nullable String until;

    @Mixin FilterOptions wanted = new FilterOptions();

    static Timestamp time(String option, String text) {
      try {
        return Timestamps.parse(text);
      } catch (ParseException e) {
        throw new UsageException(
            option + ": " + text + " (expected: a time such as 2030-01-31T12:00:00Z)");
      }
    }
  }

  /** {@code troupe events history}. */
  @Command(
      name = "history",
      mixinStandardHelpOptions = true,
      description = "Prints events that a topic keeps.")
  static final class History implements Callable<Integer> {

    private final Console console;

    @Mixin private ServerOptions options = new ServerOptions();
    @Mixin private Range range = new Range();

    @Option(names = "--newest-first", description = "In that order.")
    private boolean newestFirst;

    @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
    private int limit;

    History(Console console) {
      this.console = console;
    }

    @Override
    public Integer call() {
      ListEventsRequest.Builder request =
          ListEventsRequest.newBuilder()
              .setNamespace(options.namespace)
              .setTopic(range.topic)
              .setFilter(range.wanted.filter())
              .setNewestFirst(newestFirst);
      if (range.since != null) {
        request.setStartTime(Range.time("--since", range.since));
      }
      if (range.until != null) {
        request.setEndTime(Range.time("--until", range.until));
      }
      try (Connection connection = options.connect()) {
        List<EventDelivery> deliveries =
            Pages.read(
                limit,
                LARGEST_PAGE,
                (size, token) ->
                    stub(connection, options)
                        .listEvents(request.setPageSize(size).setPageToken(token).build()),
                ListEventsResponse::getDeliveriesList,
                ListEventsResponse::getNextPageToken);
        new Printer(console.out(), options.output)
            .list(
                deliveries,
                List.of("ACCEPTED", "POSITION", "TYPE", "SOURCE", "ID", "DATA"),
                delivery ->
                    List.of(
                        Text.of(delivery.getAcceptTime()),
                        Long.toString(delivery.getTopicPosition()),
                        delivery.getEvent().getType(),
                        delivery.getEvent().getSource(),
                        delivery.getEvent().getId(),
                        data(delivery.getEvent())));
      }
      return ExitStatus.OK;
    }

    private static String data(Event event) {
      return event.hasTextData() ? event.getTextData() : Text.of(event.getBinaryData());
    }
  }

  /** {@code troupe events replay}. */
  @Command(
      name = "replay",
      mixinStandardHelpOptions = true,
      description = "Appends events that a topic keeps to another topic.")
  static final class Replay implements Callable<Integer> {

    private final Console console;

    @Mixin private ServerOptions options = new ServerOptions();
    @Mixin private Range range = new Range();

    @Parameters(index = "1", paramLabel = "TO", description = "The other topic.")
    private String to = "";

    Replay(Console console) {
      this.console = console;
    }

    @Override
    public Integer call() {
      ReplayEventsRequest.Builder request =
          ReplayEventsRequest.newBuilder()
              .setNamespace(options.namespace)
              .setTopic(range.topic)
              .setToTopic(to)
              .setFilter(range.wanted.filter());
      if (range.since != null) {
        request.setStartTime(Range.time("--since", range.since));
      }
      if (range.until != null) {
        request.setEndTime(Range.time("--until", range.until));
      }
      ReplayEventsResponse.Builder all = ReplayEventsResponse.newBuilder();
      try (Connection connection = options.connect()) {
        String token = "";
        do {
          ReplayEventsResponse step =
              stub(connection, options).replayEvents(request.setPageToken(token).build());
          all.setAppended(all.getAppended() + step.getAppended())
              .setDuplicates(all.getDuplicates() + step.getDuplicates());
          token = step.getNextPageToken();
        } while (!token.isEmpty());
      }
      new Printer(console.out(), options.output)
          .one(
              all,
              "appended",
              Integer.toString(all.getAppended()),
              "there already",
              Integer.toString(all.getDuplicates()));
      return ExitStatus.OK;
    }
  }

  private static EventStreamServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        EventStreamServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
