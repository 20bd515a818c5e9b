package dev.troupe.examples.survey;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The survey as a user runs it, in a process of its own, with workers in Java only. */
final class SurveyTest {

  private record Ended(int code, String said) {}

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  @Test
  void aKilledWorkerCostsNothingButAFewSeconds() throws Exception {
    String[] names = {"A.java", "b.py", "c.go", "d.sh", "e.txt", "f.lua"};
    for (int i = 0; i < 300; i++) {
      Path file = folder.resolve("d" + i % 7).resolve(i + names[i % names.length]);
      Files.createDirectories(file.getParent());
      Files.writeString(file, "import x\nclass A {\n// TODO " + i + "\n" + "\n".repeat(i));
    }
    Ended ended = survey(folder.toString(), "--workers", "3", "--kill");
    assertThat(ended.said()).contains("check: equal to a plain count of 300 files");
    assertThat(ended.said()).containsPattern("killed java-\\d with \\d+ tasks? in hand");
    assertThat(ended.code()).isZero();
  }

  @Test
  void wrongArgumentsAreRefusedWithWhatWasExpected() throws Exception {
    assertThat(survey(folder.toString(), "--workers", "1", "--kill"))
        .satisfies(ended -> assertThat(ended.code()).isEqualTo(2))
        .satisfies(ended -> assertThat(ended.said()).contains("--workers of at least 2"));
    assertThat(survey(folder.resolve("missing").toString()))
        .satisfies(ended -> assertThat(ended.code()).isEqualTo(2))
        .satisfies(ended -> assertThat(ended.said()).contains("expected: a directory"));
  }

  @Test
  void theHelpOfTheLauncherNamesEveryOption() throws Exception {
    Process launcher =
        new ProcessBuilder("bash", "../../troupe", "survey", "--help")
            .redirectErrorStream(true)
            .start();
    String help = new String(launcher.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(launcher.waitFor()).isZero();
    for (OptionSpec option : new CommandLine(new Survey()).getCommandSpec().options()) {
      if (!option.usageHelp() && !option.versionHelp()) {
        assertThat(help).contains(option.longestName());
      }
    }
  }

  @Test
  void whatToolsAndServersLeaveBehindIsNotSurveyed() throws Exception {
    for (String file :
        List.of(
            "a/Main.java",
            "b c/ü.py",
            ".git/config",
            "a/target/x.class",
            "data/troupe-data",
            "data/redis/appendonly.aof")) {
      Path path = folder.resolve(file);
      Files.createDirectories(path.getParent());
      Files.writeString(path, "x\n");
    }
    assertThat(SourceTree.below(folder).files()).containsExactly("a/Main.java", "b c/ü.py");
  }

  @Test
  void theCheckFindsWhatIsWrong() {
    Counts right = new Counts(3, 1, 1, 1);
    SurveyReport report =
        new SurveyReport(
            Map.of(
                "wrong", SurveyResult.of("wrong", "go", Counts.NONE, "w"),
                "silent", SurveyResult.of("silent", "go", right, "w")),
            Map.of("wrong", right, "silent", right, "missing", right),
            Map.of("w", 2),
            List.of("misrouted"),
            List.of("twice"),
            Set.of());
    assertThat(report.complaints())
        .hasSize(5)
        .anyMatch(complaint -> complaint.startsWith("wrong: Counts[lines=0"))
        .contains(
            "missing: no result",
            "silent: no finding was published",
            "misrouted: went to a worker without its language",
            "twice: completed twice");
  }

  private static Ended survey(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(JavaProcess.command(Survey.class.getName()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    StringWriter said = new StringWriter();
    try (Reader output = new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)) {
      output.transferTo(said);
    }
    return new Ended(process.waitFor(), said.toString());
  }
}
