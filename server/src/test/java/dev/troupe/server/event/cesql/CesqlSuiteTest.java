package dev.troupe.server.event.cesql;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Every case of every file of the conformance suite of the CloudEvents project. The suite is not
 * part of this repository: it is read from {@code shared/data/cesql_tck} beside the checkout. Where
 * it is not, that is said, by {@code ./troupe test} too; one that is smaller than it was is a
 * failure.
 */
final class CesqlSuiteTest {

  /** As of version 1.0 of the language; a suite with less is not whole. */
  private static final int FILES = 18;

  private static final int CASES = 275;

  /** What every event has, for the cases that say nothing of the event. */
  private static final Map<String, Object> ANY_EVENT =
      Map.of(
          "specversion", "1.0",
          "id", "1",
          "source", "http://localhost/source",
          "type", "mock.test");

  private static final String MISSING =
      "the CESQL suite: no shared/data/cesql_tck in or above the working directory (expected: the"
          + " files of cesql/cesql_tck of the repository cloudevents/spec)";

  @TestFactory
  Stream<DynamicNode> everyCaseHasTheResultAndTheErrorThatTheSuiteWants() throws IOException {
    if (suite().isEmpty()) {
      return Stream.of(DynamicTest.dynamicTest("not checked: " + MISSING, () -> say(MISSING)));
    }
    return files().stream()
        .map(
            file ->
                DynamicContainer.dynamicContainer(
                    file.getFileName().toString(),
                    cases(file).stream()
                        .map(c -> DynamicTest.dynamicTest(text(c, "name"), () -> check(c)))));
  }

  @Test
  void theSuiteIsWhole() throws IOException {
    if (suite().isEmpty()) {
      say(MISSING);
      return;
    }
    assertThat(files()).hasSizeGreaterThanOrEqualTo(FILES);
    assertThat(files().stream().mapToInt(file -> cases(file).size()).sum())
        .isGreaterThanOrEqualTo(CASES);
  }

  private static void check(Map<String, Object> wanted) {
    String expression = text(wanted, "expression");
    Map<String, Object> event = new HashMap<>(map(wanted.getOrDefault("event", ANY_EVENT)));
    event.putAll(map(wanted.getOrDefault("eventOverrides", Map.of())));

    Object outcome = evaluate(expression, event::get);
    Object value = outcome instanceof Failure failure ? failure.value() : outcome;
    CesqlError error = outcome instanceof Failure failure ? failure.error() : null;

    assertThat(error).as("error of %s", expression).isEqualTo(error(wanted.get("error")));
    if (wanted.containsKey("result")) {
      assertThat(value).as("result of %s", expression).isEqualTo(wanted.get("result"));
    }
    boolean passes = error == null && Boolean.TRUE.equals(wanted.get("result"));
    assertThat(
            CesqlFilter.compile(expression) instanceof CesqlFilter.Compiled compiled
                && compiled.filter().matches(event::get))
        .as("event passes %s", expression)
        .isEqualTo(passes);
  }

  /** An expression that cannot be compiled comes to false, as the suite has it. */
  private static Object evaluate(String expression, Attributes event) {
    Parser parser = new Parser(expression, CesqlFilter.MAX_DEPTH);
    Term term = parser.parse();
    return term == null
        ? Failure.of(parser.problems().get(0).error(), Type.BOOLEAN)
        : term.evaluate(event);
  }

  private static @Nullable CesqlError error(@Nullable Object name) {
    return name == null
        ? null
        : CesqlError.valueOf(name.toString().replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT));
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(suite().orElseThrow())) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  private static Optional<Path> suite() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path suite = at.resolve("shared/data/cesql_tck");
      if (Files.isDirectory(suite)) {
        return Optional.of(suite);
      }
    }
    return Optional.empty();
  }

  private static void say(String what) {
    System.out.println(what);
  }

  private static List<Map<String, Object>> cases(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      List<Map<String, Object>> cases = new ArrayList<>();
      Map<String, Object> content = map(yaml().load(in));
      for (Object each : (List<?>) content.getOrDefault("tests", List.of())) {
        cases.add(map(each));
      }
      return cases;
    } catch (IOException e) {
      throw new AssertionError(file.toString(), e);
    }
  }

  private static Yaml yaml() {
    LoaderOptions loading = new LoaderOptions();
    DumperOptions dumping = new DumperOptions();
    return new Yaml(
        new SafeConstructor(loading),
        new Representer(dumping),
        dumping,
        loading,
        new WithoutTimestamps());
  }

  /** What looks like a time is a string to the language, and has to come as it is written. */
  private static final class WithoutTimestamps extends Resolver {
    @Override
    protected void addImplicitResolvers() {
      addImplicitResolver(Tag.BOOL, BOOL, "yYnNtTfFoO");
      addImplicitResolver(Tag.INT, INT, "-+0123456789");
      addImplicitResolver(Tag.NULL, NULL, "~nN\0");
      addImplicitResolver(Tag.NULL, EMPTY, null);
    }
  }

  private static Map<String, Object> map(Object yaml) {
    Map<String, Object> map = new HashMap<>();
    ((Map<?, ?>) yaml).forEach((key, value) -> map.put(String.valueOf(key), value));
    return map;
  }

  private static String text(Map<String, Object> yaml, String key) {
    return String.valueOf(yaml.get(key));
  }
}
