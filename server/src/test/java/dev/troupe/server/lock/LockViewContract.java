package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.ListLocksResponse;
import dev.troupe.v1.LockChange;
import dev.troupe.v1.LockChangeKind;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.WatchLocksRequest;
import dev.troupe.v1.WatchLocksResponse;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Locks as others see them: one, many, and as they change. */
interface LockViewContract extends LockContract {

  @Test
  default void aLockShowsItsHoldersButNotTheirLeaseIds() {
    LockLease lease = locks().acquire(locks().shared("l", "a").putMetadata("k", "v"));
    locks().acquire(locks().shared("l", "b"));
    LockInfo info = locks().get("l");
    assertThat(info.getHeld()).isEqualTo(2);
    assertThat(info.getHoldersList())
        .extracting(LockLease::getOwner)
        .containsExactlyInAnyOrder("a", "b");
    assertThat(info.getHoldersList()).allMatch(holder -> holder.getLeaseId().isEmpty());
    LockLease seen =
        info.getHoldersList().stream()
            .filter(holder -> holder.getOwner().equals("a"))
            .findFirst()
            .orElseThrow();
    assertThat(seen).isEqualTo(lease.toBuilder().clearLeaseId().clearFence().build());
    assertThat(locks().get("free").getHoldersList()).isEmpty();
  }

  private List<LockInfo> list(ListLocksRequest.Builder request) {
    List<LockInfo> all = new ArrayList<>();
    do {
      ListLocksResponse page =
          locks().b().listLocks(request.setNamespace(locks().namespace()).build());
      assertThat(page.getLocksCount()).isLessThanOrEqualTo(request.getPageSize());
      all.addAll(page.getLocksList());
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    return all;
  }

  @Test
  default void locksAreListedByTheBeginningOfTheirNameInPages() {
    List<LockLease> leases = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      leases.add(locks().acquire(locks().lock("build/" + i, "a")));
      locks().acquire(locks().lock("test/" + i, "a"));
    }
    locks().release(leases.get(5));
    assertThat(list(ListLocksRequest.newBuilder().setPrefix("build/").setPageSize(7)))
        .extracting(LockInfo::getName)
        .hasSize(59)
        .doesNotHaveDuplicates()
        .allMatch(name -> name.startsWith("build/"))
        .doesNotContain("build/5");
    assertThat(list(ListLocksRequest.newBuilder().setPageSize(500))).hasSize(119);
  }

  @Test
  default void locksAreListedByTheirOwner() throws Exception {
    for (int i = 0; i < 30; i++) {
      locks().acquire(locks().lock("a" + i, "a"));
      locks().acquire(locks().lock("b" + i, "b"));
    }
    locks().acquire(locks().shared("both", "a"));
    locks().acquire(locks().shared("both", "b"));
    locks().await(locks().channelA(), locks().lock("b7", "a"));
    assertThat(list(ListLocksRequest.newBuilder().setOwner("a").setPageSize(4)))
        .extracting(LockInfo::getName)
        .hasSize(32)
        .doesNotHaveDuplicates()
        .contains("both", "a0", "a29", "b7")
        .doesNotContain("b8");
    assertThat(list(ListLocksRequest.newBuilder().setOwner("nobody").setPageSize(4))).isEmpty();
    assertThat(
            Refusal.of(
                    () ->
                        locks()
                            .a()
                            .listLocks(
                                ListLocksRequest.newBuilder()
                                    .setNamespace(locks().namespace())
                                    .setPageToken("forged")
                                    .build()))
                .what())
        .isEqualTo("INVALID_ARGUMENT INVALID_PAGE_TOKEN");
  }

