package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.FieldMaskUtil;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.outbox.Outbox;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.CreateGroupResponse;
import dev.troupe.v1.DeleteGroupRequest;
import dev.troupe.v1.DeleteGroupResponse;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.GetGroupResponse;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.ListGroupsRequest;
import dev.troupe.v1.ListGroupsResponse;
import dev.troupe.v1.Nack;
import dev.troupe.v1.RedriveEventsRequest;
import dev.troupe.v1.RedriveEventsResponse;
import dev.troupe.v1.SeekGroupRequest;
import dev.troupe.v1.SeekGroupResponse;
import dev.troupe.v1.SettleEventsRequest;
import dev.troupe.v1.SettleEventsResponse;
import dev.troupe.v1.SettleOutcomes;
import dev.troupe.v1.Settlement;
import dev.troupe.v1.UpdateGroupRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** The calls about consumer groups, each checked before. */
final class GroupCalls {

  private static final int GROUPS = 50;

  /** Of those who change a group at the same time one wins each time. */
  private static final int TRIES = 20;

  private static final FieldMaskUtil.MergeOptions CLEAR_WHAT_IS_EMPTY =
      new FieldMaskUtil.MergeOptions()
          .setReplaceMessageFields(true)
          .setReplaceRepeatedFields(true)
          .setReplacePrimitiveFields(true);

  private final GroupStore store;
  private final GroupDispatchers dispatchers;
  private final Outbox outbox;

  @Inject
  GroupCalls(GroupStore store, GroupDispatchers dispatchers, Outbox outbox) {
    this.store = store;
    this.dispatchers = dispatchers;
    this.outbox = outbox;
  }

  private CompletionStage<GroupId> locate(String namespace, String topic, String group) {
    return store.locate(Names.namespace(namespace), topic, group);
  }

