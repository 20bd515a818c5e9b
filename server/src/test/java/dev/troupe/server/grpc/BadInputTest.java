package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.grpc.Distortions.Distortion;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every RPC of every service with every field made wrong in every way: each is taken or refused in
 * words, none is an internal error or a silence, and what is wrong is named, all of it at once.
 */
@SuppressWarnings("NullAway.Init")
final class BadInputTest {

  /** What a caller may be told about input. */
  private static final Set<Status.Code> WORDS =
      Set.of(
          Status.Code.OK,
          Status.Code.INVALID_ARGUMENT,
          Status.Code.NOT_FOUND,
          Status.Code.ALREADY_EXISTS,
          Status.Code.FAILED_PRECONDITION,
          Status.Code.ABORTED,
          Status.Code.OUT_OF_RANGE,
          Status.Code.RESOURCE_EXHAUSTED);

  private static TroupeProcess server;
  private static ManagedChannel channel;

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    channel = server.channel();
  }

  @AfterAll
  static void stop() throws Exception {
    assertThat(server.log()).noneMatch(line -> line.contains(" ERROR "));
    channel.shutdownNow();
    server.close();
  }

  static Stream<ExampleCall> calls() {
    return ExampleCall.all();
  }

  @Test
  void everyRpcHasAnExample() {
    assertThat(calls().map(ExampleCall::name))
        .containsExactlyInAnyOrderElementsOf(ExampleCall.everyRpc());
  }

  @ParameterizedTest
  @MethodSource("calls")
  void anEmptyRequestIsTakenOrRefusedInWords(ExampleCall call) {
    check(call, call.empty(), "nothing");
  }

  @ParameterizedTest
  @MethodSource("calls")
  void eachWrongFieldIsTakenOrRefusedInWordsAndNamed(ExampleCall call) {
    for (Distortion distortion : Distortions.of(call.request())) {
      Answer answer = check(call, distortion.message(), distortion.what());
      if (answer.namesFields()) {
        assertThat(answer.fields())
            .as("%s with %s", call.name(), distortion.what())
            .anyMatch(field -> distortion.isNamedBy(field));
      }
    }
  }

  @Test
  void aBatchRefusesTheItemsThatASingleCallRefuses() throws Exception {
    ExampleCall single =
        calls().filter(call -> call.toString().equals("Enqueue")).findFirst().get();
    int refused = 0;
    for (Distortion distortion : Distortions.of(single.request())) {
      if (!distortion.field().getName().equals("task")
          || !single.on(channel, distortion.message()).namesFields()) {
        continue;
      }
      EnqueueRequest one = EnqueueRequest.parseFrom(distortion.message().toByteString());
      List<EnqueueResult> results =
          TaskQueueServiceGrpc.newBlockingStub(channel)
              .enqueueBatch(
                  EnqueueBatchRequest.newBuilder()
                      .setQueue(one.getQueue())
                      .addTasks(one.getTask())
                      .addTasks(TaskSpec.getDefaultInstance())
                      .build())
              .getResultsList();
      assertThat(results.get(0).getError().getViolationsList())
          .as(distortion.what())
          .anyMatch(violation -> distortion.isNamedBy(violation.getField()));
      assertThat(results.get(1).hasAccepted()).isTrue();
      refused++;
    }
    assertThat(refused).isGreaterThan(50);
  }

  /** What is refused alone has to be named beside all else that is wrong. */
  @ParameterizedTest
  @MethodSource("calls")
  void allThatIsWrongIsSaidAtOnce(ExampleCall call) {
    List<Distortion> wrong = new ArrayList<>();
    for (Distortion distortion : Distortions.ofTopLevelTexts(call.request())) {
      Answer answer = call.on(channel, distortion.message());
      if (answer.namesFields()) {
        wrong.add(distortion);
      }
    }
    DynamicMessage.Builder all =
        DynamicMessage.newBuilder(call.request().getDescriptorForType())
            .mergeFrom(Distortions.dynamic(call.request()));
    Set<String> expected = new TreeSet<>();
    for (Distortion distortion : wrong) {
      all.setField(distortion.field(), distortion.message().getField(distortion.field()));
      expected.add(distortion.field().getName());
    }
    if (wrong.size() < 2) {
      return;
    }
    Answer answer = check(call, all.build(), "several");
    assertThat(answer.namesFields()).isTrue();
    Set<String> named = new TreeSet<>();
    for (Distortion distortion : wrong) {
      if (answer.fields().stream().anyMatch(distortion::isNamedBy)) {
        named.add(distortion.field().getName());
      }
    }
    assertThat(named).as(call.name()).isEqualTo(expected);
  }

  private static Answer check(ExampleCall call, Message request, String what) {
    Answer answer = call.on(channel, request);
    assertThat(answer.code()).as("%s with %s: %s", call.name(), what, answer).isIn(WORDS);
    if (!answer.isTaken()) {
      assertThat(answer.reason())
          .as("%s with %s: %s", call.name(), what, answer)
          .isNotEmpty()
          .isNotEqualTo("INTERNAL");
    }
    return answer;
  }
}
