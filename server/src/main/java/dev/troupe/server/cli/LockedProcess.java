package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc.LockServiceBlockingStub;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.RenewRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A command, with all processes that it starts, that lives no longer than the lock that it runs
 * under. It is asked to end when the lock cannot be renewed or this process is told to stop, and
 * killed before the lease runs out.
 */
final class LockedProcess {

  private static final Duration CALL = Duration.ofSeconds(3);

  /** Says that the command could not be started, as shells do. */
  private static final int NOT_STARTED = 127;

  private static final long LOOK_MILLIS = 100;

  private final LockServiceBlockingStub locks;
  private final String namespace;
  private final LockLease lease;
  private final Console console;
  private final long ttlNanos;

  /** Until when the lease is sure to last. */
  private volatile long safeUntilNanos;

  private volatile String lost = "";

  LockedProcess(LockServiceBlockingStub locks, String namespace, LockLease lease, Console console) {
    this.locks = locks;
    this.namespace = namespace;
    this.lease = lease;
    this.console = console;
    this.ttlNanos = Durations.toNanos(lease.getTtl());
  }

  /**
   * Runs a command to its end, or ends it.
   *
   * @param askedNanos when the lease was asked for, if it was granted at once; 0 otherwise
   * @return the command's exit status; 1 when the lock was lost, 127 when it could not be started
   */
  int run(List<String> command, long askedNanos) throws InterruptedException {
    // How long a lease that was waited for has been running, only a renewal tells.
    safeUntilNanos = askedNanos == 0 ? System.nanoTime() : askedNanos + ttlNanos;
    if (askedNanos == 0) {
      renew();
    }
    try {
      return lost.isEmpty() ? runLocked(command) : lose();
    } finally {
      release();
    }
  }

  private int runLocked(List<String> command) throws InterruptedException {
    Process process;
    try {
      ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
      builder.environment().put("TROUPE_LOCK", lease.getName());
      builder.environment().put("TROUPE_FENCING_TOKEN", Long.toString(lease.getFencingToken()));
      process = builder.start();
    } catch (IOException e) {
      say("cannot run " + command.get(0) + ": no such command, or it may not be run");
      return NOT_STARTED;
    }
    // The lock is kept until the command has ended: this hook delays the end of our own process.
    Thread stopping = new Thread(() -> stopAndRelease(process), "ends the command");
    Runtime.getRuntime().addShutdownHook(stopping);
    long renewNanos = safeUntilNanos - ttlNanos + ttlNanos / 3;
    while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      if (System.nanoTime() - renewNanos > 0) {
        // What does not get through is tried again soon.
        renewNanos = renew() ? System.nanoTime() + ttlNanos / 3 : System.nanoTime() + ttlNanos / 20;
      }
      if (!lost.isEmpty() || marginNanos() < ttlNanos / 5) {
        stop(process);
        return lose();
      }
    }
    return process.exitValue();
  }

  private int lose() {
    say(
        lost.isEmpty()
            ? "the lock could not be renewed, so the command was ended"
            : "the lock was lost (" + lost + "), so the command was ended");
    return ExitStatus.REFUSED;
  }

  /** What is left of the lease. */
  private long marginNanos() {
    return safeUntilNanos - System.nanoTime();
  }

  private void stopAndRelease(Process process) {
    if (process.isAlive()) {
      stop(process);
      release();
    }
  }

  /** Asks all processes of the command to end, and kills what is left with a tenth in hand. */
  private void stop(Process process) {
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process.toHandle());
    all.forEach(ProcessHandle::destroy);
    while (all.stream().anyMatch(ProcessHandle::isAlive)
        && marginNanos() > ttlNanos / 10
        && lost.isEmpty()) {
      if (marginNanos() < ttlNanos / 2) {
        renew();
      }
      try {
        process.waitFor(LOOK_MILLIS / 2, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        break;
      }
    }
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    all.forEach(ProcessHandle::destroyForcibly);
  }

  /** Whether it went through. */
  private boolean renew() {
    long asked = System.nanoTime();
    try {
      Connection.within(locks, callTime())
          .renew(
              RenewRequest.newBuilder()
                  .setNamespace(namespace)
                  .setName(lease.getName())
                  .setLeaseId(lease.getLeaseId())
                  .build());
      safeUntilNanos = asked + ttlNanos;
      return true;
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.FAILED_PRECONDITION) {
        lost = "it ran out or was taken away";
      }
      return false;
    }
  }

  /** A call that is not answered must not use up the lease. */
  private Duration callTime() {
    long part = Math.max(TimeUnit.MILLISECONDS.toNanos(50), marginNanos() / 4);
    return Duration.ofNanos(Math.min(CALL.toNanos(), part));
  }

  private void release() {
    try {
      Connection.within(locks, CALL)
          .releaseLock(
              ReleaseLockRequest.newBuilder()
                  .setNamespace(namespace)
                  .setName(lease.getName())
                  .setLeaseId(lease.getLeaseId())
                  .build());
    } catch (StatusRuntimeException e) {
      say("the lock could not be given back and runs out by itself");
    }
  }

  private void say(String text) {
    console.err().println(text);
    console.err().flush();
  }
}
