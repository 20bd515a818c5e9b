package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.FieldViolation;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ViolationsInWordsTest {

  @Test
  void theMessageSaysAllThatIsWrong() {
    assertThat(
            TroupeException.invalid(
                List.of(violation("queue", "required"), violation("priority", "out of range"))))
        .hasMessage("queue: required; priority: out of range");
  }

  @Test
  void whatDoesNotFitIsCounted() {
    List<FieldViolation> many =
        IntStream.range(0, 60).mapToObj(i -> violation("field" + i, "too long")).toList();
    TroupeException refusal = TroupeException.invalid(many);
    assertThat(refusal).hasMessageStartingWith("field0: too long; field1: too long; ");
    assertThat(refusal.getMessage()).matches(".*; and \\d+ more").hasSizeLessThan(350);
    assertThat(refusal.violations()).hasSize(60);
  }

  private static FieldViolation violation(String field, String description) {
    return FieldViolation.newBuilder().setField(field).setDescription(description).build();
  }
}
