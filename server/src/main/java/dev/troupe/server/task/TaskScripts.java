package dev.troupe.server.task;

import dev.troupe.server.redis.Script;

/** The scripts of the task feature; each says in its header what it takes and answers. */
final class TaskScripts {

  static final Script ENQUEUE = Script.load("task/enqueue");
  static final Script LEASE = Script.load("task/lease");
  static final Script EXTEND = Script.load("task/extend");
  static final Script PROGRESS = Script.load("task/progress");
  static final Script COMPLETE = Script.load("task/complete");
  static final Script FAIL = Script.load("task/fail");
  static final Script RELEASE = Script.load("task/release");
  static final Script CANCEL = Script.load("task/cancel");
  static final Script GET = Script.load("task/get");
  static final Script LIST = Script.load("task/list");
  static final Script REDRIVE = Script.load("task/redrive");
  static final Script PURGE = Script.load("task/purge");
  static final Script CONFIGURE = Script.load("task/configure");
  static final Script STATS = Script.load("task/stats");
  static final Script NAMES = Script.load("task/names");
  static final Script SWEEP = Script.load("task/sweep");
  static final Script OPEN_STREAM = Script.load("task/open_stream");
  static final Script GIVE_BACK = Script.load("task/give_back");
  static final Script END_WORKER = Script.load("task/end_worker");

  private TaskScripts() {}
}
