package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.crash.TroupeProcess;
import java.util.List;
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
}
