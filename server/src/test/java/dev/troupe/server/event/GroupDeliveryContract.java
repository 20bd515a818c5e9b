package dev.troupe.server.event;

import static dev.troupe.v1.SettleOutcome.SETTLE_OUTCOME_DONE;
import static dev.troupe.v1.SettleOutcome.SETTLE_OUTCOME_STALE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.ConsumeResponse.MessageCase;
import dev.troupe.v1.DeliveryPolicy;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupMember;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.Nack;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.PullEventsResponse;
import dev.troupe.v1.Settlement;
import dev.troupe.v1.UpdateGroupRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How events reach members and are settled. */
interface GroupDeliveryContract extends GroupContract {

  private static GroupSettings.Builder settings() {
    return GroupSettings.newBuilder();
  }

  private static List<String> ids(List<GroupDelivery> deliveries) {
    return deliveries.stream().map(one -> one.getEvent().getEvent().getId()).toList();
  }

  private static String[] numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
  }

  @Test
  default void eventsComeInOrderAndAreOverOnceAcknowledged() {
    groups().publish(numbers(0, 3));
    groups().create(settings());
    try (GroupMemberDouble member = groups().join(groups().channelA(), "m", 10)) {
      List<GroupDelivery> early = member.deliveries(3);
      groups().publish(numbers(3, 5));
      List<GroupDelivery> late = member.deliveries(2);
      assertThat(ids(early)).containsExactly("0", "1", "2");
      assertThat(ids(late)).containsExactly("3", "4");
      assertThat(early.get(0).getEvent().getTopicPosition()).isEqualTo(1);
      assertThat(early.get(0).getAttempt()).isEqualTo(1);
      assertThat(early.get(0).getEvent().getTopic()).isEqualTo(GroupHarness.TOPIC);
      assertThat(late.get(1).getFencingToken()).isGreaterThan(early.get(0).getFencingToken());
      Group busy = groups().get();
      assertThat(busy.getOutstanding()).isEqualTo(5);
      assertThat(busy.getMembersList()).extracting(GroupMember::getOutstanding).containsExactly(5);
      for (GroupDelivery one : early) {
        assertThat(member.ack(one)).isEqualTo(SETTLE_OUTCOME_DONE);
      }
      // The same settlement again, by whatever way.
      assertThat(member.ack(early.get(1))).isEqualTo(SETTLE_OUTCOME_DONE);
      assertThat(groups().ack(early.get(2))).isEqualTo(SETTLE_OUTCOME_DONE);
      assertThat(groups().ack(late.get(0))).isEqualTo(SETTLE_OUTCOME_DONE);
      assertThat(groups().ack(late.get(1))).isEqualTo(SETTLE_OUTCOME_DONE);
      Group done = groups().get();
      assertThat(done.getOutstanding()).isZero();
      assertThat(done.getAcknowledgedCount()).isEqualTo(5);
      assertThat(done.getPosition()).isEqualTo(5);
      assertThat(done.getLag()).isZero();
    }
  }

  @Test
  default void noMoreComeThanThereAreCredits() {
    groups().publish(numbers(0, 10));
    groups().create(settings());
    try (GroupMemberDouble member = groups().join(groups().channelA(), "m", 2)) {
      List<GroupDelivery> first = member.deliveries(2);
      assertThat(groups().get().getLag()).isEqualTo(8);
      // A settlement gives a credit back; an extension does not.
      assertThat(member.settle(Settlement.newBuilder().addExtend(first.get(0).getDeliveryId())))
          .containsExactly(SETTLE_OUTCOME_DONE);
      member.ack(first.get(0));
      assertThat(ids(member.deliveries(1))).containsExactly("2");
      member.credits(3);
      assertThat(ids(member.deliveries(3))).containsExactly("3", "4", "5");
      member.next(MessageCase.PROGRESS);
      assertThat(member.unread()).isZero();
      assertThat(groups().get().getOutstanding()).isEqualTo(5);
    }
  }

  @Test
  default void eachEventGoesToOneMemberThoughThereAreTwoServers() {
    groups().create(settings());
    try (GroupMemberDouble one = groups().join(groups().channelA(), "one", 100);
        GroupMemberDouble two = groups().join(groups().channelB(), "two", 100)) {
      groups().publish(numbers(0, 60));
      List<String> all = new ArrayList<>();
      await().until(() -> one.unread() + two.unread() == 60);
      all.addAll(ids(one.deliveries(one.unread())));
      all.addAll(ids(two.deliveries(two.unread())));
      assertThat(all).containsExactlyInAnyOrder(numbers(0, 60));
    }
  }

  @Test
  default void whatIsNotSettledInTimeGoesToAnotherMember() {
    groups().create(settings().setAckDeadline(Durations.fromSeconds(1)));
    groups().publish("e");
    GroupDelivery first = groups().pull("a", 1).get(0);
    GroupDelivery second = groups().pullOne();
    assertThat(second.getAttempt()).isEqualTo(2);
    assertThat(second.getEvent()).isEqualTo(first.getEvent());
    assertThat(second.getFencingToken()).isGreaterThan(first.getFencingToken());
    assertThat(groups().ack(first)).isEqualTo(SETTLE_OUTCOME_STALE);
    assertThat(groups().ack(second)).isEqualTo(SETTLE_OUTCOME_DONE);
    assertThat(groups().ack(second)).isEqualTo(SETTLE_OUTCOME_DONE);
    assertThat(groups().ack(first)).isEqualTo(SETTLE_OUTCOME_STALE);
    assertThat(groups().get().getRedeliveredCount()).isEqualTo(1);
    assertThat(groups().get().getAcknowledgedCount()).isEqualTo(1);
  }

  @Test
  default void aLateSettlementCountsAsLongAsNobodyElseHasTheEvent() {
    groups().create(settings().setAckDeadline(Durations.fromSeconds(1)));
    groups().publish("e", "f");
    List<GroupDelivery> both = groups().pull("a", 2);
    await().until(() -> groups().get().getWaiting() == 2);
    assertThat(groups().ack(both.get(0))).isEqualTo(SETTLE_OUTCOME_DONE);
    assertThat(groups().settle(Settlement.newBuilder().addExtend(both.get(1).getDeliveryId())))
        .containsExactly(SETTLE_OUTCOME_DONE);
    assertThat(groups().get().getOutstanding()).isEqualTo(1);
    assertThat(groups().pull("b", 1)).isEmpty();
    assertThat(groups().ack(both.get(1))).isEqualTo(SETTLE_OUTCOME_DONE);
  }

  @Test
  default void anExtensionBeginsTheDeadlineAnew() {
    groups().create(settings().setAckDeadline(Durations.fromSeconds(1)));
    groups().publish("e");
    GroupDelivery held = groups().pull("a", 1).get(0);
    ListenableFuture<PullEventsResponse> other =
        groups()
            .pullLater(
                groups().channelB(),
                groups()
                    .pulling(GroupHarness.TOPIC, "b", 1)
                    .setWait(Durations.fromSeconds(20))
                    .build());
    Settlement.Builder extension = Settlement.newBuilder().addExtend(held.getDeliveryId());
    await()
        .pollInterval(Duration.ofMillis(200))
        .until(
            () -> {
              assertThat(groups().settle(extension)).containsExactly(SETTLE_OUTCOME_DONE);
              return Timestamps.comparator()
                      .compare(
                          Timestamps.add(held.getAckDeadline(), Durations.fromSeconds(1)),
                          Timestamps.fromMillis(java.lang.System.currentTimeMillis()))
                  < 0;
            });
    assertThat(other.isDone()).isFalse();
    assertThat(groups().ack(held)).isEqualTo(SETTLE_OUTCOME_DONE);
    other.cancel(true);
  }

  @Test
  default void whatIsGivenBackComesAgainAfterItsDelay() {
    groups().create(settings());
    groups().publish("e");
    GroupDelivery first = groups().pull("a", 1).get(0);
    long begun = java.lang.System.nanoTime();
    Settlement.Builder nack =
        Settlement.newBuilder()
            .addNack(
                Nack.newBuilder()
                    .setDeliveryId(first.getDeliveryId())
                    .setDelay(Durations.fromMillis(600))
                    .setReason("later"));
    assertThat(groups().settle(nack)).containsExactly(SETTLE_OUTCOME_DONE);
    assertThat(groups().settle(nack)).containsExactly(SETTLE_OUTCOME_DONE);
    assertThat(groups().ack(first)).isEqualTo(SETTLE_OUTCOME_STALE);
    assertThat(groups().get().getWaiting()).isEqualTo(1);
    GroupDelivery second = groups().pullOne();
    assertThat(TimeUnit.NANOSECONDS.toMillis(java.lang.System.nanoTime() - begun))
        .isBetween(550L, 5000L);
    assertThat(second.getAttempt()).isEqualTo(2);
    assertThat(groups().settle(nack)).containsExactly(SETTLE_OUTCOME_DONE);
    assertThat(groups().ack(second)).isEqualTo(SETTLE_OUTCOME_DONE);
  }

  @Test
  default void theRetryDelayDoubles() {
    groups().create(settings().setRetryDelay(Durations.fromMillis(300)));
    groups().publish("e");
    GroupDelivery delivery = groups().pull("a", 1).get(0);
    for (long wait : new long[] {300, 600}) {
      long begun = java.lang.System.nanoTime();
      groups()
          .settle(
              Settlement.newBuilder()
                  .addNack(Nack.newBuilder().setDeliveryId(delivery.getDeliveryId())));
      delivery = groups().pullOne();
      assertThat(TimeUnit.NANOSECONDS.toMillis(java.lang.System.nanoTime() - begun))
          .isBetween(wait - 50, wait + 4000);
    }
    groups().ack(delivery);
  }

  @Test
  default void aMemberThatLeavesGivesBackAtOnce() throws Exception {
    groups().create(settings());
    groups().publish(numbers(0, 3));
    try (GroupMemberDouble leaving = groups().join(groups().channelA(), "leaving", 3);
        GroupMemberDouble staying = groups().join(groups().channelB(), "staying", 0)) {
      assertThat(leaving.deliveries(3)).hasSize(3);
      staying.credits(10);
      leaving.halfClose();
      leaving.completed();
      List<GroupDelivery> again = staying.deliveries(3);
      assertThat(again).extracting(GroupDelivery::getAttempt).containsOnly(2);
      assertThat(groups().get().getMembersList())
          .extracting(GroupMember::getId)
          .containsExactly("staying");
      again.forEach(staying::ack);
    }
  }

  @Test
  default void aMemberThatJoinsAgainReplacesItsOlderStream() throws Exception {
    groups().create(settings());
    try (GroupMemberDouble older = groups().join(groups().channelA(), "m", 1)) {
      groups().publish("e");
      GroupDelivery held = older.delivery();
      try (GroupMemberDouble newer = groups().join(groups().channelB(), "m", 1)) {
        assertThat(Refusal.of(older.failure()).reason()).isEqualTo("SESSION_REPLACED");
        // What it held may be settled by its new stream.
        assertThat(newer.ack(held)).isEqualTo(SETTLE_OUTCOME_DONE);
        groups().publish("f");
        newer.ack(newer.delivery());
      }
    }
  }

  @Test
  default void aBrokenStreamsEventsGoToOthersAfterTheirDeadline() {
    groups().create(settings().setAckDeadline(Durations.fromSeconds(1)));
    groups().publish("e");
    try (GroupMemberDouble broken = groups().join(groups().channelA(), "broken", 1)) {
      assertThat(broken.delivery().getAttempt()).isEqualTo(1);
    }
    GroupDelivery again = groups().pullOne();
    assertThat(again.getAttempt()).isEqualTo(2);
    groups().ack(again);
  }

  @Test
  default void noMoreAreInFlightThanTheGroupWants() {
    groups().create(settings().setMaxOutstanding(3));
    groups().publish(numbers(0, 8));
    try (GroupMemberDouble member = groups().join(groups().channelA(), "m", 100)) {
      List<GroupDelivery> first = member.deliveries(3);
      member.next(MessageCase.PROGRESS);
      assertThat(member.unread()).isZero();
      first.forEach(member::ack);
      List<GroupDelivery> second = member.deliveries(3);
      assertThat(ids(second)).containsExactly("3", "4", "5");
      // Settled through the other server: the bell tells this one.
      second.forEach(groups()::ack);
      member.deliveries(2).forEach(groups()::ack);
    }
    assertThat(groups().get().getAcknowledgedCount()).isEqualTo(8);
  }

  @Test
  default void eventsOfOneKeyComeOneAfterTheOther() {
    groups().create(settings().setOrderedByKey(true));
    for (int i = 0; i < 3; i++) {
      for (String key : List.of("x", "y")) {
        groups()
            .publish(
                GroupHarness.TOPIC, Event.newBuilder().setId(key + i).setType("t").setKey(key));
      }
      groups().publish(GroupHarness.TOPIC, Event.newBuilder().setId("free" + i).setType("t"));
    }
    try (GroupMemberDouble member = groups().join(groups().channelA(), "m", 100)) {
      List<GroupDelivery> first = member.deliveries(5);
      assertThat(ids(first)).containsExactly("x0", "y0", "free0", "free1", "free2");
      assertThat(groups().get().getWaiting()).isEqualTo(4);
      member.settle(
          Settlement.newBuilder()
              .addNack(Nack.newBuilder().setDeliveryId(first.get(0).getDeliveryId())));
      GroupDelivery again = member.delivery();
      assertThat(again.getEvent().getEvent().getId()).isEqualTo("x0");
      member.ack(again);
      GroupDelivery x1 = member.delivery();
      assertThat(x1.getEvent().getEvent().getId()).isEqualTo("x1");
      assertThat(x1.getAttempt()).isEqualTo(1);
      // A dead one lets the next come, too.
      member.settle(
          Settlement.newBuilder()
              .addNack(Nack.newBuilder().setDeliveryId(x1.getDeliveryId()).setDead(true)));
      assertThat(ids(List.of(member.delivery()))).containsExactly("x2");
      first.subList(1, 5).forEach(member::ack);
      GroupDelivery y1 = member.delivery();
      assertThat(y1.getEvent().getEvent().getId()).isEqualTo("y1");
      groups().ack(y1);
      assertThat(ids(List.of(member.delivery()))).containsExactly("y2");
    }
  }

  @Test
  default void keysAreFreedThoughTheOrderIsNoLongerAskedFor() {
    groups().create(settings().setOrderedByKey(true));
    Event.Builder event = Event.newBuilder().setType("t").setKey("k");
    groups().publish(GroupHarness.TOPIC, event.setId("0"));
    groups().publish(GroupHarness.TOPIC, event.setId("1"));
    GroupDelivery first = groups().pull("m", 5).get(0);
    UpdateGroupRequest.Builder update =
        UpdateGroupRequest.newBuilder()
            .setNamespace(groups().namespace())
            .setTopic(GroupHarness.TOPIC)
            .setGroup(GroupHarness.GROUP)
            .setUpdateMask(FieldMask.newBuilder().addPaths("ordered_by_key"));
    groups().a().updateGroup(update.build());
    groups().publish(GroupHarness.TOPIC, event.setId("2"));
    assertThat(ids(groups().pull("m", 5))).containsExactly("2");
    groups().ack(first);
    groups().pull("m", 5).forEach(groups()::ack);
    groups().a().updateGroup(update.setSettings(settings().setOrderedByKey(true)).build());
    groups().publish(GroupHarness.TOPIC, event.setId("3"));
    assertThat(ids(groups().pull("m", 5))).containsExactly("3");
  }

  @Test
  default void theMemberWithTheFewestInFlightIsNext() {
    groups().create(settings());
    try (GroupMemberDouble one = groups().join(groups().channelA(), "one", 3)) {
      groups().publish(numbers(0, 3));
      one.deliveries(3);
      one.credits(10);
      try (GroupMemberDouble two = groups().join(groups().channelA(), "two", 10)) {
        for (int i = 3; i < 6; i++) {
          groups().publish(Integer.toString(i));
          assertThat(ids(List.of(two.delivery()))).containsExactly(Integer.toString(i));
        }
        assertThat(one.unread()).isZero();
      }
    }
  }

  @Test
  default void roundRobinTakesOneAfterTheOther() {
    groups().create(settings().setPolicy(DeliveryPolicy.DELIVERY_POLICY_ROUND_ROBIN));
    try (GroupMemberDouble one = groups().join(groups().channelA(), "one", 100);
        GroupMemberDouble two = groups().join(groups().channelA(), "two", 100)) {
      for (int i = 0; i < 8; i++) {
        int sent = i + 1;
        groups().publish(Integer.toString(i));
        await().until(() -> one.unread() + two.unread() == sent);
        assertThat(Math.abs(one.unread() - two.unread())).isLessThanOrEqualTo(1);
      }
    }
  }

  @Test
  default void onlyWhatTheFilterWantsComes() {
    groups()
        .create(
            settings()
                .setFilter(EventFilter.newBuilder().addTypes("order.*").setSubjectPrefix("eu/")));
    try (GroupMemberDouble member = groups().join(groups().channelA(), "m", 100)) {
      for (int i = 0; i < 200; i++) {
        groups()
            .publish(
                GroupHarness.TOPIC,
                Event.newBuilder()
                    .setId(Integer.toString(i))
                    .setType(i % 2 == 0 ? "order.placed" : "other")
                    .setSubject(i % 10 == 0 ? "eu/1" : "us/1"));
      }
      List<GroupDelivery> wanted = member.deliveries(20);
      assertThat(ids(wanted))
          .containsExactlyElementsOf(
              IntStream.range(0, 20).mapToObj(i -> Integer.toString(10 * i)).toList());
      wanted.forEach(member::ack);
    }
    await().until(() -> groups().get().getLag() == 0);
    Group group = groups().get();
    assertThat(group.getAcknowledgedCount()).isEqualTo(20);
    assertThat(group.getPosition()).isEqualTo(200);
  }

  @Test
  default void aRepeatedPullGetsTheSameDeliveries() {
    groups().create(settings());
    groups().publish(numbers(0, 4));
    PullEventsRequest call =
        groups().pulling(GroupHarness.TOPIC, "m", 2).setRequestId("once").build();
    PullEventsResponse first = groups().a().pullEvents(call);
    assertThat(first.getDeliveriesCount()).isEqualTo(2);
    assertThat(groups().b().pullEvents(call)).isEqualTo(first);
    assertThat(ids(groups().pull("m", 10))).containsExactly("2", "3");
    StatusRuntimeException reused =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> groups().a().pullEvents(call.toBuilder().setMaxEvents(3).build()));
    assertThat(Refusal.of(reused).reason()).isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  default void aPullWaitsForTheFirstEvent() throws Exception {
    groups().create(settings());
    ListenableFuture<PullEventsResponse> waiting =
        groups()
            .pullLater(
                groups().channelB(),
                groups()
                    .pulling(GroupHarness.TOPIC, "m", 5)
                    .setWait(Durations.fromSeconds(20))
                    .build());
    await().until(() -> groups().get().getMembersCount() == 1);
    assertThat(waiting.isDone()).isFalse();
    groups().publish("e");
    assertThat(ids(waiting.get(60, TimeUnit.SECONDS).getDeliveriesList())).containsExactly("e");
    PullEventsResponse none =
        groups()
            .a()
            .pullEvents(
                groups()
                    .pulling(GroupHarness.TOPIC, "m", 5)
                    .setWait(Durations.fromMillis(200))
                    .build());
    assertThat(none.getDeliveriesCount()).isZero();
  }

  @Test
  default void aMemberThatDoesNotReadIsSentNothingMore() throws Exception {
    groups().create(settings());
    String large = "x".repeat(200_000);
    for (int i = 0; i < 40; i++) {
      groups()
          .publish(
              GroupHarness.TOPIC, Event.newBuilder().setId("" + i).setType("t").setTextData(large));
    }
    try (GroupMemberDouble idle = new GroupMemberDouble(groups().channelA(), false)) {
      idle.send(
          dev.troupe.v1.ConsumeRequest.newBuilder()
              .setOpen(
                  dev.troupe.v1.ConsumeOpen.newBuilder()
                      .setNamespace(groups().namespace())
                      .setTopic(GroupHarness.TOPIC)
                      .setGroup(GroupHarness.GROUP)
                      .setMemberId("idle")
                      .setCredits(1000)));
      await().until(() -> groups().get().getOutstanding() > 0);
      await().during(Duration.ofSeconds(1)).until(() -> groups().get().getOutstanding() < 20);
      // The others are for one that reads.
      try (GroupMemberDouble busy = groups().join(groups().channelB(), "busy", 1000)) {
        int left = (int) groups().get().getLag();
        assertThat(busy.deliveries(Math.max(1, left))).isNotEmpty();
      }
    }
  }
}
