package dev.troupe.server.lock.history;

import dev.troupe.v1.LockMode;

/**
 * A time during which a client was sure to hold a lock, by the clock that all clients share.
 *
 * @param fromNanos when it had the answer
 * @param untilNanos when it began to release it, or when its lease may have run out at the earliest
 */
record Tenure(
    String lock,
    LockMode mode,
    int permits,
    String owner,
    long token,
    long fromNanos,
    long untilNanos) {}
