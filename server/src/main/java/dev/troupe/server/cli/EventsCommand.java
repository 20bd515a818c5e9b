package dev.troupe.server.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.text.ParseException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe events}: read and write topics. */
@Command(name = "events", mixinStandardHelpOptions = true, description = "Read and write topics.")
final class EventsCommand {

  private static final String PLACES =
      "beginning, now, a time such as 2030-01-31T12:00:00Z, or a token";

  private final Console console;

  EventsCommand(Console console) {
    this.console = console;
  }

  @Command(
      name = "tail",
      mixinStandardHelpOptions = true,
      description = {
        "Prints events as they come, until --limit, --timeout or Ctrl-C.",
        "Exit status: 3 the server went away, 5 fewer than --limit came within --timeout."
      })
  int tail(
      @Mixin ServerOptions options,
      @Option(
              names = "--topic",
              paramLabel = "PATTERN",
              description =
                  "Topics; * is any text without a dot, ** any text; repeatable. The server's own"
                      + " and the inboxes of agents match only what begins with \"troupe.\" or"
                      + " \"inbox.\", such as inbox.ann (default: all others).")
          @Nullable List<String> topics,
      @Mixin FilterOptions wanted,
      @Option(
              names = "--from",
              paramLabel = "WHERE",
              defaultValue = "now",
              description = PLACES + ".")
          String from,
      @Option(names = "--limit", defaultValue = "0", description = "End after so many; 0: never.")
          long limit) {
    SubscribeRequest.Builder request =
        SubscribeRequest.newBuilder()
            .setNamespace(options.namespace)
            .addAllTopics(topics == null ? List.of("**") : topics)
            .setFilter(wanted.filter());
    if (limit != 0) {
      // There is a token behind each event then, wherever the limit is.
      request.setMaxBatchSize(1);
    }
    begin(request, from);
    try (Connection connection = options.connect();
        ResumeHint hint = new ResumeHint(console)) {
      Tail tail = new Tail(new Printer(console.out(), options.output), hint, limit);
      EventStreamServiceBlockingStub stub =
          EventStreamServiceGrpc.newBlockingStub(connection.channel());
      Iterator<SubscribeResponse> responses =
          Connection.within(stub, options.timeout).subscribe(request.build());
      return Streams.read(responses, limit, options.timeout != null, tail::take);
    } catch (StatusRuntimeException refusal) {
      throw Streams.refused(refusal, from, PLACES + " of a tail with the same topics and filter");
    }
  }

  private static void begin(SubscribeRequest.Builder request, String from) {
    if (from.equals("beginning")) {
      request.setStart(StartPosition.START_POSITION_BEGINNING);
    } else if (from.equals("now")) {
      request.setStart(StartPosition.START_POSITION_NOW);
    } else {
      try {
        request.setStartTime(Timestamps.parse(from));
      } catch (ParseException notATime) {
        request.setResumeToken(from);
      }
    }
  }

  /** Prints deliveries up to the limit and remembers how far it came. */
  private static final class Tail {
    private final Printer printer;
    private final ResumeHint hint;
    private final long limit;
    private long printed;

    Tail(Printer printer, ResumeHint hint, long limit) {
      this.printer = printer;
      this.hint = hint;
      this.limit = limit;
    }

    int take(SubscribeResponse response) {
      switch (response.getMessageCase()) {
        case STARTED -> hint.at(response.getStarted().getResumeToken());
        case CAUGHT_UP -> hint.at(response.getCaughtUp().getResumeToken());
        case CHECKPOINT -> hint.at(response.getCheckpoint().getResumeToken());
        case GO_AWAY -> hint.at(response.getGoAway().getResumeToken());
        case FELL_BEHIND -> hint.at(response.getFellBehind().getResumeToken());
        case GAP -> {
          hint.at(response.getGap().getResumeToken());
          hint.say("events are missing here: " + Text.of(response.getGap().getReason()));
        }
        case BATCH -> {
          int taken = print(response.getBatch().getDeliveriesList());
          if (taken == response.getBatch().getDeliveriesCount()) {
            hint.at(response.getBatch().getResumeToken());
          }
          return taken;
        }
        case MESSAGE_NOT_SET -> {}
      }
      return 0;
    }

