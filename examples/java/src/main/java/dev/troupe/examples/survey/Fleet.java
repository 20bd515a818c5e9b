package dev.troupe.examples.survey;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The worker processes. Each leaves out some of the languages, so that tasks have to find their
 * workers; each language has at least two workers, so that one may be killed.
 *
 * <p>Thread-safe.
 */
final class Fleet implements AutoCloseable {

  private static final List<String> LANGUAGES =
      List.of("java", "python", "go", "javascript", "c", "rust", "lua", "shell", "proto", "other");
  private static final long STOP_SECONDS = 15;

  /** One worker: a place in the fleet, and the process that fills it now. */
  record Member(int place, WorkerKind kind, String id, List<String> languages, Process process) {}

  private final String server;
  private final String queue;
  private final Path root;
  private final Path logs;
  private final int size;
  private final List<WorkerKind> kinds;
  private final Map<String, Member> alive = new LinkedHashMap<>();
  private final Map<String, Member> known = new LinkedHashMap<>();
  private int started;

  Fleet(String server, String queue, Path root, Path logs, int size, List<WorkerKind> kinds) {
    this.server = server;
    this.queue = queue;
    this.root = root;
    this.logs = logs;
    this.size = size;
    this.kinds = kinds;
  }

  void start() throws IOException {
    for (int place = 0; place < size; place++) {
      start(place);
    }
  }

  private synchronized void start(int place) throws IOException {
    WorkerKind kind = kinds.get(place % kinds.size());
    String id = kind.label + "-" + ++started;
    List<String> languages = languages(place);
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--server", server, "--queue", queue, "--worker-id", id));
    arguments.addAll(List.of("--root", root.toString()));
    for (String language : languages) {
      arguments.addAll(List.of("--capability", "language=" + language));
    }
    Process process = kind.process(System.getenv(), arguments, logs.resolve(id + ".log")).start();
    Member member = new Member(place, kind, id, languages, process);
    alive.put(id, member);
    known.put(id, member);
  }

  private List<String> languages(int place) {
    if (size < 3) {
      return LANGUAGES;
    }
    List<String> languages = new ArrayList<>();
    for (int i = 0; i < LANGUAGES.size(); i++) {
      // Never the one that the worker itself is written in.
      if (i % size != (place + 1) % size) {
        languages.add(LANGUAGES.get(i));
      }
    }
    return languages;
  }

  /** Kills a worker with SIGKILL: it can neither report nor say goodbye. */
  synchronized void kill(String id) {
    member(id).process().destroyForcibly();
    alive.remove(id);
  }

  /** Starts another worker, under a new id, in the place of one that was killed. */
  synchronized void replace(String id) throws IOException {
    start(member(id).place());
  }

  /** What a worker of this id can do, dead ones included. */
  synchronized List<String> languagesOf(String id) {
    return member(id).languages();
  }

  private Member member(String id) {
    Member member = known.get(id);
    if (member == null) {
      throw new IllegalStateException("no worker " + id);
    }
    return member;
  }

  synchronized List<String> ids() {
    return List.copyOf(alive.keySet());
  }

  /** The first worker that ended by itself, or null: that is a fault. */
  synchronized @Nullable Member fallen() {
    return alive.values().stream()
        .filter(member -> !member.process().isAlive())
        .findFirst()
        .orElse(null);
  }

  /** Asks all to stop, and kills those that do not. */
  @Override
  public synchronized void close() {
    alive.values().forEach(member -> member.process().destroy());
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
    for (Member member : alive.values()) {
      try {
        if (!member.process().waitFor(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          member.process().destroyForcibly();
        }
      } catch (InterruptedException e) {
        member.process().destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
    alive.clear();
  }
}
