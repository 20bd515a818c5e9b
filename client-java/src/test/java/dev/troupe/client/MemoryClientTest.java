package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.MemoryChangeKind;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.Turn;
import dev.troupe.v1.WatchMemoryRequest;
import dev.troupe.v1.WatchMemoryResponse;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class MemoryClientTest {

  private static TroupeProcess server;
  private static TroupeClient client;

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    client = TroupeClient.connect("127.0.0.1:" + server.port);
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
  }

  @Test
  void whatIsPutIsFoundReadAndForgotten() {
    BlockingMemoryClient memory = client.blockingMemory();
    PutMemoryResponse put = memory.put("s", "the sky is blue", MemoryTier.MEMORY_TIER_LONG);
    String id = put.getItem().getItemId();
    assertThat(
            memory
                .search(
                    SearchMemoryRequest.newBuilder()
                        .setSpace("s")
                        .setText("sky")
                        .setMinRevision(put.getRevision())
                        .build())
                .getHitsList())
        .extracting(hit -> hit.getItem().getItemId())
        .containsExactly(id);
    assertThat(memory.get("s", id).getReadCount()).isEqualTo(2);
    assertThat(memory.forget("s", List.of(id, "none"))).containsExactly(id);
  }

  @Test
  void aConversationIsAppendedAndReadBack() {
    BlockingMemoryClient memory = client.blockingMemory();
    memory.append(
        AppendTurnsRequest.newBuilder()
            .setSpace("talks")
            .setConversation("c")
            .addTurns(Turn.newBuilder().setRole("user").setText("hello"))
            .build());
    assertThat(
            memory
                .window(
                    GetWindowRequest.newBuilder().setSpace("talks").setConversation("c").build())
                .getTurnsList())
        .extracting(Turn::getText)
        .containsExactly("hello");
  }

  @Test
  void aWatchTellsOfChanges() {
    List<WatchMemoryResponse> seen = new CopyOnWriteArrayList<>();
    Subscription watch =
        client
            .memory()
            .watch(WatchMemoryRequest.newBuilder().addSpaces("watched").build(), seen::add);
    // The watch begins when it is in place, which it does not tell.
    await()
        .until(
            () -> {
              client.blockingMemory().put("watched", "the same", MemoryTier.MEMORY_TIER_SHORT);
              return seen.stream()
                  .anyMatch(
                      response ->
                          response.getChange().getKind()
                              == MemoryChangeKind.MEMORY_CHANGE_KIND_MERGED);
            });
    watch.close();
  }
}