    private int print(List<EventDelivery> deliveries) {
      int taken = 0;
      for (EventDelivery delivery : deliveries) {
        if (limit != 0 && printed == limit) {
          break;
        }
        Event event = delivery.getEvent();
        hint.read();
        printer.next(
            delivery,
            Text.of(delivery.getAcceptTime()),
            delivery.getTopic(),
            event.getType(),
            event.getSource(),
            event.getId(),
            data(event));
        printed++;
        taken++;
      }
      return taken;
    }
  }

  static String data(Event event) {
    return switch (event.getDataCase()) {
      case TEXT_DATA -> event.getTextData();
      case BINARY_DATA -> Text.of(event.getBinaryData());
      case TASK -> event.getTask().getQueue() + "/" + event.getTask().getTaskId();
      case AGENT -> event.getAgent().getAgent().getAgentId();
      case LOCK -> event.getLock().getName();
      case TOPIC_CHANGE -> event.getTopicChange().getTopic();
      case DEAD_LETTER -> event.getDeadLetter().getTopic() + "/" + event.getDeadLetter().getGroup();
      case SYSTEM_ALERT -> event.getSystemAlert().getMessage();
      case MEMORY -> event.getMemory().getSpace();
      case DATA_NOT_SET -> "";
    };
  }

  @Command(
      name = "publish",
      mixinStandardHelpOptions = true,
      description = {
        "Appends an event to a topic, which begins with its first event.",
        "An inbox is a topic too: whether there is such an agent is asked by SendMessage only."
      })
  int publish(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "TOPIC", description = "The topic.") String topic,
      @Option(names = "--type", required = true, description = "What happened.") String type,
      @Option(names = "--data", paramLabel = "TEXT", description = "The data.")
          Optional<String> text,
      @Option(names = "--data-file", paramLabel = "FILE", description = "The same; - is stdin.")
          Optional<String> file,
      @Option(names = "--content-type", defaultValue = "", description = "Of the data.")
          String contentType,
      @Option(names = "--source", defaultValue = "troupe-cli", description = "Who it comes from.")
          String source,
      @Option(names = "--id", description = "Its id within the source (default: random).")
          Optional<String> id,
      @Option(names = "--subject", defaultValue = "", description = "What it is about.")
          String subject,
      @Option(
              names = "--key",
              defaultValue = "",
              description = "Events of one key stay in order; of a compacted topic the last stays.")
          String key,
      @Option(names = "--correlation-id", defaultValue = "", description = "Ties events together.")
          String correlationId,
      @Option(names = "--attribute", description = "KEY=VALUE; repeatable.")
          @Nullable Map<String, String> attributes)
      throws IOException {
    Event.Builder event =
        Event.newBuilder()
            .setId(id.orElseGet(() -> UUID.randomUUID().toString()))
            .setSource(source)
            .setType(type)
            .setSubject(subject)
            .setDatacontenttype(contentType)
            .setKey(key)
            .setCorrelationId(correlationId)
            .putAllAttributes(Given.map(attributes));
    ByteString data = Payloads.read(text, file, console);
    if (data.isValidUtf8()) {
      event.setTextData(data.toStringUtf8());
    } else {
      event.setBinaryData(data);
    }
    try (Connection connection = options.connect()) {
      PublishResponse response =
          Connection.within(
                  EventStreamServiceGrpc.newBlockingStub(connection.channel()),
                  options.timeoutOrUsual())
              .publish(
                  PublishRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setTopic(topic)
                      .setEvent(event)
                      .build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "event",
              response.getEventId(),
              "duplicate",
              response.getDuplicate() ? "yes" : "no",
              "resume token",
              response.getResumeToken());
    }
    return ExitStatus.OK;
  }
}
