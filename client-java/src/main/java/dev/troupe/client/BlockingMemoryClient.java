package dev.troupe.client;

import static dev.troupe.client.Blocking.await;

import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GetWindowResponse;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SearchMemoryResponse;
import java.util.List;

/** {@link MemoryClient} for callers who wait. Every call throws {@link TroupeClientException}. */
public final class BlockingMemoryClient {

  private final MemoryClient memory;

  BlockingMemoryClient(MemoryClient memory) {
    this.memory = memory;
  }

  /** See {@link MemoryClient#put(String, String, MemoryTier)}. */
  public PutMemoryResponse put(String space, String text, MemoryTier tier) {
    return await(memory.put(space, text, tier));
  }

  /** See {@link MemoryClient#put(PutMemoryRequest)}. */
  public PutMemoryResponse put(PutMemoryRequest request) {
    return await(memory.put(request));
  }

  /** See {@link MemoryClient#get}. */
  public MemoryItem get(String space, String itemId) {
    return await(memory.get(space, itemId));
  }

  /** See {@link MemoryClient#search}. */
  public SearchMemoryResponse search(SearchMemoryRequest request) {
    return await(memory.search(request));
  }

  /** See {@link MemoryClient#forget}. */
  public List<String> forget(String space, List<String> itemIds) {
    return await(memory.forget(space, itemIds));
  }

  /** See {@link MemoryClient#append}. */
  public AppendTurnsResponse append(AppendTurnsRequest request) {
    return await(memory.append(request));
  }

  /** See {@link MemoryClient#window}. */
  public GetWindowResponse window(GetWindowRequest request) {
    return await(memory.window(request));
  }
}
