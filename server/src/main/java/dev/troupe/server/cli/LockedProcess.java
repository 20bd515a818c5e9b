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
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process that lives no longer than the lock that it runs under. */
final class LockedProcess {

  private static final Duration CALL = Duration.ofSeconds(3);

  private final LockServiceBlockingStub locks;
  private final String namespace;
  private final LockLease lease;
  private final Console console;
  private final long ttlNanos;

  LockedProcess(LockServiceBlockingStub locks, String namespace, LockLease lease, Console console) {
    this.locks = locks;
    this.namespace = namespace;
    this.lease = lease;
    this.console = console;
    this.ttlNanos = Durations.toNanos(lease.getTtl());
  }

  /**
   * Runs a command to its end, or ends it with a tenth of the lease in hand when the lease cannot
   * be renewed.
   *
   * @param askedNanos when the lease was asked for, if it was granted at once; 0 otherwise
   * @return the command's exit status, or that of a refusal
   */
  int run(List<String> command, long askedNanos) throws IOException, InterruptedException {
    // How long a lease that was waited for has been running, only a renewal tells.
    long renewed = askedNanos == 0 ? renew(System.nanoTime() - ttlNanos) : askedNanos;
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().put("TROUPE_LOCK", lease.getName());
    builder.environment().put("TROUPE_FENCING_TOKEN", Long.toString(lease.getFencingToken()));
    Process process = builder.start();
    Thread ending = new Thread(process::destroy, "ends the command");
    Runtime.getRuntime().addShutdownHook(ending);
    try {
      while (!process.waitFor(ttlNanos / 3, TimeUnit.NANOSECONDS)) {
        renewed = renew(renewed);
        if (System.nanoTime() - renewed > ttlNanos - ttlNanos / 10 - ttlNanos / 3) {
          console.err().println("the lock could not be renewed, so the command is ended");
          console.err().flush();
          process.destroy();
          if (!process.waitFor(ttlNanos / 10, TimeUnit.NANOSECONDS)) {
            process.destroyForcibly();
          }
          return ExitStatus.REFUSED;
        }
      }
      return process.exitValue();
    } finally {
      release();
    }
  }

  /** When the last renewal that went through was asked for. */
  private long renew(long before) {
    long asked = System.nanoTime();
    try {
      Connection.within(locks, within(before))
          .renew(
              RenewRequest.newBuilder()
                  .setNamespace(namespace)
                  .setName(lease.getName())
                  .setLeaseId(lease.getLeaseId())
                  .build());
      return asked;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode() == Status.Code.FAILED_PRECONDITION ? asked - ttlNanos : before;
    }
  }

  private Duration within(long before) {
    long left = Math.max(ttlNanos / 10, before + ttlNanos / 2 - System.nanoTime());
    return Duration.ofNanos(Math.min(CALL.toNanos(), left));
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
      console.err().println("the lock could not be released and runs out by itself: " + e);
      console.err().flush();
    }
  }
}
