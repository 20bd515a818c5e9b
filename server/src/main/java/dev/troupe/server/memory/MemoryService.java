package dev.troupe.server.memory;

import static dev.troupe.server.grpc.Answers.answer;

import com.google.inject.Inject;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.CreateSpaceResponse;
import dev.troupe.v1.DeleteConversationRequest;
import dev.troupe.v1.DeleteConversationResponse;
import dev.troupe.v1.DeleteMemoriesRequest;
import dev.troupe.v1.DeleteMemoriesResponse;
import dev.troupe.v1.DeleteSpaceRequest;
import dev.troupe.v1.DeleteSpaceResponse;
import dev.troupe.v1.Fence;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.ForgetMemoriesResponse;
import dev.troupe.v1.GetMemoriesRequest;
import dev.troupe.v1.GetMemoriesResponse;
import dev.troupe.v1.GetMemoryDefaultsRequest;
import dev.troupe.v1.GetMemoryDefaultsResponse;
import dev.troupe.v1.GetMemoryRequest;
import dev.troupe.v1.GetMemoryResponse;
import dev.troupe.v1.GetSpaceRequest;
import dev.troupe.v1.GetSpaceResponse;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GetWindowResponse;
import dev.troupe.v1.ListConversationsRequest;
import dev.troupe.v1.ListConversationsResponse;
import dev.troupe.v1.ListMemoriesRequest;
import dev.troupe.v1.ListMemoriesResponse;
import dev.troupe.v1.ListSpacesRequest;
import dev.troupe.v1.ListSpacesResponse;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.PromoteMemoryRequest;
import dev.troupe.v1.PromoteMemoryResponse;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoriesResponse;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SearchMemoryResponse;
import dev.troupe.v1.SetSummaryRequest;
import dev.troupe.v1.SetSummaryResponse;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import dev.troupe.v1.UpdateMemoryDefaultsResponse;
import dev.troupe.v1.UpdateMemoryRequest;
import dev.troupe.v1.UpdateMemoryResponse;
import dev.troupe.v1.UpdateSpaceRequest;
import dev.troupe.v1.UpdateSpaceResponse;
import dev.troupe.v1.WatchMemoryRequest;
import dev.troupe.v1.WatchMemoryResponse;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** The gRPC face of the memory: check, call, answer. */
final class MemoryService extends MemoryServiceGrpc.MemoryServiceImplBase {

  private static final int CONVERSATIONS = 100;

  private final SpaceStore spaces;
  private final SpaceChanges spaceChanges;
  private final SpaceListing spaceListing;
  private final NamespaceDefaults defaults;
  private final MemoryStore store;
  private final MemoryPuts puts;
  private final MemoryReads reads;
  private final MemoryChanges changes;
  private final ConversationStore conversations;
  private final MemoryWatching watching;
  private final MemoryIndexes indexes;
  private final MemorySearch search;

  @Inject
  MemoryService(
      SpaceStore spaces,
      SpaceChanges spaceChanges,
      SpaceListing spaceListing,
      NamespaceDefaults defaults,
      MemoryStore store,
      MemoryPuts puts,
      MemoryReads reads,
      MemoryChanges changes,
      ConversationStore conversations,
      MemoryWatching watching,
      MemoryIndexes indexes,
      MemorySearch search) {
    this.spaces = spaces;
    this.spaceChanges = spaceChanges;
    this.spaceListing = spaceListing;
    this.defaults = defaults;
    this.store = store;
    this.puts = puts;
    this.reads = reads;
    this.changes = changes;
    this.conversations = conversations;
    this.watching = watching;
    this.indexes = indexes;
    this.search = search;
  }

  private static Guard guard(Fence fence, String requestId, Message request) {
    return new Guard(fence, requestId, RequestDigest.of(requestId, request));
  }

  @Override
  public void createSpace(CreateSpaceRequest request, StreamObserver<CreateSpaceResponse> caller) {
    answer(
        caller,
        () -> {
          SpaceChecks.create(request);
          return spaceChanges
              .create(request)
              .thenApply(space -> CreateSpaceResponse.newBuilder().setSpace(space).build());
        });
  }

  @Override
  public void updateSpace(UpdateSpaceRequest request, StreamObserver<UpdateSpaceResponse> caller) {
    answer(
        caller,
        () -> {
          SpaceChecks.update(request);
          return spaceChanges
              .update(request)
              .thenApply(space -> UpdateSpaceResponse.newBuilder().setSpace(space).build());
        });
  }

