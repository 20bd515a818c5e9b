package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Event;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What may be published. */
final class PublishChecksTest {

  @Test
  void everyPayloadOfTheServersOwnEventsIsRefused() {
    List<FieldDescriptor> payloads =
        Event.getDescriptor().getOneofs().stream()
            .filter(oneof -> oneof.getName().equals("data"))
            .flatMap(oneof -> oneof.getFields().stream())
            .filter(field -> field.getJavaType() == FieldDescriptor.JavaType.MESSAGE)
            .toList();
    assertThat(payloads).hasSizeGreaterThan(5);
    for (FieldDescriptor payload : payloads) {
      Event.Builder event = Event.newBuilder().setType("t");
      Checks checks = new Checks();
      PublishChecks.event(
          checks,
          "event",
          true,
          event.setField(payload, event.newBuilderForField(payload).build()).build(),
          1024);
      assertThat(checks.violations())
          .as(payload.getName())
          .extracting(violation -> violation.getField())
          .containsExactly("event." + payload.getName());
    }
  }
}
