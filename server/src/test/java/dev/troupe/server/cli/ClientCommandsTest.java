package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.CancelTaskCommand;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.FleetStatsRequest;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.ReleasePortsRequest;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WaitTaskRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.logging.Level;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

class ClientCommandsTest {

  private final FakeServer server;
  private final Terminal terminal = new Terminal();

  ClientCommandsTest() throws IOException {
    this.server = new FakeServer();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private int run(String... arguments) {
    return terminal.run(server.address(), arguments);
  }

  private <T> T onlyRequest(Class<T> type) {
    return server.requests.stream()
        .filter(type::isInstance)
        .map(type::cast)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void agents_are_listed_over_all_pages_in_aligned_columns() {
    assertThat(run("agents", "list", "--status", "idle", "--label", "team=red")).isZero();

    assertThat(terminal.outLines())
        .containsExactly(
            "AGENT     TYPE   STATUS  TASK  HOST  CAPABILITIES  HEARTBEAT",
            "a-1       coder  IDLE    -     -     gpu           2023-11-14T22:13:20Z",
            "a-long-2  coder  IDLE    -     -     gpu           2023-11-14T22:13:20Z",
            "a-3       coder  IDLE    -     -     gpu           2023-11-14T22:13:20Z");
    ListAgentsRequest request = onlyRequest(ListAgentsRequest.class);
    assertThat(request.getStatusesList()).containsExactly(AgentStatus.AGENT_STATUS_IDLE);
    assertThat(request.getLabelsMap()).containsEntry("team", "red");
  }

  @Test
  void agents_are_listed_in_an_order_and_by_several_statuses() {
    assertThat(
            run(
                "agents",
                "list",
                "--status",
                "lost",
                "--status",
                "error",
                "--order-by",
                "create_time desc",
                "--limit",
                "1"))
        .isZero();

    ListAgentsRequest request = onlyRequest(ListAgentsRequest.class);
    assertThat(request.getStatusesList())
        .containsExactly(AgentStatus.AGENT_STATUS_LOST, AgentStatus.AGENT_STATUS_ERROR);
    assertThat(request.getOrderBy()).isEqualTo("create_time desc");
  }

  @Test
  void one_agent_is_shown_with_its_load_and_its_figures() {
    assertThat(run("agents", "get", "a-1")).isZero();

    assertThat(terminal.out())
        .contains("0.50 processors, 1024 bytes, queue=3.0")
        .contains("3 succeeded (1.500s on the average), 1 failed, 0 lost, 75.0 %")
        .contains("20000, 20001");
  }

  @Test
  void the_fleet_is_counted() {
    assertThat(run("agents", "stats", "-n", "blue")).isZero();

    assertThat(onlyRequest(FleetStatsRequest.class).getNamespace()).isEqualTo("blue");
    assertThat(terminal.out())
        .contains("1 (50.0 %)")
        .contains("coder")
        .contains("2: 1 IDLE, 1 LOST");
  }

  @Test
  void an_agent_is_given_a_command() {
    assertThat(
            run(
                "agents",
                "command",
                "a-1",
                "cancel-task",
                "--queue",
                "q",
                "--task",
                "t",
                "--reason",
                "why",
                "--lifetime",
                "5m"))
        .isZero();

    CommandAgentRequest request = onlyRequest(CommandAgentRequest.class);
    assertThat(request.getCommand().getCancelTask())
        .isEqualTo(
            CancelTaskCommand.newBuilder().setQueue("q").setTaskId("t").setReason("why").build());
    assertThat(request.getLifetime().getSeconds()).isEqualTo(300);
    assertThat(request.getRequestId()).isNotEmpty();
    assertThat(terminal.out()).contains("cancel-task").contains("7");
    assertThat(run("agents", "command", "a-1", "dance")).isEqualTo(2);
    assertThat(terminal.err()).contains("COMMAND: dance (expected: drain, quiet,");
  }

  @Test
  void ports_are_leased_and_released() {
    assertThat(run("agents", "lease-ports", "a-1", "--count", "2")).isZero();
    assertThat(terminal.out()).contains("20000, 20001");
    assertThat(onlyRequest(LeasePortsRequest.class).getCount()).isEqualTo(2);
    server.requests.clear();
    assertThat(run("agents", "release-ports", "a-1", "20000", "20001")).isZero();
    assertThat(onlyRequest(ReleasePortsRequest.class).getPortsList()).containsExactly(20000, 20001);
  }

  @Test
  void a_list_as_json_is_one_document_per_line() {
    assertThat(run("agents", "list", "-o", "json", "--limit", "2")).isZero();

    assertThat(terminal.outLines()).hasSize(2).allMatch(line -> line.startsWith("{\"agentId\":"));
  }

  @Test
  void a_mistyped_command_is_told_also_when_its_help_is_asked_for() {
    assertThat(run("tasks", "gett", "--help")).isEqualTo(2);
    assertThat(terminal.err()).contains("Unmatched argument", "gett", "get");
    assertThat(terminal.out()).isEmpty();
    assertThat(run("topics", "--help")).isEqualTo(2);
    assertThat(run("tasks", "get", "--help")).isZero();
    assertThat(terminal.out()).contains("Usage: troupe tasks get");
  }

  @Test
  void a_thing_that_is_not_there_ends_with_4_and_names_it() {
    assertThat(run("agents", "get", "nobody")).isEqualTo(4);

    assertThat(terminal.out()).isEmpty();
    assertThat(terminal.errLines())
        .containsExactly("NOT_FOUND / AGENT_NOT_FOUND: no such agent", "  agent_id = nobody");
  }

  @Test
  void a_refusal_ends_with_1_and_tells_every_violation() {
    assertThat(run("tasks", "enqueue", "q", "--priority", "10")).isEqualTo(1);

    assertThat(terminal.err())
        .contains("INVALID_ARGUMENT / INVALID_FIELD")
        .contains("  --priority: must be 0 to 9")
        .contains("  QUEUE: must not be empty");
    assertThat(terminal.err().split("must be 0 to 9", -1)).as("said once").hasSize(2);
  }

  @Test
  void a_refusal_is_a_document_when_documents_are_asked_for() {
    assertThat(run("agents", "get", "nobody", "-o", "json")).isEqualTo(4);
    assertThat(terminal.out()).isEmpty();
    assertThat(terminal.errLines())
        .singleElement(InstanceOfAssertFactories.STRING)
        .startsWith("{\"error\":{")
        .contains("\"reason\":\"AGENT_NOT_FOUND\"", "\"agent_id\":\"nobody\"");
    assertThat(run("tasks", "enqueue", "q", "--priority", "10", "-o", "json")).isEqualTo(1);
    assertThat(terminal.err())
        .contains("\"argument\":\"--priority\"", "\"field\":\"task.priority\"");
    assertThat(run("agents", "list", "--status", "sleepy", "-o", "json")).isEqualTo(2);
    assertThat(terminal.err())
        .contains("{\"error\":{\"message\":\"--status: sleepy (expected: pending");
  }

  @Test
  void a_server_that_has_no_port_is_wrong_usage() {
    assertThat(terminal.run("nonsense", "locks", "list")).isEqualTo(2);
    assertThat(terminal.err()).isEqualTo("--server: nonsense (expected: HOST:PORT)\n");
    for (String wrong :
        List.of("localhost:abc", "https://localhost:7070", ":7070", "a b:1", "a:65536")) {
      terminal.clear();
      assertThat(terminal.run(wrong, "locks", "list")).isEqualTo(2);
      assertThat(terminal.err()).isEqualTo("--server: " + wrong + " (expected: HOST:PORT)\n");
    }
  }

  @Test
  void a_server_that_the_environment_names_is_told_so() {
    terminal.variable("TROUPE_SERVER", "foo");
    assertThat(terminal.run(null, "locks", "list")).isEqualTo(2);
    assertThat(terminal.run(null, "memory", "settings")).isEqualTo(2);
    assertThat(terminal.errLines())
        .hasSize(2)
        .containsOnly("TROUPE_SERVER: foo (expected: HOST:PORT)");
    terminal.clear();
    assertThat(terminal.run("bar", "locks", "list")).isEqualTo(2);
    assertThat(terminal.err()).isEqualTo("--server: bar (expected: HOST:PORT)\n");
    terminal.variable("TROUPE_SERVER", server.address());
    assertThat(terminal.run(null, "queues", "list")).isZero();
  }

  @Test
  void a_name_that_no_machine_has_is_told_in_two_lines() {
    assertThat(terminal.run("no-such-machine.invalid:1", "locks", "list")).isEqualTo(3);
    assertThat(terminal.errLines()).hasSize(2);
    assertThat(java.util.logging.Logger.getLogger("io.grpc").isLoggable(Level.SEVERE)).isFalse();
  }

  @Test
  void every_command_tells_the_version() {
    assertThat(terminal.run(null, "locks", "-V")).isZero();
    assertThat(terminal.out()).startsWith("troupe ");
    assertThat(terminal.run(null, "agents", "watch", "--version")).isZero();
    assertThat(terminal.outLines()).hasSize(2);
  }

  @Test
  void what_a_command_does_not_take_is_refused() {
    assertThat(run("agents", "command", "a-1", "drain", "--data", "x", "--queue", "q"))
        .isEqualTo(2);
    assertThat(terminal.err()).contains("--data, --queue: not with drain");
    assertThat(run("agents", "command", "a-1", "message", "--data", "x", "--data-file", "-"))
        .isEqualTo(2);
    assertThat(run("agents", "watch", "--limit", "-3")).isEqualTo(2);
    assertThat(run("agents", "list", "--limit", "-3")).isEqualTo(2);
    assertThat(run("events", "tail", "--limit", "-3")).isEqualTo(2);
    assertThat(terminal.err()).contains("--limit: -3 (expected: 0 or more)");
    assertThat(server.requests).noneMatch(CommandAgentRequest.class::isInstance);
  }

  @Test
  void a_port_that_is_not_leased_is_named() {
    assertThat(run("agents", "release-ports", "a-1", "20000", "30000")).isZero();
    assertThat(terminal.err()).isEqualTo("not leased by a-1: 30000\n");
    server.requests.clear();
    assertThat(run("agents", "release-ports", "a-1", "30000")).isEqualTo(1);
    assertThat(server.requests).noneMatch(ReleasePortsRequest.class::isInstance);
  }

  @Test
  void a_watch_of_agents_tells_how_to_go_on() {
    assertThat(run("agents", "watch", "--limit", "1")).isZero();
    assertThat(terminal.err()).contains("to go on from here: --from ");
  }

  @Test
  void a_server_that_cannot_serve_now_ends_with_3_and_tells_when_to_try_again() {
    assertThat(run("tasks", "get", "q", "later")).isEqualTo(3);

    assertThat(terminal.err()).contains("STORE_UNAVAILABLE").contains("try again in 2s");
  }

  @Test
  void a_server_that_is_not_there_ends_with_3_and_advice() throws IOException {
    int unused;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      unused = socket.getLocalPort();
    }

    assertThat(terminal.run("127.0.0.1:" + unused, "queues", "list")).isEqualTo(3);

    assertThat(terminal.err())
        .contains("cannot reach a server at 127.0.0.1:" + unused)
        .contains("troupe serve");
  }

  @Test
  void wrong_usage_ends_with_2() {
    assertThat(run("agents", "list", "--nonsense")).isEqualTo(2);
    assertThat(run("agents", "list", "--status", "sleepy")).isEqualTo(2);
    assertThat(terminal.err()).contains("--status: sleepy (expected: pending, starting,");
    assertThat(run("tasks", "enqueue", "q", "--delay", "soon")).isEqualTo(2);
    assertThat(run("nonsense")).isEqualTo(2);
  }

  @Test
  void a_task_is_enqueued_with_all_that_was_said_about_it() throws IOException {
    assertThat(
            run(
                "tasks",
                "enqueue",
                "q",
                "--type",
                "survey.file",
                "--payload",
                "hällo",
                "--priority",
                "5",
                "--delay",
                "250ms",
                "--requires",
                "gpu",
                "--label",
                "a=b",
                "--max-failures",
                "2",
                "-n",
                "blue"))
        .isZero();

    EnqueueRequest request = onlyRequest(EnqueueRequest.class);
    assertThat(request.getNamespace()).isEqualTo("blue");
    assertThat(request.getQueue()).isEqualTo("q");
    assertThat(request.getRequestId()).isNotEmpty();
    assertThat(request.getTask().getPayload().toStringUtf8()).isEqualTo("hällo");
    assertThat(request.getTask().getPriority()).isEqualTo(5);
    assertThat(Durations.toMillis(request.getTask().getDelay())).isEqualTo(250);
    assertThat(request.getTask().getRequiresList()).containsExactly("gpu");
    assertThat(request.getTask().getLabelsMap()).containsEntry("a", "b");
    assertThat(request.getTask().getRetry().getMaxFailures()).isEqualTo(2);
    assertThat(terminal.outLines())
        .containsExactly("task     t-1", "created  yes", "state    READY");
  }

  @Test
  void a_payload_comes_from_a_file_or_from_standard_input(@TempDir Path directory)
      throws IOException {
    Path file = Files.write(directory.resolve("payload"), new byte[] {0, (byte) 0xff});

    assertThat(run("tasks", "enqueue", "q", "--payload-file", file.toString())).isZero();
    assertThat(onlyRequest(EnqueueRequest.class).getTask().getPayload().toByteArray())
        .containsExactly(0, 0xff);

    server.requests.clear();
    terminal.typed("from stdin");
    assertThat(run("tasks", "enqueue", "q", "--payload-file", "-")).isZero();
    assertThat(onlyRequest(EnqueueRequest.class).getTask().getPayload().toStringUtf8())
        .isEqualTo("from stdin");

    assertThat(run("tasks", "enqueue", "q", "--payload-file", "/no/such/file")).isEqualTo(2);
  }

  @Test
  void tasks_are_listed_by_state_and_cannot_steer_the_terminal() {
    assertThat(run("tasks", "list", "q", "--state", "dead")).isZero();

    assertThat(onlyRequest(ListTasksRequest.class).getState()).isEqualTo(TaskState.TASK_STATE_DEAD);
    assertThat(terminal.out()).contains("t [31m").doesNotContain("\u001b");
    assertThat(terminal.err()).isEmpty();
  }

  @Test
  void tasks_are_listed_by_readiness_unless_said_otherwise_and_that_is_told() {
    assertThat(run("tasks", "list", "q")).isZero();

    assertThat(onlyRequest(ListTasksRequest.class).getState())
        .isEqualTo(TaskState.TASK_STATE_READY);
    assertThat(terminal.err()).contains("these are the ready ones").contains("--state");
    terminal.clear();
    assertThat(run("tasks", "list", "q", "-o", "json")).isZero();
    assertThat(terminal.err()).isEmpty();
  }

  @Test
  void waiting_tells_success_another_end_and_no_end_apart() {
    assertThat(run("tasks", "wait", "q", "good")).isZero();
    assertThat(terminal.out()).contains("42 lines");
    assertThat(run("tasks", "wait", "q", "bad")).isEqualTo(1);
    assertThat(run("tasks", "wait", "q", "endless", "--timeout", "50ms")).isEqualTo(5);
    assertThat(terminal.err()).contains("the task has not ended yet");
    assertThat(onlyRequest(WaitTaskRequest.class).getTimeout().getSeconds()).isEqualTo(30);
  }

  @Test
  void the_progress_of_a_task_is_shown_until_it_has_ended() {
    assertThat(run("tasks", "wait", "q", "endless", "--timeout", "50ms")).isEqualTo(5);
    assertThat(terminal.outLines()).contains("progress  50% half-way");
    terminal.clear();
    assertThat(run("tasks", "get", "q", "good")).isZero();
    assertThat(run("tasks", "wait", "q", "bad")).isEqualTo(1);
    assertThat(terminal.outLines())
        .filteredOn(line -> line.startsWith("progress"))
        .hasSize(2)
        .containsOnly("progress  -");
    terminal.clear();
    assertThat(run("tasks", "get", "q", "good", "-o", "json")).isZero();
    assertThat(terminal.out()).contains("half-way");
  }

  @Test
  void tasks_are_cancelled_and_redriven() {
    assertThat(run("tasks", "cancel", "q", "t-1", "--reason", "changed my mind")).isZero();
    assertThat(run("tasks", "redrive", "q", "t-1", "t-2", "--state", "quarantined")).isZero();

    RedriveTasksRequest request = onlyRequest(RedriveTasksRequest.class);
    assertThat(request.getTaskIdsList()).containsExactly("t-1", "t-2");
    assertThat(request.getState()).isEqualTo(TaskState.TASK_STATE_QUARANTINED);
    assertThat(terminal.out()).contains("CANCELLED").contains("redriven  7");
  }

  @Test
  void queues_are_listed_and_paused() {
    assertThat(run("queues", "list")).isZero();
    assertThat(terminal.outLines())
        .containsExactly(
            "QUEUE  MODE    READY  DELAYED  LEASED  SUCCEEDED  DEAD  OLDEST",
            "q      PAUSED  12     0        0       0          0     90s");

    assertThat(run("queues", "pause", "other")).isZero();
    assertThat(terminal.out()).contains("queue         other");
    assertThat(terminal.err()).isEmpty();
  }

  @Test
  void a_queue_that_begins_with_its_pause_is_told() {
    assertThat(run("queues", "pause", "unused")).isZero();
    assertThat(run("queues", "drain", "unused")).isZero();
    assertThat(run("queues", "resume", "unused")).isZero();
    assertThat(terminal.errLines())
        .containsExactly(
            "queue unused has had no tasks yet; it is paused from the start",
            "queue unused has had no tasks yet; it takes none until it is resumed",
            "queue unused has had no tasks yet; it is neither paused nor drained");
    terminal.clear();
    assertThat(run("queues", "resume", "other")).isZero();
    assertThat(run("queues", "pause", "unused", "-o", "json")).isZero();
    assertThat(terminal.err()).isEmpty();
  }

  @Test
  void a_purge_asks_first_and_takes_silence_for_no() {
    assertThat(run("queues", "purge", "q")).isEqualTo(2);
    terminal.typed("n\n");
    assertThat(run("queues", "purge", "q")).isEqualTo(2);
    assertThat(server.requests).isEmpty();

    terminal.typed("y\n");
    assertThat(run("queues", "purge", "q", "--state", "dead")).isZero();
    assertThat(onlyRequest(PurgeQueueRequest.class).getStatesList())
        .containsExactly(TaskState.TASK_STATE_DEAD);
    assertThat(run("queues", "purge", "q", "--yes")).isZero();
  }

  @Test
  void a_tail_prints_a_line_per_event_and_ends_at_its_limit() {
    assertThat(run("events", "tail", "--topic", "builds", "--from", "beginning", "--limit", "3"))
        .isZero();

    assertThat(terminal.outLines())
        .hasSize(3)
        .last()
        .isEqualTo("-  builds  build.finished  -  e-3  line 3");
    assertThat(terminal.err()).contains("--from token-3");
    assertThat(onlyRequest(SubscribeRequest.class).getStart())
        .isEqualTo(StartPosition.START_POSITION_BEGINNING);
  }

  @Test
  void a_tail_begins_at_a_time_or_after_a_token() {
    assertThat(run("events", "tail", "--from", "2030-01-31T12:00:00Z", "--limit", "1")).isZero();
    assertThat(Timestamps.toString(onlyRequest(SubscribeRequest.class).getStartTime()))
        .isEqualTo("2030-01-31T12:00:00Z");
    assertThat(onlyRequest(SubscribeRequest.class).getTopicsList()).containsExactly("**");

    server.requests.clear();
    assertThat(run("events", "tail", "--from", "token-7", "--limit", "1")).isZero();
    assertThat(onlyRequest(SubscribeRequest.class).getResumeToken()).isEqualTo("token-7");
  }

  @Test
  void a_tail_takes_only_what_passes_its_filter() {
    assertThat(
            run(
                "events",
                "tail",
                "--type",
                "build.*",
                "--subject",
                "repo/",
                "--attribute",
                "branch=main",
                "--where",
                "EXISTS priority",
                "--limit",
                "1"))
        .isZero();

    assertThat(onlyRequest(SubscribeRequest.class).getFilter())
        .isEqualTo(
            EventFilter.newBuilder()
                .addTypes("build.*")
                .setSubjectPrefix("repo/")
                .putAttributes("branch", "main")
                .setCesql("EXISTS priority")
                .build());
  }

  @Test
  void an_event_is_published_with_its_key() {
    assertThat(run("events", "publish", "builds", "--type", "t", "--key", "repo-7")).isZero();

    assertThat(onlyRequest(PublishRequest.class).getEvent().getKey()).isEqualTo("repo-7");
  }

  @Test
  void a_wrong_command_line_is_told_in_a_line_and_where_its_help_is() {
    assertThat(run("tasks", "enqueue", "q", "--delay", "soon")).isEqualTo(2);
    assertThat(terminal.errLines())
        .containsExactly(
            "--delay: soon (expected: a duration such as 250ms, 30s, 5m, 2h, 7d or PT1M30S)",
            "see `troupe tasks enqueue --help`");
    terminal.clear();
    assertThat(run("agents", "list", "--limit", "few")).isEqualTo(2);
    assertThat(terminal.err()).startsWith("--limit: few (expected: a whole number)\n");
    terminal.clear();
    assertThat(run("memory", "put", "s", "text", "--tier", "middle")).isEqualTo(2);
    assertThat(terminal.err())
        .startsWith("--tier: middle (expected: short, working, long, pinned)\n");
    terminal.clear();
    assertThat(run("memory", "list", "s", "--tier", "middle")).isEqualTo(2);
    assertThat(terminal.err())
        .startsWith("--tier: middle (expected: short, working, long, pinned)\n");
    terminal.clear();
    assertThat(run("memory", "put", "s", "text", "--tier")).isEqualTo(2);
    assertThat(run("memory", "put", "s", "text", "--tier", "--tag", "a")).isEqualTo(2);
    assertThat(terminal.errLines())
        .filteredOn(line -> line.startsWith("--tier"))
        .hasSize(2)
        .containsOnly("--tier: a value is missing (expected: short, working, long, pinned)");
    terminal.clear();
    assertThat(run("tasks", "enqueue", "q", "--label", "red")).isEqualTo(2);
    assertThat(run("memory", "conversations", "append", "s", "c", "t", "--attribute", "red"))
        .isEqualTo(2);
    assertThat(terminal.err())
        .contains("--label: red (expected: KEY=VALUE)\n")
        .contains("--attribute: red (expected: KEY=VALUE)\n")
        .doesNotContain("option option");
    terminal.clear();
    assertThat(run("tasks", "list", "q", "--state")).isEqualTo(2);
    assertThat(terminal.err()).startsWith("--state: a value is missing\n");
    terminal.clear();
    assertThat(run("memory", "spaces", "create", "s", "--metric", "taxi")).isEqualTo(2);
    assertThat(terminal.err()).isEqualTo("--metric: taxi (expected: cosine, dot, l2)\n");
    terminal.clear();
    assertThat(run("events", "topics", "create", "t", "--max-bytes", "lots")).isEqualTo(2);
    assertThat(terminal.err())
        .startsWith("--max-bytes: lots (expected: a size such as 512, 64KiB, 10MB or 1GiB)\n");
    terminal.clear();
    assertThat(run("agents", "get", "--nonsense")).isEqualTo(2);
    assertThat(terminal.err()).endsWith("see `troupe agents get --help`\n");
    assertThat(terminal.errLines()).hasSizeLessThanOrEqualTo(3);
    terminal.clear();
    assertThat(run("agents", "get", "-o", "json")).isEqualTo(2);
    assertThat(terminal.errLines())
        .singleElement(InstanceOfAssertFactories.STRING)
        .startsWith("{\"error\":{\"message\":\"Missing required parameter");
    assertThat(terminal.out()).isEmpty();
  }

  @Test
  void a_command_that_lacks_the_one_under_it_lists_them() {
    assertThat(terminal.run(null, "events")).isEqualTo(2);
    assertThat(terminal.err()).contains("Missing required subcommand", "tail ", "publish ");
  }

  @Test
  void every_command_is_told_in_a_whole_sentence() {
    terminal.run(null, "events", "--help");
    assertThat(terminal.out())
        .contains("Takes events as a member of a group, and acknowledges them once");
    assertThat(terminal.sentences())
        .hasSizeGreaterThan(50)
        .allMatch(sentence -> sentence.matches("(?s).*[.)]"));
  }

  @Test
  void every_option_that_takes_a_duration_tells_how_it_is_written() {
    terminal.run(null, "locks", "acquire", "--help");
    assertThat(terminal.out())
        .contains("--ttl=DURATION", "\nDURATION: such as 250ms, 30s, 5m, 2h, 7d or PT1M30S.\n");
    terminal.clear();
    terminal.run(null, "queues", "list", "--help");
    assertThat(terminal.out()).contains("such as 500ms or 2m").doesNotContain("DURATION: ");
    assertThat(terminal.commands().values())
        .flatExtracting(CommandSpec::options)
        .filteredOn(
            option -> option.longestName().equals("--consolidation-lead") || takesDuration(option))
        .hasSizeGreaterThan(16)
        .allMatch(option -> option.paramLabel().equals("DURATION"));
  }

  private static boolean takesDuration(OptionSpec option) {
    return option.type() == Duration.class
        || List.of(option.auxiliaryTypes()).contains(Duration.class);
  }

  @Test
  void a_stream_that_was_given_a_time_ends_with_it() {
    assertThat(run("agents", "watch", "--limit", "2")).isZero();
    assertThat(terminal.out()).contains("LOST  a-2  coder  IDLE").doesNotContain("a-3");
    assertThat(run("events", "tail", "--timeout", "1s")).isZero();
    assertThat(run("events", "tail", "--timeout", "1s", "--limit", "9")).isEqualTo(5);
  }

  @Test
  void a_stream_that_the_server_ends_or_does_not_begin_has_failed() {
    assertThat(run("events", "tail", "--topic", "end", "--limit", "4")).isZero();
    terminal.clear();
    assertThat(run("events", "tail", "--topic", "end")).isEqualTo(3);
    assertThat(run("events", "tail", "--topic", "end", "--limit", "5")).isEqualTo(3);
    assertThat(terminal.err()).contains("to go on from here: --from token-4", "was ended");
    terminal.clear();
    assertThat(run("events", "tail", "--topic", "silence", "--timeout", "50ms")).isEqualTo(3);
    assertThat(terminal.err()).contains("did not answer in time");
  }

  @Test
  void an_event_is_published_with_an_id_that_makes_a_repeat_harmless() {
    assertThat(run("events", "publish", "builds", "--type", "build.finished", "--data", "{}"))
        .isZero();

    PublishRequest request = onlyRequest(PublishRequest.class);
    assertThat(request.getEvent().getId()).isNotEmpty();
    assertThat(request.getEvent().getSource()).isEqualTo("troupe-cli");
    assertThat(request.getEvent().getTextData()).isEqualTo("{}");
    assertThat(terminal.out()).contains("token-1");
  }

  @Test
  void the_doctor_reports_each_check_on_a_line() {
    assertThat(run("doctor")).isZero();

    assertThat(terminal.outLines())
        .hasSize(6)
        .allMatch(line -> line.startsWith("OK    "))
        .anyMatch(line -> line.contains("reflection: troupe.v1.AgentStateService, troupe.v1."));
    assertThat(run("doctor", "-o", "json")).isZero();
    assertThat(terminal.outLines())
        .hasSize(12)
        .contains("{\"subject\":\"health\",\"ok\":true,\"finding\":\"SERVING\",\"advice\":\"\"}");
  }

  @Test
  void the_doctor_ends_with_3_and_advice_when_no_server_answers() throws IOException {
    server.close();

    assertThat(run("doctor")).isEqualTo(3);
    assertThat(terminal.out()).contains("FAIL  server").contains("troupe serve");
  }
}
