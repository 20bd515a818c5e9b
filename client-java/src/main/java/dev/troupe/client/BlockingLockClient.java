package dev.troupe.client;

import static dev.troupe.client.Blocking.await;

import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.ForceReleaseResponse;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.ListLocksResponse;
import dev.troupe.v1.LockInfo;
import java.time.Duration;
import java.util.Optional;

/** {@link LockClient} for callers who wait. Every call throws {@link TroupeClientException}. */
public final class BlockingLockClient {

  private final LockClient locks;

  BlockingLockClient(LockClient locks) {
    this.locks = locks;
  }

  /** See {@link LockClient#acquire(String, String, Duration)}. */
  public Optional<LockHandle> acquire(String name, String owner, Duration wait) {
    return await(locks.acquire(name, owner, wait));
  }

  /** See {@link LockClient#acquire(AcquireRequest)}. */
  public Optional<LockHandle> acquire(AcquireRequest request) {
    return await(locks.acquire(request));
  }

  /** See {@link LockClient#get}. */
  public LockInfo get(String name) {
    return await(locks.get(name));
  }

  /** See {@link LockClient#list}. */
  public ListLocksResponse list(ListLocksRequest request) {
    return await(locks.list(request));
  }

  /** See {@link LockClient#forceRelease}. */
  public ForceReleaseResponse forceRelease(ForceReleaseRequest request) {
    return await(locks.forceRelease(request));
  }
}
