package dev.troupe.server.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Finds the Protobuf constant that a word on the command line stands for. */
final class Names {

  private Names() {}

  /**
   * The constant, given with or without its prefix, in any case.
   *
   * @param option what the word was given by
   * @throws UsageException when there is none; the message lists what there is
   */
  static <E extends Enum<E>> E constant(String option, Class<E> type, String word) {
    String wanted = word.toUpperCase(Locale.ROOT).replace('-', '_');
    for (E constant : type.getEnumConstants()) {
      if (isChoice(constant)
          && (Text.of(constant).equals(wanted) || constant.name().equals(wanted))) {
        return constant;
      }
    }
    throw new UsageException(
        option
            + ": "
            + word
            + " (expected: "
            + Arrays.stream(type.getEnumConstants())
                .filter(Names::isChoice)
                .map(constant -> Text.of(constant).toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "))
            + ")");
  }

  private static boolean isChoice(Enum<?> constant) {
    String name = Text.of(constant);
    return !name.equals("UNSPECIFIED") && !name.equals("UNRECOGNIZED");
  }
}
