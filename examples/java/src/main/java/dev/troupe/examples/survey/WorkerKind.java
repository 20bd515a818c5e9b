package dev.troupe.examples.survey;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The languages that workers are written in, and how one is started. */
enum WorkerKind {
  JAVA("java"),
  PYTHON("python"),
  GO("go");

  /** Set by the launcher to the programs that it made ready; see {@code ./troupe survey}. */
  private static final String PYTHON_PROGRAM = "SURVEY_PYTHON";

  private static final String GO_PROGRAM = "SURVEY_GO";
  private static final String HOME = "SURVEY_HOME";

  final String label;

  WorkerKind(String label) {
    this.label = label;
  }

  /** Those whose programs are there. */
  static List<WorkerKind> available(Map<String, String> environment) {
    List<WorkerKind> kinds = new ArrayList<>();
    for (WorkerKind kind : values()) {
      if (kind.program(environment) != null) {
        kinds.add(kind);
      }
    }
    return kinds;
  }

  private @Nullable String program(Map<String, String> environment) {
    String program =
        switch (this) {
          case JAVA -> JavaProcess.program();
          case PYTHON -> environment.get(PYTHON_PROGRAM);
          case GO -> environment.get(GO_PROGRAM);
        };
    return program != null && Files.isExecutable(Path.of(program)) ? program : null;
  }

  /** A process that is not started yet; what it says goes to the file. */
  ProcessBuilder process(Map<String, String> environment, List<String> arguments, Path output) {
    List<String> command = new ArrayList<>();
    String program = String.valueOf(program(environment));
    Path home = Path.of(environment.getOrDefault(HOME, "."));
    switch (this) {
      case JAVA -> command.addAll(JavaProcess.command(SurveyWorker.class.getName(), "-Xmx128m"));
      case PYTHON -> {
        command.add(program);
        command.add(home.resolve("examples/python/survey_worker.py").toString());
      }
      case GO -> command.add(program);
    }
    command.addAll(arguments);
    ProcessBuilder process = new ProcessBuilder(command).redirectErrorStream(true);
    process.redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
    if (this == PYTHON) {
      process.environment().put("PYTHONPATH", home.resolve("proto/gen/python").toString());
    }
    return process;
  }
}
