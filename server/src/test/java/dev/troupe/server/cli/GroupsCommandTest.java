package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.crash.TroupeProcess;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class GroupsCommandTest {

  private static TroupeProcess server;
  private final Terminal terminal = new Terminal();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  private int run(String... arguments) {
    List<String> all =
        Stream.concat(
                Stream.concat(Stream.of("events"), Stream.of(arguments)),
                Stream.of("--server=localhost:" + server.port))
            .toList();
    return terminal.run(null, all.toArray(String[]::new));
  }

  @Test
  void a_group_is_created_read_moved_listed_and_deleted() {
    assertThat(run("groups", "create", "orders", "billing", "--max-deliveries", "3")).isZero();
    assertThat(terminal.out()).contains("orders/billing", "at most 3", "orders.dead");
    assertThat(terminal.err()).isEqualTo("there was no topic orders: it was created\n");
    assertThat(run("groups", "create", "orders", "second", "--attribute", "a=b")).isZero();
    assertThat(terminal.err().lines()).as("said once").hasSize(1);
    assertThat(run("groups", "delete", "orders", "second")).isZero();
    for (String data : List.of("one", "two", "three")) {
      assertThat(run("publish", "orders", "--type", "placed", "--data", data)).isZero();
    }
    assertThat(run("consume", "orders", "billing", "--limit", "2", "--member", "me")).isZero();
    assertThat(terminal.out()).contains("one", "two").doesNotContain("three");
    assertThat(run("groups", "get", "orders", "billing")).isZero();
    assertThat(terminal.out()).contains("2, 1 behind", "me (0)");
    assertThat(run("groups", "seek", "orders", "billing", "--to", "beginning")).isZero();
    assertThat(terminal.out()).contains("0, 3 behind");
    assertThat(run("consume", "orders", "billing", "--limit", "9", "--timeout", "1s")).isEqualTo(5);
    assertThat(terminal.out()).contains("one", "two", "three");
    assertThat(run("groups", "redrive", "orders", "billing")).isZero();
    assertThat(run("groups", "list", "orders")).isZero();
    assertThat(terminal.out()).contains("billing");
    assertThat(run("groups", "delete", "orders", "billing")).isZero();
    assertThat(run("groups", "get", "orders", "billing")).isEqualTo(4);
    assertThat(run("groups", "seek", "orders", "billing", "--to", "sometime")).isEqualTo(2);
  }

  @Test
  void commands_with_one_member_id_share_its_events() throws Exception {
    assertThat(run("groups", "create", "jobs", "crew")).isZero();
    String address = "--server=localhost:" + server.port;
    List<String> command =
        List.of("events", "consume", "jobs", "crew", "--member=me", "--limit=2", "--timeout=60s");
    List<Terminal> members = List.of(new Terminal(), new Terminal());
    List<CompletableFuture<Integer>> running =
        members.stream()
            .map(
                member ->
                    CompletableFuture.supplyAsync(
                        () -> member.run(null, with(command, address).toArray(String[]::new)),
                        task -> new Thread(task, "member").start()))
            .toList();
    for (String data : List.of("one", "two", "three", "four")) {
      assertThat(run("publish", "jobs", "--type", "placed", "--data", data)).isZero();
    }
    for (CompletableFuture<Integer> status : running) {
      assertThat(status.get(60, TimeUnit.SECONDS)).isZero();
    }
    assertThat(members).allMatch(member -> member.outLines().size() == 2);
    assertThat(members.get(0).out() + members.get(1).out()).contains("one", "two", "three", "four");
  }

  private static List<String> with(List<String> command, String last) {
    return Stream.concat(command.stream(), Stream.of(last)).toList();
  }
}
