package dev.troupe.server.cli;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc.LockServiceBlockingStub;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.RenewRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A command, with all processes that it starts, that lives no longer than the lock that it runs
 * under. It is asked to end when the lock cannot be renewed or this process is told to stop, and
 * killed before the lease runs out.
 */
final class LockedProcess {

  private static final Duration CALL = Duration.ofSeconds(3);

  /** Says that the command could not be started, as shells do. */
  private static final int NOT_STARTED = 127;

  /** Exit statuses above it tell of a signal. */
  private static final int SIGNALLED = 128;

  private static final long LOOK_MILLIS = 100;

  /** Looking for all that the command started reads the whole table of processes. */
  private static final int LOOKS_AT_FAMILY = 10;

  private final LockServiceBlockingStub locks;
  private final String namespace;
  private final LockLease lease;
  private final Console console;
  private final long ttlNanos;

  /** Until when the lease is sure to last. */
  private volatile long safeUntilNanos;

  private volatile String lost = "";

  /** The command and what it was seen to start; those of a process that is gone are not found. */
  private final Set<ProcessHandle> family = ConcurrentHashMap.newKeySet();

  @GuardedBy("this")
  private boolean stopping;

  @GuardedBy("this")
  private boolean released;

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
    // The lock is kept until the command has ended: this hook delays the end of our own process. It
    // is there before the command, which may end us at once. A signal before it leaves the lock to
    // its ttl.
    Runtime.getRuntime().addShutdownHook(new Thread(this::stopAndRelease, "ends the command"));
    // How long a lease that was waited for has been running, only a renewal tells.
    safeUntilNanos = askedNanos == 0 ? System.nanoTime() : askedNanos + ttlNanos;
    if (askedNanos == 0) {
      renew();
    }
    try {
      return lost.isEmpty() ? runLocked(command) : lose();
    } finally {
      if (isStopping()) {
        stopFamily();
      }
      release();
    }
  }

  private int runLocked(List<String> command) throws InterruptedException {
    Process started;
    try {
      started = start(command);
    } catch (IOException e) {
      say("cannot run " + command.get(0) + ": no such command, or it may not be run");
      return NOT_STARTED;
    }
    if (started == null) {
      return ExitStatus.REFUSED;
    }
    long renewNanos = safeUntilNanos - ttlNanos + ttlNanos / 3;
    for (int looks = 0; !started.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS); looks++) {
      if (looks % LOOKS_AT_FAMILY == 0) {
        rememberFamily();
      }
      if (System.nanoTime() - renewNanos > 0) {
        // What does not get through is tried again soon.
        renewNanos = renew() ? System.nanoTime() + ttlNanos / 3 : System.nanoTime() + ttlNanos / 20;
      }
      if (!lost.isEmpty() || marginNanos() < ttlNanos / 5) {
        stopFamily();
        return lose();
      }
    }
    if (started.exitValue() > SIGNALLED) {
      // What the signal did not end at once may still be at work.
      stopFamily();
    }
    return started.exitValue();
  }

  /** The command, which is not started any more when a signal came first. */
  private synchronized @Nullable Process start(List<String> command) throws IOException {
    if (stopping) {
      return null;
    }
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().put("TROUPE_LOCK", lease.getName());
    builder.environment().put("TROUPE_FENCING_TOKEN", Long.toString(lease.getFencingToken()));
    Process process = builder.start();
    family.add(process.toHandle());
    return process;
  }

  private synchronized boolean isStopping() {
    return stopping;
  }

  private void rememberFamily() {
    List.copyOf(family).forEach(each -> each.descendants().forEach(family::add));
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

  /**
   * A signal from the terminal ends the command too, mostly first. The lock is given back here all
   * the same: nobody waits for the thread that was to do it.
   */
  private void stopAndRelease() {
    synchronized (this) {
      // A command that is just being started is there afterwards, and none comes later.
      stopping = true;
    }
    stopFamily();
    release();
  }

  /** Asks all processes of the command to end, and kills what is left with a tenth in hand. */
  private void stopFamily() {
    rememberFamily();
    family.forEach(ProcessHandle::destroy);
    while (family.stream().anyMatch(ProcessHandle::isAlive)
        && marginNanos() > ttlNanos / 10
        && lost.isEmpty()) {
      if (marginNanos() < ttlNanos / 2) {
        renew();
      }
      try {
        Thread.sleep(LOOK_MILLIS / 2);
      } catch (InterruptedException e) {
        break;
      }
    }
    rememberFamily();
    family.forEach(ProcessHandle::destroyForcibly);
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

  /** Gives the lock back, once; who comes second waits until that is done. */
  private synchronized void release() {
    if (released) {
      return;
    }
    released = true;
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
