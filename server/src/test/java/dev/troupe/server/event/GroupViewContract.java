package dev.troupe.server.event;

import static dev.troupe.v1.SettleOutcome.SETTLE_OUTCOME_DONE;
import static dev.troupe.v1.SettleOutcome.SETTLE_OUTCOME_STALE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DeleteGroupRequest;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.DeliveryPolicy;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupMember;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.ListGroupsRequest;
import dev.troupe.v1.ListGroupsResponse;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.SeekGroupRequest;
import dev.troupe.v1.SettleEventsRequest;
import dev.troupe.v1.Settlement;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.TopicSettings;
import dev.troupe.v1.UpdateGroupRequest;
import dev.troupe.v1.UpdateTopicRequest;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How groups are made, looked at, changed, moved and deleted. */
interface GroupViewContract extends GroupContract {

  private static GroupSettings.Builder settings() {
    return GroupSettings.newBuilder();
  }

  private static String[] numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
  }

  private static List<String> ids(List<GroupDelivery> deliveries) {
    return deliveries.stream().map(one -> one.getEvent().getEvent().getId()).toList();
  }

  private SeekGroupRequest to(GroupStart.Builder start) {
    return SeekGroupRequest.newBuilder()
        .setNamespace(groups().namespace())
        .setTopic(GroupHarness.TOPIC)
        .setGroup(GroupHarness.GROUP)
        .setStart(start)
        .build();
  }

  @Test
  default void aGroupHasEveryDefaultFilledIn() {
    CreateGroupRequest.Builder request = groups().group(settings()).setRequestId("r");
    Group group = groups().a().createGroup(request.build()).getGroup();
    assertThat(group.getSettings().getAckDeadline()).isEqualTo(Durations.fromSeconds(30));
    assertThat(group.getSettings().getMaxDeliveries()).isEqualTo(5);
    assertThat(group.getSettings().getMaxOutstanding()).isEqualTo(10_000);
    assertThat(group.getSettings().getMemberTimeout()).isEqualTo(Durations.fromMinutes(5));
    assertThat(group.getSettings().getDeadLetterTopic()).isEqualTo("orders.dead");
    assertThat(group.getSettings().getPolicy())
        .isEqualTo(DeliveryPolicy.DELIVERY_POLICY_LEAST_OUTSTANDING);
    assertThat(group.getVersion()).isEqualTo(1);
    assertThat(groups().b().createGroup(request.build()).getGroup()).isEqualTo(group);
    // The same once more, said in full.
    assertThat(groups().create(group.getSettings().toBuilder())).isEqualTo(group);
    Refusal other = Refusal.of(() -> groups().create(settings().setMaxDeliveries(7)));
    assertThat(other.code()).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(other.reason()).isEqualTo("GROUP_EXISTS");
    Refusal reused =
        Refusal.of(
            () ->
                groups()
                    .a()
                    .createGroup(request.setSettings(settings().setMaxDeliveries(7)).build()));
    assertThat(reused.reason()).isEqualTo("REQUEST_ID_REUSED");
    assertThat(groups().get()).isEqualTo(group);
  }

  @Test
  default void aTopicThatBeginsWithItsGroupIsSaidToBeNew() {
    CreateGroupRequest.Builder request =
        CreateGroupRequest.newBuilder().setTopic("ordres").setGroup("billing").setRequestId("r");
    assertThat(groups().a().createGroup(request.build()).getTopicCreated()).isTrue();
    assertThat(groups().b().createGroup(request.build()).getTopicCreated())
        .as("a repeat gets the first answer")
        .isTrue();
    assertThat(groups().a().createGroup(request.setRequestId("").build()).getTopicCreated())
        .as("the group is there")
        .isFalse();
    assertThat(
            groups()
                .a()
                .createGroup(request.setGroup("other").setRequestId("o").build())
                .getTopicCreated())
        .as("the topic is there")
        .isFalse();
  }

  @Test
  default void allThatIsWrongIsToldAtOnce() {
    Refusal refusal =
        Refusal.of(
            () ->
                groups()
                    .a()
                    .createGroup(
                        CreateGroupRequest.newBuilder()
                            .setTopic("troupe.tasks")
                            .setSettings(
                                settings()
                                    .setAckDeadline(Durations.fromMillis(5))
                                    .setMaxDeliveries(1001)
                                    .setMaxOutstanding(-1)
                                    .setDeadLetterTopic("troupe.tasks")
                                    .setMemberTimeout(Durations.fromSeconds(1)))
                            .setStart(GroupStart.getDefaultInstance())
                            .build()));
    assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refusal.fields().keySet())
        .contains(
            "topic",
            "group",
            "settings.ack_deadline",
            "settings.max_deliveries",
            "settings.max_outstanding",
            "settings.dead_letter_topic",
            "settings.member_timeout",
            "start");
    Refusal settling =
        Refusal.of(() -> groups().settle(Settlement.newBuilder().addAck("nonsense")));
    assertThat(settling.fields()).containsKey("settlement.ack[0]");
  }

  @Test
  default void whatIsNotThereIsToldAsSuch() {
    Refusal get = Refusal.of(() -> groups().get());
    assertThat(get.code()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(get.reason()).isEqualTo("GROUP_NOT_FOUND");
    assertThat(Refusal.of(() -> groups().pull("m", 1)).reason()).isEqualTo("GROUP_NOT_FOUND");
    assertThat(Refusal.of(() -> list("", 0)).reason()).isEqualTo("TOPIC_NOT_FOUND");
  }

  private ListGroupsResponse list(String token, int size) {
    return groups()
        .b()
        .listGroups(
            ListGroupsRequest.newBuilder()
                .setNamespace(groups().namespace())
                .setTopic(GroupHarness.TOPIC)
                .setPageSize(size)
                .setPageToken(token)
                .build());
  }

  @Test
  default void groupsAreListedByName() {
    for (int i = 0; i < 5; i++) {
      groups().a().createGroup(groups().group(settings()).setGroup("g" + i).build());
    }
    List<String> names = new ArrayList<>();
    String token = "";
    do {
      ListGroupsResponse page = list(token, 2);
      page.getGroupsList().forEach(group -> names.add(group.getName()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    assertThat(names).containsExactly("g0", "g1", "g2", "g3", "g4");
  }

  @Test
  default void settingsChangeByTheirMaskAndVersion() {
    groups().create(settings().setMaxDeliveries(3));
    UpdateGroupRequest.Builder update =
        UpdateGroupRequest.newBuilder()
            .setNamespace(groups().namespace())
            .setTopic(GroupHarness.TOPIC)
            .setGroup(GroupHarness.GROUP)
            .setSettings(settings().setAckDeadline(Durations.fromSeconds(7)))
            .setUpdateMask(FieldMask.newBuilder().addPaths("ack_deadline"))
            .setExpectedVersion(1)
            .setRequestId("u");
    Group changed = groups().a().updateGroup(update.build()).getGroup();
    assertThat(changed.getVersion()).isEqualTo(2);
    assertThat(changed.getSettings().getAckDeadline()).isEqualTo(Durations.fromSeconds(7));
    assertThat(changed.getSettings().getMaxDeliveries()).isEqualTo(3);
    assertThat(groups().b().updateGroup(update.build()).getGroup()).isEqualTo(changed);
    Refusal stale = Refusal.of(() -> groups().a().updateGroup(update.setRequestId("").build()));
    assertThat(stale.reason()).isEqualTo("VERSION_MISMATCH");
    assertThat(stale.metadata()).containsEntry("current_version", "2");
    // What is not given falls back to its default.
    Group cleared =
        groups()
            .a()
            .updateGroup(
                update
                    .setExpectedVersion(0)
                    .setSettings(settings())
                    .setUpdateMask(FieldMask.newBuilder().addPaths("max_deliveries"))
                    .build())
            .getGroup();
    assertThat(cleared.getSettings().getMaxDeliveries()).isEqualTo(5);
  }

  @Test
  default void nothingIsLeftOfADeletedGroup() throws Exception {
    groups().create(settings());
    groups().publish("a", "b");
    try (GroupMemberDouble member = groups().join(groups().channelB(), "m", 1)) {
      GroupDelivery held = member.delivery();
      DeleteGroupRequest delete =
          DeleteGroupRequest.newBuilder()
              .setNamespace(groups().namespace())
              .setTopic(GroupHarness.TOPIC)
              .setGroup(GroupHarness.GROUP)
              .setRequestId("d")
              .build();
      groups().a().deleteGroup(delete);
      groups().b().deleteGroup(delete);
      assertThat(Refusal.of(member.failure()).reason()).isEqualTo("GROUP_NOT_FOUND");
      assertThat(Refusal.of(() -> groups().ack(held)).reason()).isEqualTo("GROUP_NOT_FOUND");
      groups().create(settings());
      assertThat(groups().ack(held)).isEqualTo(SETTLE_OUTCOME_STALE);
      assertThat(groups().get().getLag()).isEqualTo(2);
    }
  }

  @Test
  default void aGroupEndsWithItsTopic() throws Exception {
    groups().create(settings().setOrderedByKey(true));
    groups().publish("a", "b");
    try (GroupMemberDouble member = groups().join(groups().channelB(), "m", 1)) {
      GroupDelivery held = member.delivery();
      groups()
          .a()
          .deleteTopic(
              DeleteTopicRequest.newBuilder()
                  .setNamespace(groups().namespace())
                  .setTopic(GroupHarness.TOPIC)
                  .build());
      assertThat(Refusal.of(member.failure()).reason()).isEqualTo("GROUP_NOT_FOUND");
      assertThat(Refusal.of(() -> groups().ack(held)).reason()).isEqualTo("GROUP_NOT_FOUND");
    }
    groups().publish("c");
    assertThat(list("", 10).getGroupsList()).isEmpty();
    groups().create(settings());
    assertThat(ids(groups().pull("m", 10))).containsExactly("c");
  }

  @Test
  default void aMovedGroupForgetsWhatIsInFlight() {
    groups().create(settings().setOrderedByKey(true));
    for (int i = 0; i < 6; i++) {
      groups()
          .publish(
              GroupHarness.TOPIC,
              Event.newBuilder().setId("" + i).setType("t").setKey(i < 4 ? "k" : ""));
    }
    List<GroupDelivery> before = groups().pull("m", 10);
    assertThat(ids(before)).containsExactly("0", "4", "5");
    groups().ack(before.get(1));
    Group moved =
        groups()
            .a()
            .seekGroup(
                to(GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_BEGINNING)))
            .getGroup();
    assertThat(moved.getPosition()).isZero();
    assertThat(moved.getLag()).isEqualTo(6);
    assertThat(moved.getOutstanding() + moved.getWaiting()).isZero();
    assertThat(groups().ack(before.get(0))).isEqualTo(SETTLE_OUTCOME_STALE);
    assertThat(groups().ack(before.get(1))).isEqualTo(SETTLE_OUTCOME_STALE);
    List<GroupDelivery> again = groups().pull("m", 10);
    assertThat(ids(again)).containsExactly("0", "4", "5");
    for (int i = 1; i <= 6; i++) {
      Group at = groups().a().seekGroup(to(GroupStart.newBuilder().setTopicPosition(i))).getGroup();
      assertThat(at.getPosition()).isEqualTo(i);
      assertThat(at.getLag()).isEqualTo(6 - i);
    }
    groups()
        .a()
        .seekGroup(to(GroupStart.newBuilder().setTime(again.get(2).getEvent().getAcceptTime())));
    assertThat(ids(groups().pull("m", 10))).endsWith("5");
    groups()
        .a()
        .seekGroup(to(GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_NOW)));
    assertThat(groups().pull("m", 10)).isEmpty();
    groups().publish("6");
    assertThat(ids(groups().pull("m", 10))).containsExactly("6");
  }

  @Test
  default void aPullThatIsRepeatedAfterTheGroupWasMovedIsANewOne() {
    groups().create(settings());
    groups().publish("0", "1");
    PullEventsRequest request =
        groups().pulling(GroupHarness.TOPIC, "m", 1).setRequestId("once").build();
    GroupDelivery before = groups().a().pullEvents(request).getDeliveries(0);
    groups().a().seekGroup(to(GroupStart.newBuilder().setTopicPosition(1)));
    List<GroupDelivery> after = groups().a().pullEvents(request).getDeliveriesList();
    assertThat(ids(after)).containsExactly("1");
    assertThat(groups().b().pullEvents(request).getDeliveriesList()).isEqualTo(after);
    assertThat(groups().ack(before)).isEqualTo(SETTLE_OUTCOME_STALE);
    assertThat(groups().ack(after.get(0))).isEqualTo(SETTLE_OUTCOME_DONE);
  }

  @Test
  default void whatTheTopicHasNoMoreIsOver() throws IOException {
    groups().create(settings().setAckDeadline(Durations.fromSeconds(1)).setOrderedByKey(true));
    for (int i = 0; i < 3; i++) {
      groups()
          .publish(GroupHarness.TOPIC, Event.newBuilder().setId("" + i).setType("t").setKey("k"));
    }
    assertThat(ids(groups().pull("m", 10))).containsExactly("0");
    groups().redis(GroupHarness.TOPIC, "XTRIM", "ev:e:" + GroupHarness.TOPIC, "MAXLEN", "1");
    // The first two are gone, one in flight and one parked behind it; the third is not stuck.
    GroupDelivery third = groups().pullOne();
    assertThat(third.getEvent().getEvent().getId()).isEqualTo("2");
    assertThat(groups().ack(third)).isEqualTo(SETTLE_OUTCOME_DONE);
    Group group = groups().get();
    assertThat(group.getAcknowledgedCount()).isEqualTo(3);
    assertThat(group.getOutstanding() + group.getWaiting()).isZero();
  }

  @Test
  default void aLaterDeliverysTokenKeepsTheEarlierMemberFromWriting() {
    groups().create(settings().setAckDeadline(Durations.fromSeconds(1)));
    groups().publish("e");
    GroupDelivery first = groups().pull("a", 1).get(0);
    GroupDelivery second = groups().pullOne();
    String fence =
        "groups/"
            + GroupHarness.TOPIC
            + "/"
            + GroupHarness.GROUP
            + "/"
            + first.getEvent().getTopicPosition();
    SettleEventsRequest.Builder extend =
        SettleEventsRequest.newBuilder()
            .setNamespace(groups().namespace())
            .setTopic(GroupHarness.TOPIC)
            .setGroup(GroupHarness.GROUP)
            .setSettlement(Settlement.newBuilder().addExtend(second.getDeliveryId()));
    groups()
        .a()
        .settleEvents(
            extend
                .setFence(Fence.newBuilder().setName(fence).setToken(second.getFencingToken()))
                .build());
    Refusal stale =
        Refusal.of(
            () ->
                groups()
                    .b()
                    .settleEvents(
                        extend
                            .setFence(
                                Fence.newBuilder().setName(fence).setToken(first.getFencingToken()))
                            .build()));
    assertThat(stale.reason()).isEqualTo("STALE_FENCE");
    groups().ack(second);
  }

  @Test
  default void aSilentMemberIsForgotten() {
    groups().create(settings().setMemberTimeout(Durations.fromSeconds(10)));
    groups().pull("silent", 1);
    try (GroupMemberDouble there = groups().join(groups().channelA(), "there", 0)) {
      assertThat(groups().get().getMembersList())
          .extracting(GroupMember::getId)
          .containsExactly("silent", "there");
      await().until(() -> groups().get().getMembersCount() == 1);
      assertThat(groups().get().getMembers(0).getId()).isEqualTo("there");
      await().during(Duration.ofSeconds(3)).until(() -> groups().get().getMembersCount() == 1);
    }
  }

  @Test
  default void aGroupBeginsWithWhatComesUnlessToldOtherwise() {
    groups().publish(numbers(0, 3));
    groups().a().createGroup(groups().group(settings()).clearStart().build());
    assertThat(groups().pull("m", 10)).isEmpty();
    groups().publish("3");
    assertThat(ids(groups().pull("m", 10))).containsExactly("3");
  }

  @Test
  default void aGroupMadeAnewIsNotFilteredAsTheFormerOneOfItsNameWas() {
    groups()
        .create(
            settings().setFilter(dev.troupe.v1.EventFilter.newBuilder().addTypes("order.gone")));
    groups().publish("before");
    assertThat(groups().pull("m", 1)).isEmpty();
    groups()
        .b()
        .deleteGroup(
            DeleteGroupRequest.newBuilder()
                .setNamespace(groups().namespace())
                .setTopic(GroupHarness.TOPIC)
                .setGroup(GroupHarness.GROUP)
                .build());
    groups()
        .b()
        .createGroup(
            groups()
                .group(
                    settings()
                        .setFilter(dev.troupe.v1.EventFilter.newBuilder().addTypes("order.placed")))
                .build());
    // The server that it is pulled from knows the settings of the former one.
    assertThat(ids(groups().pull("m", 1))).containsExactly("before");
  }

  @Test
  default void whatItsTopicLostIsNoLag() {
    groups()
        .a()
        .createTopic(
            CreateTopicRequest.newBuilder()
                .setNamespace(groups().namespace())
                .setTopic(GroupHarness.TOPIC)
                .setSettings(TopicSettings.newBuilder().setMaxEvents(5))
                .build());
    groups().create(settings());
    groups().publish(numbers(0, 8));
    assertThat(groups().get().getLag()).isEqualTo(5);
    groups()
        .a()
        .updateTopic(
            UpdateTopicRequest.newBuilder()
                .setNamespace(groups().namespace())
                .setTopic(GroupHarness.TOPIC)
                .setUpdateMask(FieldMask.newBuilder().addPaths("max_age"))
                .setSettings(TopicSettings.newBuilder().setMaxAge(Durations.fromSeconds(1)))
                .build());
    await().until(() -> groups().get().getLag() == 0);
    assertThat(groups().pull("m", 1)).isEmpty();
    groups().publish("8");
    assertThat(groups().get().getLag()).isEqualTo(1);
    assertThat(ids(groups().pull("m", 10))).containsExactly("8");
    assertThat(groups().get().getLag()).isZero();
  }
}
