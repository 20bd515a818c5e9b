package dev.troupe.server.event;

import static dev.troupe.v1.SettleOutcome.SETTLE_OUTCOME_DONE;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.DeadLetter;
import dev.troupe.v1.Event;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.Nack;
import dev.troupe.v1.RedriveEventsRequest;
import dev.troupe.v1.RedriveEventsResponse;
import dev.troupe.v1.Settlement;
import dev.troupe.v1.StartPosition;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of events that a group gives up. */
interface DeadLetterContract extends GroupContract {

  private void create(String topic, GroupSettings.Builder settings) {
    GroupStart.Builder start =
        GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_BEGINNING);
    groups().a().createGroup(groups().group(settings).setTopic(topic).setStart(start).build());
  }

  private void readDead(String topic) {
    groups()
        .a()
        .createGroup(groups().group(GroupSettings.newBuilder()).setTopic(topic + ".dead").build());
  }

  private void nack(String topic, GroupDelivery delivery, boolean dead, String reason) {
    assertThat(
            groups()
                .settle(
                    topic,
                    Settlement.newBuilder()
                        .addNack(
                            Nack.newBuilder()
                                .setDeliveryId(delivery.getDeliveryId())
                                .setReason(reason)
                                .setDead(dead))))
        .containsExactly(SETTLE_OUTCOME_DONE);
  }

  private GroupDelivery pull(String topic) {
    return groups().pullOne(topic);
  }

  private RedriveEventsResponse redrive(String topic, long... positions) {
    RedriveEventsRequest.Builder request =
        RedriveEventsRequest.newBuilder()
            .setNamespace(groups().namespace())
            .setTopic(topic)
            .setGroup(GroupHarness.GROUP);
    for (long position : positions) {
      request.addTopicPositions(position);
    }
    return groups().a().redriveEvents(request.build());
  }

  private void triedTooOften(String topic) {
    create(
        topic,
        GroupSettings.newBuilder().setMaxDeliveries(2).setAckDeadline(Durations.fromSeconds(1)));
    readDead(topic);
    groups()
        .publish(topic, Event.newBuilder().setId("e").setType("t").setKey("k").setTextData("data"));
    GroupDelivery first = pull(topic);
    nack(topic, first, false, "broken");
    GroupDelivery second = pull(topic);
    assertThat(second.getAttempt()).isEqualTo(2);
    // Nobody is there when its deadline passes.
    GroupDelivery dead = pull(topic + ".dead");
    DeadLetter letter = dead.getEvent().getEvent().getDeadLetter();
    assertThat(dead.getEvent().getEvent().getType()).isEqualTo("event.dead");
    assertThat(dead.getEvent().getEvent().getKey()).isEqualTo("k");
    assertThat(letter.getTopic()).isEqualTo(topic);
    assertThat(letter.getGroup()).isEqualTo(GroupHarness.GROUP);
    assertThat(letter.getReason()).isEqualTo("max_deliveries");
    assertThat(letter.getEvent()).isEqualTo(first.getEvent());
    assertThat(letter.getAttemptsList())
        .extracting(attempt -> attempt.getMemberId() + ": " + attempt.getReason())
        .containsExactly("b: broken", "b: deadline passed");
    assertThat(letter.getAttemptsList())
        .allMatch(one -> Timestamps.compare(one.getDeliverTime(), one.getEndTime()) <= 0);
    Group group = groups().get(topic);
    assertThat(group.getDeadCount()).isEqualTo(1);
    assertThat(group.getOutstanding() + group.getWaiting()).isZero();
    groups().settle(topic + ".dead", Settlement.newBuilder().addAck(dead.getDeliveryId()));
    assertThat(groups().get(topic + ".dead").getLag()).isZero();
  }

  @Test
  default void whatIsTriedTooOftenIsADeadLetterWithItsHistory() {
    triedTooOften(groups().topic(true));
  }

  @Test
  default void aDeadLetterReachesItsTopicInAnotherPartition() {
    triedTooOften(groups().topic(false));
  }

  @Test
  default void whatIsRejectedIsADeadLetterAtOnce() {
    String topic = groups().topic(true);
    create(topic, GroupSettings.newBuilder());
    readDead(topic);
    groups().publish(topic, Event.newBuilder().setId("e").setType("t"));
    GroupDelivery only = pull(topic);
    nack(topic, only, true, "not for me");
    // The same settlement again.
    nack(topic, only, true, "not for me");
    DeadLetter letter = pull(topic + ".dead").getEvent().getEvent().getDeadLetter();
    assertThat(letter.getReason()).isEqualTo("rejected");
    assertThat(letter.getAttempts(0).getReason()).isEqualTo("not for me");
    assertThat(groups().get(topic).getDeadCount()).isEqualTo(1);
  }

  @Test
  default void deadLettersAreDeliveredOnceMore() throws Exception {
    String topic = groups().topic(true);
    create(topic, GroupSettings.newBuilder().setMaxDeliveries(1));
    for (int i = 0; i < 70; i++) {
      groups().publish(topic, Event.newBuilder().setId("" + i).setType("t").setTextData("d" + i));
    }
    int dead = 0;
    while (dead < 70) {
      List<GroupDelivery> some =
          groups().a().pullEvents(groups().pulling(topic, "m", 64).build()).getDeliveriesList();
      Settlement.Builder settlement = Settlement.newBuilder();
      some.forEach(one -> settlement.addNack(Nack.newBuilder().setDeliveryId(one.getDeliveryId())));
      groups().settle(topic, settlement);
      dead += some.size();
    }
    assertThat(groups().get(topic).getDeadCount()).isEqualTo(70);
    // The topic has none of them any more.
    groups().redis(topic, "XTRIM", "ev:e:" + topic, "MAXLEN", "0");
    assertThat(redrive(topic, 5, 5, 999).getRedriven()).isEqualTo(1);
    GroupDelivery fifth = pull(topic);
    assertThat(fifth.getEvent().getEvent().getTextData()).isEqualTo("d4");
    assertThat(fifth.getEvent().getTopicPosition()).isEqualTo(5);
    assertThat(fifth.getAttempt()).isEqualTo(1);
    Settlement.Builder ack = Settlement.newBuilder().addAck(fifth.getDeliveryId());
    assertThat(groups().settle(topic, ack)).containsExactly(SETTLE_OUTCOME_DONE);
    assertThat(groups().settle(topic, ack)).containsExactly(SETTLE_OUTCOME_DONE);
    RedriveEventsResponse many = redrive(topic);
    assertThat(many.getRedriven()).isEqualTo(64);
    assertThat(many.getMore()).isTrue();
    RedriveEventsResponse rest = redrive(topic);
    assertThat(rest.getRedriven()).isEqualTo(5);
    assertThat(rest.getMore()).isFalse();
    assertThat(groups().get(topic).getWaiting()).isEqualTo(69);
    List<GroupDelivery> again =
        groups().a().pullEvents(groups().pulling(topic, "m", 64).build()).getDeliveriesList();
    assertThat(again).hasSize(64);
  }
}