  @Override
  public void getSpace(GetSpaceRequest request, StreamObserver<GetSpaceResponse> caller) {
    answer(
        caller,
        () -> {
          new Checks().namespace(request.getNamespace()).name("space", request.getSpace()).done();
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(
                  partition ->
                      spaces
                          .get(partition, request.getSpace())
                          .thenApply(
                              space ->
                                  GetSpaceResponse.newBuilder()
                                      .setSpace(
                                          space.toBuilder()
                                              .setIndex(
                                                  indexes.state(
                                                      partition,
                                                      request.getSpace(),
                                                      space.getItems())))
                                      .build()));
        });
  }

  @Override
  public void listSpaces(ListSpacesRequest request, StreamObserver<ListSpacesResponse> caller) {
    answer(
        caller,
        () -> {
          SpaceChecks.list(request);
          return spaceListing.list(request);
        });
  }

  @Override
  public void deleteSpace(DeleteSpaceRequest request, StreamObserver<DeleteSpaceResponse> caller) {
    answer(
        caller,
        () -> {
          SpaceChecks.delete(request);
          Guard guard = guard(request.getFence(), request.getRequestId(), request);
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(partition -> spaces.delete(partition, request.getSpace(), guard))
              .thenApply(
                  deleted ->
                      DeleteSpaceResponse.newBuilder()
                          .setDeleted(deleted.there())
                          .setItems(deleted.items())
                          .setRevision(deleted.revision())
                          .build());
        });
  }

  @Override
  public void getMemoryDefaults(
      GetMemoryDefaultsRequest request, StreamObserver<GetMemoryDefaultsResponse> caller) {
    answer(
        caller,
        () -> {
          new Checks().namespace(request.getNamespace()).done();
          return defaults
              .get(request.getNamespace())
              .thenApply(
                  found -> GetMemoryDefaultsResponse.newBuilder().setDefaults(found).build());
        });
  }

  @Override
  public void updateMemoryDefaults(
      UpdateMemoryDefaultsRequest request, StreamObserver<UpdateMemoryDefaultsResponse> caller) {
    answer(
        caller,
        () -> {
          SpaceChecks.defaults(request);
          return defaults
              .update(request)
              .thenApply(
                  changed ->
                      UpdateMemoryDefaultsResponse.newBuilder().setDefaults(changed).build());
        });
  }

