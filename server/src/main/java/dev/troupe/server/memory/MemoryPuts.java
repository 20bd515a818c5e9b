package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoriesResponse;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.PutOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Puts items: one, or many in as many scripts as their number and size ask for. */
final class MemoryPuts {

  private static final int SCRIPT_BYTES = 512 << 10;

  private final PutStore store;
  private final SpaceStore spaces;
  private final MemoryIndexes indexes;

  @Inject
  MemoryPuts(PutStore store, SpaceStore spaces, MemoryIndexes indexes) {
    this.store = store;
    this.spaces = spaces;
    this.indexes = indexes;
  }

  /** Where a space lives; its index follows from now on, as what is put is to be found soon. */
  private CompletionStage<Partition> locate(String namespace, String space) {
    return spaces
        .locate(Names.namespace(namespace), space)
        .thenApply(
            partition -> {
              indexes.follow(partition);
              return partition;
            });
  }

  CompletionStage<PutMemoryResponse> put(PutMemoryRequest request) {
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    return locate(request.getNamespace(), request.getSpace())
        .thenCompose(
            partition ->
                put(partition, request.getSpace(), List.of(NewItem.of(request.getItem())), guard))
        .thenApply(MemoryPuts::response);
  }

  /** Whoever searches through this server from now on finds what was put. */
  private CompletionStage<PutCall.Put> put(
      Partition partition, String space, List<NewItem> items, Guard guard) {
    return store
        .put(partition, new PutCall(space, items, guard))
        .thenApply(
            put -> {
              indexes.of(partition).put(put.revision());
              return put;
            });
  }

  private static PutMemoryResponse response(PutCall.Put put) {
    PutMemoryResponse.Builder response =
        PutMemoryResponse.newBuilder().setRevision(put.revision()).addAllEvicted(put.evictedIds());
    PutResult result = put.results().get(0);
    if (result instanceof PutResult.Refused refused) {
      throw refused.why();
    }
    if (result instanceof PutResult.Merged merged) {
      return response.setItem(item(merged.id(), merged.said())).setDuplicate(true).build();
    }
    PutResult.Added added = (PutResult.Added) result;
    return response.setItem(item(added.id(), added.said())).build();
  }

  private static MemoryItem item(String id, ItemRecord said) {
    return said.toItem(id).build();
  }

  CompletionStage<PutMemoriesResponse> putAll(PutMemoriesRequest request) {
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    return locate(request.getNamespace(), request.getSpace())
        .thenCompose(partition -> new Many(partition, request, guard).put(0, 0));
  }

  /** The items of one request, put script by script. */
  private final class Many {

    private final Partition partition;
    private final PutMemoriesRequest request;
    private final Guard guard;
    private final List<PutOutcome.Builder> outcomes = new ArrayList<>();
    private long revision;
    private long evicted;

    Many(Partition partition, PutMemoriesRequest request, Guard guard) {
      this.partition = partition;
      this.request = request;
      this.guard = guard;
    }

    /** Puts the items from one on; {@code step} counts the scripts. */
    CompletionStage<PutMemoriesResponse> put(int from, int step) {
      List<NewItem> some = new ArrayList<>();
      List<PutOutcome.Builder> theirs = new ArrayList<>();
      List<Integer> places = new ArrayList<>();
      int bytes = 0;
      int at = from;
      while (at < request.getItemsCount()
          && some.size() < MemoryStore.MOST_AT_ONCE
          && bytes < SCRIPT_BYTES) {
        PutOutcome.Builder outcome = PutOutcome.newBuilder();
        outcomes.add(outcome);
        try {
          NewItem item = checked(at);
          some.add(item);
          theirs.add(outcome);
          places.add(at);
          bytes += item.size();
        } catch (TroupeException refusal) {
          outcome.setError(StatusMapper.toItemError(refusal));
        }
        at++;
      }
      if (some.isEmpty()) {
        return CompletableFuture.completedFuture(response());
      }
      int end = at;
      return MemoryPuts.this
          .put(partition, request.getSpace(), some, guard.step(step))
          .thenCompose(
              put -> {
                int done = put.results().size();
                for (int i = 0; i < done; i++) {
                  set(theirs.get(i), put.results().get(i));
                }
                revision = put.revision();
                evicted += put.evicted();
                int next = end;
                if (done < theirs.size()) {
                  // Those from there on were left, as so many items had to go for the others.
                  next = places.get(done);
                  outcomes.subList(next, outcomes.size()).clear();
                }
                return next < request.getItemsCount()
                    ? put(next, step + 1)
                    : CompletableFuture.completedFuture(response());
              });
    }

    private NewItem checked(int index) {
      MemoryPut item = request.getItems(index);
      Checks checks = new Checks();
      MemoryChecks.item(checks, "items[" + index + "].", item);
      checks.done();
      return NewItem.of(item);
    }

    private PutMemoriesResponse response() {
      PutMemoriesResponse.Builder response =
          PutMemoriesResponse.newBuilder().setRevision(revision).setEvicted(evicted);
      outcomes.forEach(response::addOutcomes);
      return response.build();
    }
  }

  private static void set(PutOutcome.Builder outcome, PutResult result) {
    if (result instanceof PutResult.Refused refused) {
      outcome.setError(StatusMapper.toItemError(refused.why()));
    } else if (result instanceof PutResult.Merged merged) {
      set(outcome, merged.id(), merged.said()).setDuplicate(true);
    } else if (result instanceof PutResult.Added added) {
      set(outcome, added.id(), added.said());
    }
  }

  private static PutOutcome.Builder set(PutOutcome.Builder outcome, String id, ItemRecord said) {
    return outcome.setItemId(id).setContentHash(said.hash()).setVersion(said.version());
  }
}
