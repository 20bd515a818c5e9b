package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.server.config.DurationText;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.ForceReleaseResponse;
import dev.troupe.v1.GetLockRequest;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.ListLocksResponse;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockServiceGrpc.LockServiceBlockingStub;
import dev.troupe.v1.Refusal;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.ReleaseLockResponse;
import dev.troupe.v1.WatchLocksRequest;
import dev.troupe.v1.WatchLocksResponse;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe locks}: who holds what, and a lock around a command. */
@Command(
    name = "locks",
    mixinStandardHelpOptions = true,
    description = "Who holds what, and a lock around a command.")
final class LocksCommand {

  private static final int LARGEST_PAGE = 500;

  private final Console console;

  LocksCommand(Console console) {
    this.console = console;
  }

  /** How a lock is wanted. */
  static final class Wanted {

    @Parameters(index = "0", paramLabel = "LOCK", description = "Its name.")
    String name = "";

    @Option(
        names = "--owner",
        description = "Who wants it (default: this command alone).",
        defaultValue = "")
    String owner = "";

    @Option(names = "--shared", description = "Beside others who want it shared.")
    boolean shared;

    @Option(
        names = "--permits",
        paramLabel = "N",
        defaultValue = "0",
        description = "So many permits of a semaphore.")
    int permits;

    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "0",
        description = "All permits of the semaphore.")
    int limit;

    @Option(
        names = "--ttl",
        paramLabel = "DURATION",
        defaultValue = "30s",
        description = "How long it lasts without renewal (default: ${DEFAULT-VALUE}).")
    Duration ttl = Duration.ofSeconds(30);

    @Option(
        names = "--wait",
        paramLabel = "DURATION",
        defaultValue = "0s",
        description =
            "How long to wait for it, up to --timeout if that is given (default:"
                + " ${DEFAULT-VALUE}).")
    Duration wait = Duration.ZERO;

    AcquireRequest request(ServerOptions options) {
      check();
      return AcquireRequest.newBuilder()
          .setNamespace(options.namespace)
          .setName(name)
          .setOwner(
              owner.isEmpty()
                  ? "troupe-cli-" + ProcessHandle.current().pid() + "-" + UUID.randomUUID()
                  : owner)
          .setMode(mode())
          .setPermits(permits)
          .setLimit(limit)
          .setTtl(Durations.fromNanos(ttl.toNanos()))
          .setWait(Durations.fromNanos(options.waiting(wait).toNanos()))
          .setRequestId(UUID.randomUUID().toString())
          .build();
    }

    private void check() {
      Given.limit(limit);
      if (shared && (limit > 0 || permits > 0)) {
        throw new UsageException("--shared: not with --limit or --permits, of a semaphore");
      }
      if (permits > 0 && limit == 0) {
        throw new UsageException("--permits: only with --limit, all permits of the semaphore");
      }
    }

