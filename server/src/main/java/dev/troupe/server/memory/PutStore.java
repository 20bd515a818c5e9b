package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptBatcher;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Writes items to memory spaces, in Redis. A space begins with what is first put into it.
 *
 * <p>Calls of one item for the same partition that arrive together share a script, as most of what
 * one costs Redis is the same for one and for many. Each is as atomic as if it were alone: in one
 * step its item is written to each structure of its space, others go for it, and the log has it; or
 * it is refused, which does not concern the others. A script removes 64 items at most, so that
 * others do not wait long for Redis: calls for which that is not enough go into the next one. A
 * call that needs more than that alone has a script remove what it may until there is room, and is
 * put then. Thread-safe; never blocks.
 */
final class PutStore {

  private static final int MOST_PER_SCRIPT = 32;

  private static final Script PUT = Script.load("memory/put");
  private static final int HEADER = 4;

  private final MemoryScripts scripts;
  private final MemoryConfig config;
  private final SpaceDefaults defaults;
  private final ScriptBatcher<Partition, PutCall, PutCall.Outcome> batcher;

  @Inject
  PutStore(MemoryScripts scripts, MemoryConfig config, SpaceDefaults defaults) {
    this.scripts = scripts;
    this.config = config;
    this.defaults = defaults;
    this.batcher = new ScriptBatcher<>(MOST_PER_SCRIPT, this::write, PutCall::size);
  }

  /**
   * Puts up to {@value MemoryStore#MOST_AT_ONCE} items, or the first ones of them and at least one:
   * there are as many results; a refused call fails the stage.
   */
  CompletionStage<PutCall.Put> put(Partition partition, PutCall call) {
    CompletionStage<PutCall.Outcome> outcome =
        call.items().size() == 1
            ? batcher.add(partition, call)
            : write(partition, List.of(call)).thenApply(outcomes -> outcomes.get(0));
    return outcome.thenCompose(
        became -> {
          if (became instanceof PutCall.Refused refused) {
            return CompletableFuture.failedFuture(refused.why());
          }
          return CompletableFuture.completedFuture((PutCall.Put) became);
        });
  }

  /** The outcomes of the first ones of the calls, and of one at least. */
  private CompletionStage<List<PutCall.Outcome>> write(Partition partition, List<PutCall> calls) {
    return write(partition, calls, MemoryScripts.MOST_ROUNDS, new ArrayList<>());
  }

  /**
   * The same.
   *
   * @param rounds how many scripts may remove items for the first one before it is put
   * @param gone ids of those that they removed so far, empty for those that were past their
   *     lifetime
   */
  private CompletionStage<List<PutCall.Outcome>> write(
      Partition partition, List<PutCall> calls, int rounds, List<String> gone) {
    List<Object> arguments = new ArrayList<>();
    arguments.add(config.maxSpaces());
    defaults.addUntouched(arguments);
    for (PutCall call : calls) {
      arguments.addAll(MemoryScripts.guarded(partition, call.space(), call.guard()));
      arguments.add(call.items().size());
      call.items().forEach(item -> item.addTo(arguments));
    }
    return scripts
        .run(PUT, partition, arguments)
        .thenCompose(
            reply -> {
              List<PutCall.Outcome> outcomes = new ArrayList<>(calls.size());
              for (int i = 1; i < reply.size(); i++) {
                Reply row = reply.nested(i);
                if (!row.code().equals("LATER")) {
                  outcomes.add(outcome(partition, calls.get(i - 1), row));
                } else if (i == 1) {
                  note(row, gone);
                }
              }
              if (!outcomes.isEmpty()) {
                outcomes.set(0, after(gone, outcomes.get(0)));
                return CompletableFuture.completedFuture(outcomes);
              }
              return rounds > 1
                  ? write(partition, calls, rounds - 1, gone)
                  : CompletableFuture.completedFuture(
                      List.of(outcome(partition, calls.get(0), MemoryScripts.FULL)));
            });
  }

  private static void note(Reply later, List<String> gone) {
    List<String> evicted = later.nested(2).texts(0);
    gone.addAll(evicted);
    gone.addAll(Collections.nCopies((int) later.number(1) - evicted.size(), ""));
  }

  /** An outcome, with what had gone for it before. */
  private static PutCall.Outcome after(List<String> gone, PutCall.Outcome outcome) {
    if (gone.isEmpty() || !(outcome instanceof PutCall.Put put)) {
      return outcome;
    }
    List<String> evicted = new ArrayList<>(gone);
    evicted.removeIf(String::isEmpty);
    evicted.addAll(put.evictedIds());
    return new PutCall.Put(put.revision(), gone.size() + put.evicted(), evicted, put.results());
  }

  private static PutCall.Outcome outcome(Partition partition, PutCall call, Reply reply) {
    if (!reply.ok()) {
      return new PutCall.Refused(
          MemoryScripts.refusal(reply)
              .about("namespace", partition.namespace(), "space", call.space()));
    }
    List<PutResult> results = new ArrayList<>(reply.size() - HEADER);
    for (int i = HEADER; i < reply.size(); i++) {
      results.add(result(partition, call, call.items().get(i - HEADER), reply.nested(i)));
    }
    return new PutCall.Put(reply.number(1), reply.number(2), reply.nested(3).texts(0), results);
  }

  private static PutResult result(Partition partition, PutCall call, NewItem item, Reply row) {
    return switch (row.code()) {
      case "PUT" -> new PutResult.Added(row.text(1), ItemRecord.parse(row.bytes(2)));
      case "MERGED" -> new PutResult.Merged(row.text(1), ItemRecord.parse(row.bytes(2)));
      default ->
          new PutResult.Refused(
              MemoryScripts.refusal(row)
                  .about(
                      "namespace",
                      partition.namespace(),
                      "space",
                      call.space(),
                      "given",
                      row.code().equals("DIMENSION")
                          ? Integer.toString(item.put().getContent().getEmbeddingCount())
                          : ""));
    };
  }
}
