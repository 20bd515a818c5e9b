package dev.troupe.examples.survey;

import dev.troupe.v1.TaskSpec;

/** The tasks of a survey: one a file, for a worker that knows its language. */
final class Tasks {

  private Tasks() {}

  static TaskSpec of(String file, long pauseMillis, int priority) {
    String language = SurveyRules.languageOf(file);
    return TaskSpec.newBuilder()
        // A producer that repeats itself adds nothing: the file is the task's identity.
        .setTaskId(idOf(file))
        .setType("survey.file")
        .setContentType("application/json")
        .setPayload(new SurveyTask(file, language, pauseMillis).toBytes())
        .setPriority(priority)
        .addRequires("language=" + language)
        .build();
  }

  /** Task ids take 256 bytes; longer paths are cut and told apart by a hash. */
  static String idOf(String file) {
    byte[] bytes = file.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    if (bytes.length <= 256 && file.chars().noneMatch(Character::isISOControl)) {
      return file;
    }
    return java.util.UUID.nameUUIDFromBytes(bytes).toString();
  }
}
