package dev.troupe.server.task;

import dev.troupe.v1.TaskState;

/** Task states as the scripts write them: one letter each. */
final class TaskStates {

  private TaskStates() {}

  static TaskState of(String letter) {
    return switch (letter) {
      case "W" -> TaskState.TASK_STATE_WAITING;
      case "D" -> TaskState.TASK_STATE_DELAYED;
      case "R" -> TaskState.TASK_STATE_READY;
      case "L" -> TaskState.TASK_STATE_LEASED;
      case "S" -> TaskState.TASK_STATE_SUCCEEDED;
      case "X" -> TaskState.TASK_STATE_DEAD;
      case "C" -> TaskState.TASK_STATE_CANCELLED;
      case "Z" -> TaskState.TASK_STATE_QUARANTINED;
      default -> TaskState.TASK_STATE_UNSPECIFIED;
    };
  }

  static String letter(TaskState state) {
    return switch (state) {
      case TASK_STATE_WAITING -> "W";
      case TASK_STATE_DELAYED -> "D";
      case TASK_STATE_READY -> "R";
      case TASK_STATE_LEASED -> "L";
      case TASK_STATE_SUCCEEDED -> "S";
      case TASK_STATE_DEAD -> "X";
      case TASK_STATE_CANCELLED -> "C";
      case TASK_STATE_QUARANTINED -> "Z";
      case TASK_STATE_UNSPECIFIED, UNRECOGNIZED -> "";
    };
  }

  static boolean ended(TaskState state) {
    return switch (state) {
      case TASK_STATE_SUCCEEDED, TASK_STATE_DEAD, TASK_STATE_CANCELLED, TASK_STATE_QUARANTINED ->
          true;
      default -> false;
    };
  }
}