    private LockMode mode() {
      if (limit > 0) {
        return LockMode.LOCK_MODE_SEMAPHORE;
      }
      return shared ? LockMode.LOCK_MODE_SHARED : LockMode.LOCK_MODE_EXCLUSIVE;
    }
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists the locks that are held or waited for.")
  int list(
      @Mixin ServerOptions options,
      @Option(names = "--prefix", defaultValue = "", description = "Only names that begin so.")
          String prefix,
      @Option(
              names = "--owner",
              defaultValue = "",
              description = "Only what this owner holds or waits for.")
          String owner,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int limit) {
    ListLocksRequest.Builder request =
        ListLocksRequest.newBuilder()
            .setNamespace(options.namespace)
            .setPrefix(prefix)
            .setOwner(owner);
    try (Connection connection = options.connect()) {
      List<LockInfo> locks =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listLocks(request.setPageSize(size).setPageToken(token).build()),
              ListLocksResponse::getLocksList,
              ListLocksResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              locks,
              List.of("LOCK", "MODE", "HELD", "OWNERS", "WAITING", "UNTIL"),
              lock ->
                  List.of(
                      lock.getName(),
                      lock.getHeld() == 0 ? "" : Text.of(lock.getMode()),
                      lock.getHeld() + (lock.getLimit() > 0 ? "/" + lock.getLimit() : ""),
                      lock.getHoldersList().stream()
                          .map(LockLease::getOwner)
                          .limit(3)
                          .collect(Collectors.joining(",")),
                      Integer.toString(lock.getWaiterCount()),
                      lock.getHoldersCount() == 0
                          ? ""
                          : Text.of(lock.getHolders(0).getExpireTime())));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Shows one lock with those who hold it and those who wait.")
  int get(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "LOCK", description = "Its name.") String name) {
    try (Connection connection = options.connect()) {
      LockInfo lock =
          stub(connection, options)
              .getLock(
                  GetLockRequest.newBuilder().setNamespace(options.namespace).setName(name).build())
              .getLock();
      new Printer(console.out(), options.output)
          .one(
              lock,
              "lock",
              lock.getName(),
              "mode",
              lock.getHeld() == 0 ? "free" : Text.of(lock.getMode()),
              "held by",
              lock.getHoldersList().stream()
                  .map(
                      held ->
                          held.getOwner()
                              + " (token "
                              + held.getFencingToken()
                              + ", until "
                              + Text.of(held.getExpireTime())
                              + ")")
                  .collect(Collectors.joining(", ")),
              "waiting",
              lock.getWaitersList().stream()
                  .map(waiter -> waiter.getPlace() + ". " + waiter.getOwner())
                  .collect(Collectors.joining(", ")),
              "permits",
              lock.getLimit() == 0 ? "" : lock.getHeld() + " of " + lock.getLimit());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "acquire",
      mixinStandardHelpOptions = true,
      description = "Acquires a lock, and leaves it until it is released or runs out.")
  int acquire(@Mixin ServerOptions options, @Mixin Wanted wanted) {
    try (Connection connection = options.connect()) {
      AcquireResponse response = acquire(connection, options, wanted);
      if (!response.hasLease()) {
        return refused(options, wanted, response);
      }
      LockLease lease = response.getLease();
      new Printer(console.out(), options.output)
          .one(
              lease,
              "lock",
              lease.getName(),
              "lease",
              lease.getLeaseId(),
              "owner",
              lease.getOwner(),
              "fencing token",
              Long.toString(lease.getFencingToken()),
              "until",
              Text.of(lease.getExpireTime()));
    }
    return ExitStatus.OK;
  }

  private AcquireResponse acquire(Connection connection, ServerOptions options, Wanted wanted) {
    AcquireRequest request = wanted.request(options);
    LockServiceBlockingStub locks =
        Connection.within(
            LockServiceGrpc.newBlockingStub(connection.channel()),
            options.timeoutWaiting(wanted.wait));
    if (options.output == OutputFormat.JSON
        || Durations.toMillis(request.getWait()) <= WaitNotice.MOMENT.toMillis()) {
      return locks.acquire(request);
    }
    try (WaitNotice notice = new WaitNotice(console.err(), Text.printable(wanted.name))) {
      return locks.acquire(request);
    }
  }

  private int refused(ServerOptions options, Wanted wanted, AcquireResponse response) {
    if (options.output == OutputFormat.JSON) {
      new Printer(console.out(), options.output).one(response);
      return ExitStatus.TIMED_OUT;
    }
    String name = Text.printable(wanted.name);
    String said =
        response.getRefusal() == Refusal.REFUSAL_TIMED_OUT
            ? "waited "
                + DurationText.of(options.waiting(wanted.wait))
                + " for "
                + name
                + " in vain: "
            : name + " cannot be had now: ";
    String holder =
        response.getHeldBy().isEmpty()
            ? "nobody holds it now"
            : Text.printable(response.getHeldBy()) + " holds it";
    String until =
        response.hasHeldUntil()
            ? ", until " + Text.of(response.getHeldUntil()) + " if not renewed"
            : "";
    String others =
        response.getWaitersAhead() == 0
            ? ""
            : "; " + response.getWaitersAhead() + " more wait for it";
    console.err().println(said + holder + until + others);
    console.err().flush();
    return ExitStatus.TIMED_OUT;
  }

  @Command(name = "release", mixinStandardHelpOptions = true, description = "Gives a lease back.")
  int release(
      @Mixin ServerOptions options,
      @Parameters(index = "0", paramLabel = "LOCK", description = "Its name.") String name,
      @Parameters(index = "1", paramLabel = "LEASE", description = "As acquire printed it.")
          String leaseId) {
    try (Connection connection = options.connect()) {
      ReleaseLockResponse response =
          stub(connection, options)
              .releaseLock(
                  ReleaseLockRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setName(name)
                      .setLeaseId(leaseId)
                      .build());
      new Printer(console.out(), options.output)
          .one(response, "released", response.getReleased() ? "yes" : "no, it was gone already");
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "break",
      mixinStandardHelpOptions = true,
      description = "Takes a lock away from its holders.")
  int force(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "LOCK", description = "Its name.") String name,
      @Option(names = "--owner", defaultValue = "", description = "Only from this owner.")
          String owner,
      @Option(names = "--reason", required = true, description = "Why, for the log.")
          String reason) {
    ForceReleaseRequest request =
        ForceReleaseRequest.newBuilder()
            .setNamespace(options.namespace)
            .setName(name)
            .setOwner(owner)
            .setReason(reason)
            .build();
    List<LockLease> released = new ArrayList<>();
    try (Connection connection = options.connect()) {
      ForceReleaseResponse response;
      do {
        response = stub(connection, options).forceRelease(request);
        released.addAll(response.getReleasedList());
      } while (response.getMore());
      if (released.isEmpty()) {
        console
            .err()
            .println((owner.isEmpty() ? "nobody holds " : owner + " does not hold ") + name);
        console.err().flush();
        return ExitStatus.OK;
      }
      new Printer(console.out(), options.output)
          .list(
              released,
              List.of("OWNER", "TOKEN", "MODE"),
              lease ->
                  List.of(
                      lease.getOwner(),
                      Long.toString(lease.getFencingToken()),
                      Text.of(lease.getMode())));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "run",
      mixinStandardHelpOptions = true,
      description = {
        "Runs a command while a lock is held, and exits as it did. Put -- before it.",
        "The lock is renewed meanwhile. When that fails, the command and all processes that",
        "it started are ended before the lease runs out; when somebody takes the lock away,",
        "within a third of its time. The command finds the lock in TROUPE_LOCK and its token",
        "in TROUPE_FENCING_TOKEN. With -o json a lock that cannot be had is told as a document;",
        "what the command prints is its own.",
        "Exit status, if not the command's: 1 the lock was lost, 3 no server, 5 not to be",
        "had in time, 127 no such command."
      })
  int run(
      @Mixin ServerOptions options,
      @Mixin Wanted wanted,
      @Parameters(index = "1..*", arity = "1..*", paramLabel = "COMMAND", description = "To run.")
          List<String> command)
      throws Exception {
    try (Connection connection = options.connect()) {
      long askedNanos = System.nanoTime();
      AcquireResponse response = acquire(connection, options, wanted);
      if (!response.hasLease()) {
        return refused(options, wanted, response);
      }
      return new LockedProcess(
              LockServiceGrpc.newBlockingStub(connection.channel()),
              options.namespace,
              response.getLease(),
              console)
          .run(command, wanted.wait.isZero() ? askedNanos : 0);
    }
  }

  @Command(
      name = "watch",
      mixinStandardHelpOptions = true,
      description = "Prints every change of the locks that match.")
  int watch(
      @Mixin ServerOptions options,
      @Option(names = "--name", description = "Only this lock; repeatable.")
          @Nullable List<String> names,
      @Option(names = "--prefix", defaultValue = "", description = "Only names that begin so.")
          String prefix,
      @Option(
              names = "--from",
              paramLabel = "TOKEN",
              defaultValue = "",
              description = "After the change that this token came with (default: now).")
          String token,
      @Option(names = "--limit", defaultValue = "0", description = "End after so many; 0: never.")
          long limit) {
    WatchLocksRequest request =
        WatchLocksRequest.newBuilder()
            .setNamespace(options.namespace)
            .addAllNames(Given.list(names))
            .setPrefix(prefix)
            .setResumeToken(token)
            .build();
    Printer printer = new Printer(console.out(), options.output);
    try (Connection connection = options.connect();
        ResumeHint hint = new ResumeHint(console)) {
      LockServiceBlockingStub stub = LockServiceGrpc.newBlockingStub(connection.channel());
      Iterator<WatchLocksResponse> responses =
          Connection.within(stub, options.timeout).watchLocks(request);
      return Streams.read(
          responses,
          limit,
          options.timeout != null,
          response -> {
            hint.at(response.getResumeToken());
            if (response.getMissed() > 0) {
              hint.say(response.getMissed() + " changes can no longer be read");
            }
            if (!response.hasChange()) {
              return 0;
            }
            hint.read();
            printer.next(
                response,
                Text.of(response.getTime()),
                Text.of(response.getChange().getKind()),
                response.getChange().getName(),
                response.getChange().getOwner(),
                response.getChange().getFencingToken() == 0
                    ? ""
                    : Long.toString(response.getChange().getFencingToken()),
                response.getChange().getReason());
            return 1;
          });
    } catch (StatusRuntimeException refusal) {
      throw Streams.refused(refusal, token, "a token of a watch with the same arguments");
    }
  }

  private static LockServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        LockServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