  @Test
  default void aWatchTellsEveryChangeAndResumes() throws Exception {
    WatchLocksRequest.Builder watch =
        WatchLocksRequest.newBuilder().setNamespace(locks().namespace()).setPrefix("w");
    Iterator<WatchLocksResponse> changes = watch(watch);
    changes.next();
    LockLease lease = locks().acquire(locks().lock("w", "a"));
    locks().acquire(locks().lock("unwatched", "a"));
    WatchLocksResponse first = changes.next();
    assertThat(first.getChange())
        .isEqualTo(
            LockChange.newBuilder()
                .setKind(LockChangeKind.LOCK_CHANGE_KIND_ACQUIRED)
                .setName("w")
                .setOwner("a")
                .setFencingToken(lease.getFencingToken())
                .setMode(lease.getMode())
                .setPermits(1)
                .build());
    locks().release(lease);
    locks().acquire(locks().lock("w", "b").setTtl(Durations.fromSeconds(1)));
    assertThat(changes.next().getChange().getKind())
        .isEqualTo(LockChangeKind.LOCK_CHANGE_KIND_RELEASED);

    Iterator<WatchLocksResponse> resumed = watch(watch.setResumeToken(first.getResumeToken()));
    List<LockChangeKind> kinds = new ArrayList<>();
    while (kinds.size() < 3) {
      WatchLocksResponse response = resumed.next();
      if (response.hasChange()) {
        kinds.add(response.getChange().getKind());
      }
    }
    assertThat(kinds)
        .containsExactly(
            LockChangeKind.LOCK_CHANGE_KIND_RELEASED,
            LockChangeKind.LOCK_CHANGE_KIND_ACQUIRED,
            LockChangeKind.LOCK_CHANGE_KIND_EXPIRED);
    locks().acquire(locks().lock("w", "c"));
    locks()
        .a()
        .forceRelease(
            ForceReleaseRequest.newBuilder()
                .setNamespace(locks().namespace())
                .setName("w")
                .setReason("stuck")
                .build());
    resumed.next();
    LockChange forced = resumed.next().getChange();
    assertThat(forced.getKind()).isEqualTo(LockChangeKind.LOCK_CHANGE_KIND_FORCED);
    assertThat(forced.getReason()).isEqualTo("stuck");
    assertThat(forced.getOwner()).isEqualTo("c");
  }

  private Iterator<WatchLocksResponse> watch(WatchLocksRequest.Builder request) {
    return LockServiceGrpc.newBlockingStub(locks().channelB())
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .watchLocks(request.build());
  }

  @Test
  default void whatIsWrongIsToldAtOnce() {
    AcquireRequest request =
        AcquireRequest.newBuilder()
            .setNamespace(locks().namespace())
            .setName("a\nb")
            .setLimit(3)
            .setTtl(Durations.fromMillis(1))
            .setWait(Durations.fromSeconds(3601))
            .build();
    Refusal refusal = Refusal.of(() -> locks().a().acquire(request));
    assertThat(refusal.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    assertThat(refusal.fields()).containsOnlyKeys("name", "owner", "limit", "ttl", "wait");
  }

  @Test
  default void aPageWithManyLargeHoldersIsStillOneThatClientsTake() {
    String large = "x".repeat(256);
    AcquireRequest.Builder shape = locks().shared("l", "o");
    for (int i = 0; i < 32; i++) {
      shape.putMetadata(large.substring(0, 250) + i, large);
    }
    for (int i = 0; i < 4; i++) {
      for (int holder = 0; holder < 100; holder++) {
        locks().acquire(shape.clone().setName("l" + i).setOwner("o" + holder));
      }
    }
    assertThat(list(ListLocksRequest.newBuilder().setPageSize(100)))
        .extracting(LockInfo::getName)
        .containsExactlyInAnyOrder("l0", "l1", "l2", "l3");
  }

  @Test
  default void namesOfAnyPrintableBytesAreJustNames() throws Exception {
    List<String> names =
        List.of(
            "%",
            "%z%Z",
            "[^",
            "(%d+",
            "*",
            "?",
            "a b",
            "\\0",
            "'..redis.call('FLUSHALL')..'",
            "{t}",
            "\u00e9\u20ac\ud83d\ude00",
            "s",
            "g",
            "\ud83d\ude00".repeat(64));
    List<LockLease> leases = new ArrayList<>();
    for (String name : names) {
      LockLease lease = locks().acquire(locks().lock(name, name).putMetadata(name, name));
      assertThat(lease.getName()).isEqualTo(name);
      locks().refuse(locks().lock(name, "other").setFence(lease.getFence()));
      leases.add(lease);
    }
    for (String name : names) {
      assertThat(list(ListLocksRequest.newBuilder().setOwner(name).setPageSize(3)))
          .extracting(LockInfo::getName)
          .containsExactly(name);
      assertThat(list(ListLocksRequest.newBuilder().setPrefix(name).setPageSize(3)))
          .extracting(LockInfo::getName)
          .contains(name)
          .allMatch(found -> found.startsWith(name));
    }
    leases.forEach(lease -> assertThat(locks().release(lease)).isTrue());
  }
}
