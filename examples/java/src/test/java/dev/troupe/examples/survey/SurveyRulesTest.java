package dev.troupe.examples.survey;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cases that the workers in all three languages have to agree on. */
final class SurveyRulesTest {

  record Vector(
      String name,
      String language,
      @SerializedName("content_base64") String content,
      long lines,
      long declarations,
      long imports,
      long todos) {}

  static Stream<Vector> vectors() throws Exception {
    String json = Files.readString(Path.of("../survey-vectors.json"));
    return List.of(new Gson().fromJson(json, Vector[].class)).stream();
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void countsAsTheOthersDo(Vector vector) {
    byte[] content = Base64.getDecoder().decode(vector.content());
    assertThat(SurveyRules.count(vector.language(), content))
        .as(vector.name())
        .isEqualTo(
            new Counts(vector.lines(), vector.declarations(), vector.imports(), vector.todos()));
  }

  @Test
  void theLastExtensionOfTheNameTellsTheLanguage() {
    assertThat(SurveyRules.languageOf("a/b.py/Main.java")).isEqualTo("java");
    assertThat(SurveyRules.languageOf("a.py/Makefile")).isEqualTo("other");
    assertThat(SurveyRules.languageOf("x.tar.go")).isEqualTo("go");
    assertThat(SurveyRules.languageOf("X.PY")).isEqualTo("other");
  }
}
