package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Ids can be pasted anywhere. */
final class RandomIdsTest {

  private static final int MANY = 10_000;

  @Test
  void ids_differ_and_none_looks_like_an_option() {
    RandomIds ids = new RandomIds();
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < MANY; i++) {
      seen.add(ids.next());
    }
    assertThat(seen).hasSize(MANY).allMatch(id -> id.matches("[A-Za-z][A-Za-z0-9_-]{21}"));
  }

  @Test
  void every_first_byte_becomes_a_letter() {
    for (int first = Byte.MIN_VALUE; first <= Byte.MAX_VALUE; first++) {
      byte[] id = new byte[RandomIds.BYTES];
      Arrays.fill(id, (byte) -1);
      id[0] = (byte) first;
      assertThat(RandomIds.text(id).charAt(0)).matches(Character::isLetter);
    }
  }
}
