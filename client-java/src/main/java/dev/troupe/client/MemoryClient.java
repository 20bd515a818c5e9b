package dev.troupe.client;

import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.CreateSpaceResponse;
import dev.troupe.v1.DeleteMemoriesRequest;
import dev.troupe.v1.DeleteMemoriesResponse;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.ForgetMemoriesResponse;
import dev.troupe.v1.GetMemoryRequest;
import dev.troupe.v1.GetMemoryResponse;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GetWindowResponse;
import dev.troupe.v1.ListMemoriesRequest;
import dev.troupe.v1.ListMemoriesResponse;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.MemoryTier;
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
import dev.troupe.v1.UpdateMemoryRequest;
import dev.troupe.v1.UpdateMemoryResponse;
import dev.troupe.v1.WatchMemoryRequest;
import dev.troupe.v1.WatchMemoryResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Memory, asynchronously. A future fails with {@link TroupeClientException}. Limits, defaults and
 * errors are those of {@code MemoryService}.
 */
public final class MemoryClient {

  private final ClientRuntime runtime;

  MemoryClient(ClientRuntime runtime) {
    this.runtime = runtime;
  }

  /** Creates a space with settings of its own; one without any begins with its first item. */
  public CompletableFuture<MemorySpace> createSpace(CreateSpaceRequest request) {
    return runtime
        .call(MemoryServiceGrpc.getCreateSpaceMethod(), request)
        .thenApply(CreateSpaceResponse::getSpace);
  }

  /** Puts a text. */
  public CompletableFuture<PutMemoryResponse> put(String space, String text, MemoryTier tier) {
    return put(
        PutMemoryRequest.newBuilder()
            .setSpace(space)
            .setItem(
                MemoryPut.newBuilder()
                    .setContent(MemoryContent.newBuilder().setText(text))
                    .setTier(tier))
            .build());
  }

  /** The same with all that the contract offers. */
  public CompletableFuture<PutMemoryResponse> put(PutMemoryRequest request) {
    return runtime.call(MemoryServiceGrpc.getPutMemoryMethod(), request);
  }

  /** Puts many, each with an outcome of its own. */
  public CompletableFuture<PutMemoriesResponse> putAll(PutMemoriesRequest request) {
    return runtime.call(MemoryServiceGrpc.getPutMemoriesMethod(), request);
  }

  /** Reads one item, which counts. */
  public CompletableFuture<MemoryItem> get(String space, String itemId) {
    return runtime
        .call(
            MemoryServiceGrpc.getGetMemoryMethod(),
            GetMemoryRequest.newBuilder().setSpace(space).setItemId(itemId).build())
        .thenApply(GetMemoryResponse::getItem);
  }

  /** Lists items that match; one page. */
  public CompletableFuture<ListMemoriesResponse> list(ListMemoriesRequest request) {
    return runtime.call(MemoryServiceGrpc.getListMemoriesMethod(), request);
  }

  /** Finds what answers best. */
  public CompletableFuture<SearchMemoryResponse> search(SearchMemoryRequest request) {
    return runtime.call(MemoryServiceGrpc.getSearchMemoryMethod(), request);
  }

  /** Changes the fields of an item that the mask names. */
  public CompletableFuture<UpdateMemoryResponse> update(UpdateMemoryRequest request) {
    return runtime.call(MemoryServiceGrpc.getUpdateMemoryMethod(), request);
  }

  /** Moves an item to another tier. */
  public CompletableFuture<MemoryItem> promote(String space, String itemId, MemoryTier tier) {
    return runtime
        .call(
            MemoryServiceGrpc.getPromoteMemoryMethod(),
            PromoteMemoryRequest.newBuilder()
                .setSpace(space)
                .setItemId(itemId)
                .setTier(tier)
                .build())
        .thenApply(PromoteMemoryResponse::getItem);
  }

  /** Forgets up to 64 items; yields the ids of those that were there. */
  public CompletableFuture<List<String>> forget(String space, List<String> itemIds) {
    return runtime
        .call(
            MemoryServiceGrpc.getForgetMemoriesMethod(),
            ForgetMemoriesRequest.newBuilder().setSpace(space).addAllItemIds(itemIds).build())
        .thenApply(ForgetMemoriesResponse::getForgottenList);
  }

  /** Deletes what matches. */
  public CompletableFuture<DeleteMemoriesResponse> delete(DeleteMemoriesRequest request) {
    return runtime.call(MemoryServiceGrpc.getDeleteMemoriesMethod(), request);
  }

  /** Appends turns to a conversation, once, however often the call has to be repeated. */
  public CompletableFuture<AppendTurnsResponse> append(AppendTurnsRequest request) {
    return runtime.call(MemoryServiceGrpc.getAppendTurnsMethod(), request);
  }

  /** The last turns of a conversation with the summary so far. */
  public CompletableFuture<GetWindowResponse> window(GetWindowRequest request) {
    return runtime.call(MemoryServiceGrpc.getGetWindowMethod(), request);
  }

  /** Sets the summary of a conversation. */
  public CompletableFuture<SetSummaryResponse> setSummary(SetSummaryRequest request) {
    return runtime.call(MemoryServiceGrpc.getSetSummaryMethod(), request);
  }

  /**
   * Watches spaces, and goes on across lost connections until it is closed.
   *
   * @param listener gets each response that has a change or reports missed ones
   */
  public Subscription watch(WatchMemoryRequest request, Consumer<WatchMemoryResponse> listener) {
    return new ResumingStream<WatchMemoryRequest, WatchMemoryResponse>(
            runtime,
            MemoryServiceGrpc.getWatchMemoryMethod(),
            token -> token.isEmpty() ? request : request.toBuilder().setResumeToken(token).build(),
            request.getResumeToken(),
            (stream, response) -> {
              if (response.hasChange() || response.getMissed() > 0) {
                listener.accept(response);
              }
              return response.getResumeToken();
            })
        .open();
  }
}