  CompletionStage<CreateGroupResponse> create(CreateGroupRequest request) {
    GroupChecks.create(request);
    GroupStore.Call call =
        new GroupStore.Call(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    GroupSettings settings = GroupDefaults.complete(request.getTopic(), request.getSettings());
    return locate(request.getNamespace(), request.getTopic(), request.getGroup())
        .thenCompose(id -> store.create(id, settings, request.getStart(), call))
        .thenApply(
            created ->
                CreateGroupResponse.newBuilder()
                    .setGroup(created.group())
                    .setTopicCreated(created.topicToo())
                    .build());
  }

  CompletionStage<Group> update(UpdateGroupRequest request) {
    GroupChecks.update(request);
    return locate(request.getNamespace(), request.getTopic(), request.getGroup())
        .thenCompose(id -> update(id, request, 1));
  }

  private CompletionStage<Group> update(GroupId id, UpdateGroupRequest request, int attempt) {
    GroupStore.Call call =
        new GroupStore.Call(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    boolean any = request.getExpectedVersion() == 0;
    return store
        .get(id)
        .thenCompose(
            group -> {
              GroupSettings.Builder changed = group.getSettings().toBuilder();
              FieldMaskUtil.merge(
                  request.getUpdateMask(), request.getSettings(), changed, CLEAR_WHAT_IS_EMPTY);
              return store.update(
                  id,
                  GroupDefaults.complete(id.topic(), changed.build()),
                  any ? group.getVersion() : request.getExpectedVersion(),
                  call);
            })
        .exceptionallyCompose(
            failure ->
                any && attempt < TRIES && isMismatch(failure)
                    ? update(id, request, attempt + 1)
                    : CompletableFuture.failedFuture(failure));
  }

  private static boolean isMismatch(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof TroupeException refusal
        && refusal.reason() == ErrorReason.ERROR_REASON_VERSION_MISMATCH;
  }

  CompletionStage<GetGroupResponse> get(GetGroupRequest request) {
    GroupChecks.get(request);
    return locate(request.getNamespace(), request.getTopic(), request.getGroup())
        .thenCompose(store::get)
        .thenApply(group -> GetGroupResponse.newBuilder().setGroup(group).build());
  }

  CompletionStage<ListGroupsResponse> list(ListGroupsRequest request) {
    GroupChecks.list(request);
    String namespace = Names.namespace(request.getNamespace());
    String arguments = String.join("\n", "groups", namespace, request.getTopic());
    String after = PageTokens.read(arguments, request.getPageToken());
    int most =
        Math.min(
            GroupStore.MOST_PER_SCRIPT,
            request.getPageSize() == 0 ? GROUPS : request.getPageSize());
    return locate(namespace, request.getTopic(), "")
        .thenCompose(id -> store.list(id.partition(), request.getTopic(), after, most))
        .thenApply(
            page -> {
              ListGroupsResponse.Builder response =
                  ListGroupsResponse.newBuilder().addAllGroups(page.groups());
              if (page.more() && !page.groups().isEmpty()) {
                String last = page.groups().get(page.groups().size() - 1).getName();
                response.setNextPageToken(PageTokens.make(arguments, last));
              }
              return response.build();
            });
  }

  CompletionStage<DeleteGroupResponse> delete(DeleteGroupRequest request) {
    GroupChecks.delete(request);
    GroupStore.Call call =
        new GroupStore.Call(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    return locate(request.getNamespace(), request.getTopic(), request.getGroup())
        .thenCompose(id -> store.delete(id, call))
        .thenApply(deleted -> DeleteGroupResponse.getDefaultInstance());
  }

  CompletionStage<SeekGroupResponse> seek(SeekGroupRequest request) {
    GroupChecks.seek(request);
    GroupStore.Call call =
        new GroupStore.Call(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    return locate(request.getNamespace(), request.getTopic(), request.getGroup())
        .thenCompose(id -> store.seek(id, request.getStart(), call))
        .thenApply(group -> SeekGroupResponse.newBuilder().setGroup(group).build());
  }

  CompletionStage<RedriveEventsResponse> redrive(RedriveEventsRequest request) {
    GroupChecks.redrive(request);
    GroupStore.Call call =
        new GroupStore.Call(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    return locate(request.getNamespace(), request.getTopic(), request.getGroup())
        .thenCompose(id -> store.redrive(id, request.getTopicPositionsList(), call))
        .thenApply(
            redriven ->
                RedriveEventsResponse.newBuilder()
                    .setRedriven(redriven.count())
                    .setMore(redriven.more())
                    .build());
  }

  CompletionStage<SettleEventsResponse> settle(SettleEventsRequest request) {
    GroupChecks.settle(request);
    return locate(request.getNamespace(), request.getTopic(), request.getGroup())
        .thenCompose(
            id -> {
              List<Settling> all = settlings(request.getSettlement());
              return request.hasFence() ? settleInTurn(id, all, request) : settle(id, all);
            })
        .thenApply(outcomes -> SettleEventsResponse.newBuilder().setOutcomes(outcomes).build());
  }

  /** Those of a settlement in the order of its outcomes. */
  static List<Settling> settlings(Settlement settlement) {
    List<Settling> all = new ArrayList<>();
    settlement.getAckList().forEach(id -> all.add(Settling.of(Settling.Kind.ACK, id)));
    for (Nack nack : settlement.getNackList()) {
      all.add(
          new Settling(
              nack.getDead() ? Settling.Kind.DEAD : Settling.Kind.NACK,
              DeliveryId.parse(nack.getDeliveryId()),
              nack.hasDelay() ? Durations.toMicros(nack.getDelay()) : -1,
              nack.getReason()));
    }
    settlement.getExtendList().forEach(id -> all.add(Settling.of(Settling.Kind.EXTEND, id)));
    return all;
  }

  private static List<List<Settling>> chunks(List<Settling> all) {
    List<List<Settling>> chunks = new ArrayList<>();
    for (int from = 0; from < all.size(); from += GroupStore.MOST_PER_SCRIPT) {
      chunks.add(all.subList(from, Math.min(all.size(), from + GroupStore.MOST_PER_SCRIPT)));
    }
    return chunks;
  }

  /** Settles deliveries, in shared scripts with others of the group. */
  CompletionStage<SettleOutcomes> settle(GroupId id, List<Settling> all) {
    CompletionStage<SettleOutcomes.Builder> outcomes =
        CompletableFuture.completedFuture(SettleOutcomes.newBuilder());
    for (List<Settling> chunk : chunks(all)) {
      outcomes =
          outcomes.thenCombine(store.settle(id, chunk), (so, settled) -> add(id, so, settled));
    }
    return outcomes.thenApply(SettleOutcomes.Builder::build);
  }

  /** One chunk after the other, so that what a fence stops is the end of it. */
  private CompletionStage<SettleOutcomes> settleInTurn(
      GroupId id, List<Settling> all, SettleEventsRequest request) {
    CompletionStage<SettleOutcomes.Builder> outcomes =
        CompletableFuture.completedFuture(SettleOutcomes.newBuilder());
    for (List<Settling> chunk : chunks(all)) {
      outcomes =
          outcomes.thenCompose(
              so ->
                  store
                      .settle(id, chunk, request.getFence())
                      .thenApply(settled -> add(id, so, settled)));
    }
    return outcomes.thenApply(SettleOutcomes.Builder::build);
  }

  private SettleOutcomes.Builder add(
      GroupId id, SettleOutcomes.Builder outcomes, GroupStore.Settled settled) {
    if (settled.ready()) {
      dispatchers.ring(id);
    }
    if (settled.laidOut()) {
      outbox.written(id.partition());
    }
    return outcomes.addAllOutcomes(settled.outcomes());
  }
}