  @Override
  public void putMemory(PutMemoryRequest request, StreamObserver<PutMemoryResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.put(request);
          return puts.put(request);
        });
  }

  @Override
  public void putMemories(PutMemoriesRequest request, StreamObserver<PutMemoriesResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.putAll(request);
          return puts.putAll(request);
        });
  }

  @Override
  public void getMemory(GetMemoryRequest request, StreamObserver<GetMemoryResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.get(request);
          return reads
              .get(request)
              .thenApply(item -> GetMemoryResponse.newBuilder().setItem(item).build());
        });
  }

  @Override
  public void getMemories(GetMemoriesRequest request, StreamObserver<GetMemoriesResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.getAll(request);
          return reads.getAll(request);
        });
  }

  @Override
  public void listMemories(
      ListMemoriesRequest request, StreamObserver<ListMemoriesResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.list(request);
          return reads.list(request);
        });
  }

  @Override
  public void updateMemory(
      UpdateMemoryRequest request, StreamObserver<UpdateMemoryResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.update(request);
          return changes
              .update(request)
              .thenApply(
                  written ->
                      UpdateMemoryResponse.newBuilder()
                          .setItem(written.said().toItem(request.getItem().getItemId()))
                          .setRevision(written.revision())
                          .build());
        });
  }

  @Override
  public void promoteMemory(
      PromoteMemoryRequest request, StreamObserver<PromoteMemoryResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.promote(request);
          Guard guard = guard(request.getFence(), request.getRequestId(), request);
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(
                  partition ->
                      store.promote(
                          partition,
                          request.getSpace(),
                          request.getItemId(),
                          request.getExpectedVersion(),
                          request.getTier(),
                          Durations.toMicros(request.getLifetime()),
                          guard))
              .thenApply(
                  written ->
                      PromoteMemoryResponse.newBuilder()
                          .setItem(written.said().toItem(request.getItemId()))
                          .setRevision(written.revision())
                          .build());
        });
  }

  @Override
  public void forgetMemories(
      ForgetMemoriesRequest request, StreamObserver<ForgetMemoriesResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.forget(request);
          Guard guard = guard(request.getFence(), request.getRequestId(), request);
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(
                  partition ->
                      store.forget(partition, request.getSpace(), request.getItemIdsList(), guard))
              .thenApply(
                  forgotten ->
                      ForgetMemoriesResponse.newBuilder()
                          .addAllForgotten(forgotten.ids())
                          .setRevision(forgotten.revision())
                          .build());
        });
  }

  @Override
  public void deleteMemories(
      DeleteMemoriesRequest request, StreamObserver<DeleteMemoriesResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.delete(request);
          return changes.delete(request);
        });
  }

  @Override
  public void searchMemory(
      SearchMemoryRequest request, StreamObserver<SearchMemoryResponse> caller) {
    answer(
        caller,
        () -> {
          MemoryChecks.search(request);
          return search.search(request, Context.current());
        });
  }

  @Override
  public void watchMemory(WatchMemoryRequest request, StreamObserver<WatchMemoryResponse> caller) {
    try {
      SpaceChecks.watch(request);
    } catch (TroupeException refusal) {
      caller.onError(StatusMapper.toStatus(refusal));
      return;
    }
    watching.watch(request, (ServerCallStreamObserver<WatchMemoryResponse>) caller);
  }

  @Override
  public void appendTurns(AppendTurnsRequest request, StreamObserver<AppendTurnsResponse> caller) {
    answer(
        caller,
        () -> {
          ConversationChecks.append(request);
          Guard guard = guard(request.getFence(), request.getRequestId(), request);
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(partition -> conversations.append(partition, request, guard))
              .thenApply(
                  appended ->
                      AppendTurnsResponse.newBuilder()
                          .setFirstTurn(appended.first())
                          .setLastTurn(appended.last())
                          .addAllEvicted(appended.evictedIds())
                          .setRevision(appended.revision())
                          .build());
        });
  }

  @Override
  public void getWindow(GetWindowRequest request, StreamObserver<GetWindowResponse> caller) {
    answer(
        caller,
        () -> {
          ConversationChecks.window(request);
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(partition -> conversations.window(partition, request));
        });
  }

  @Override
  public void setSummary(SetSummaryRequest request, StreamObserver<SetSummaryResponse> caller) {
    answer(
        caller,
        () -> {
          ConversationChecks.summary(request);
          Guard guard = guard(request.getFence(), request.getRequestId(), request);
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(partition -> conversations.setSummary(partition, request, guard))
              .thenApply(
                  set ->
                      SetSummaryResponse.newBuilder()
                          .setSummary(set.summary())
                          .setRevision(set.revision())
                          .build());
        });
  }

  @Override
  public void listConversations(
      ListConversationsRequest request, StreamObserver<ListConversationsResponse> caller) {
    answer(
        caller,
        () -> {
          ConversationChecks.list(request);
          String namespace = Names.namespace(request.getNamespace());
          String arguments =
              String.join(
                  "\n", "conversations", namespace, request.getSpace(), request.getPrefix());
          String after = PageTokens.read(arguments, request.getPageToken());
          int most = request.getPageSize() == 0 ? CONVERSATIONS : request.getPageSize();
          return spaces
              .locate(namespace, request.getSpace())
              .thenCompose(
                  partition ->
                      conversations.list(
                          partition, request.getSpace(), request.getPrefix(), after, most))
              .thenApply(
                  page ->
                      ListConversationsResponse.newBuilder()
                          .addAllConversations(page.conversations())
                          .setNextPageToken(
                              page.next().isEmpty() ? "" : PageTokens.make(arguments, page.next()))
                          .build());
        });
  }

  @Override
  public void deleteConversation(
      DeleteConversationRequest request, StreamObserver<DeleteConversationResponse> caller) {
    answer(
        caller,
        () -> {
          ConversationChecks.delete(request);
          Guard guard = guard(request.getFence(), request.getRequestId(), request);
          return spaces
              .locate(Names.namespace(request.getNamespace()), request.getSpace())
              .thenCompose(
                  partition ->
                      conversations.delete(
                          partition, request.getSpace(), request.getConversation(), guard))
              .thenApply(
                  deleted ->
                      DeleteConversationResponse.newBuilder()
                          .setDeleted(deleted.there())
                          .setRevision(deleted.revision())
                          .build());
        });
  }
}
