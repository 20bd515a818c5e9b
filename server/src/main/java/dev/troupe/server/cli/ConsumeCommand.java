package dev.troupe.server.cli;

import com.google.common.base.Ticker;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.SettleEventsRequest;
import dev.troupe.v1.Settlement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code troupe events consume}: takes part in a group. */
@Command(
    name = "consume",
    mixinStandardHelpOptions = true,
    description = {
      "Takes events as a member of a group, and acknowledges them once they are printed.",
      "It goes on until --limit, --timeout or Ctrl-C."
    })
final class ConsumeCommand implements Callable<Integer> {

  private static final int AT_ONCE = 16;
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(20);

  private final Console console;
  private final Ticker ticker;

  @Mixin private ServerOptions options = new ServerOptions();
  @Mixin private GroupsCommand.Which which = new GroupsCommand.Which();

  @Option(
      names = "--member",
      description =
          "The member's id (default: this command alone). Commands with one id share its events.")
  private String member = "";

  @Option(names = "--limit", defaultValue = "0", description = "End after so many; 0: never.")
  private long limit;

  ConsumeCommand(Console console, Ticker ticker) {
    this.console = console;
    this.ticker = ticker;
  }

  @Override
  public Integer call() {
    String id = member.isEmpty() ? "troupe-cli-" + UUID.randomUUID() : member;
    Printer printer = new Printer(console.out(), options.output);
    long begun = ticker.read();
    long taken = 0;
    try (Connection connection = options.connect()) {
      while (limit == 0 || taken < limit) {
        Duration wait = left(begun);
        if (wait.isZero()) {
          return limit == 0 ? ExitStatus.OK : ExitStatus.TIMED_OUT;
        }
        int most = limit == 0 ? AT_ONCE : (int) Math.min(AT_ONCE, limit - taken);
        List<GroupDelivery> deliveries =
            stub(connection, wait)
                .pullEvents(
                    PullEventsRequest.newBuilder()
                        .setNamespace(options.namespace)
                        .setTopic(which.topic)
                        .setGroup(which.group)
                        .setMemberId(id)
                        .setMaxEvents(most)
                        .setWait(Durations.fromMillis(wait.toMillis()))
                        .setRequestId(UUID.randomUUID().toString())
                        .build())
                .getDeliveriesList();
        for (GroupDelivery delivery : deliveries) {
          print(printer, delivery);
          acknowledge(connection, delivery);
          taken++;
        }
      }
    }
    return ExitStatus.OK;
  }

  /** How long to wait for the next events; zero when the time is up. */
  private Duration left(long begun) {
    if (options.timeout == null) {
      return LONGEST_WAIT;
    }
    Duration left = options.timeout.minusNanos(ticker.read() - begun);
    if (left.toMillis() <= 0) {
      return Duration.ZERO;
    }
    return left.compareTo(LONGEST_WAIT) < 0 ? left : LONGEST_WAIT;
  }

  private static void print(Printer printer, GroupDelivery delivery) {
    Event event = delivery.getEvent().getEvent();
    printer.next(
        delivery,
        Text.of(delivery.getEvent().getAcceptTime()),
        Long.toString(delivery.getEvent().getTopicPosition()),
        delivery.getAttempt() == 1 ? "" : "delivery " + delivery.getAttempt(),
        event.getType(),
        event.getSource(),
        event.getId(),
        EventsCommand.data(event));
  }

  private void acknowledge(Connection connection, GroupDelivery delivery) {
    stub(connection, Duration.ZERO)
        .settleEvents(
            SettleEventsRequest.newBuilder()
                .setNamespace(options.namespace)
                .setTopic(which.topic)
                .setGroup(which.group)
                .setSettlement(Settlement.newBuilder().addAck(delivery.getDeliveryId()))
                .build());
  }

  private EventStreamServiceBlockingStub stub(Connection connection, Duration wait) {
    return Connection.within(
        EventStreamServiceGrpc.newBlockingStub(connection.channel()),
        options.timeoutOrUsual().plus(wait));
  }
}
