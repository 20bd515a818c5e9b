"""A lock held while something is done, by nothing but the generated stubs.

It shows what a holder needs: a wait that survives a broken connection, renewals, word of a lease
that can no longer be relied on before it runs out, and a fence for what it writes meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator

import grpc
import grpc.aio
from google.protobuf import duration_pb2
from troupe.v1 import error_reason_pb2 as errors
from troupe.v1 import event_stream_service_pb2 as events
from troupe.v1 import event_stream_service_pb2_grpc as events_grpc
from troupe.v1 import lock_service_pb2 as locks
from troupe.v1 import lock_service_pb2_grpc as locks_grpc

log = logging.getLogger("lock")

CALL_TIMEOUT = 3.0
# Nobody knows what came of such a call: the same request_id finds out.
UNKNOWN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


class Lock:
    """One lock, wanted or held by one owner.

    `lost` is set when the lease can no longer be relied on: while a fifth of it is left when it
    could not be renewed, at the next renewal when somebody took it away.
    """

    def __init__(
        self, stub: locks_grpc.LockServiceStub, name: str, owner: str, ttl: float = 30.0
    ) -> None:
        self.lost = asyncio.Event()
        self._stub = stub
        self._name = name
        self._owner = owner
        self._ttl = ttl
        self._lease = locks.LockLease()
        # By this machine's own clock, counted from before the call that made the lease last.
        self._safe_until = 0.0

    @property
    def fence(self) -> errors.Fence:
        """Goes along with every write: a late one is refused, whatever went wrong here."""
        return self._lease.fence

    async def acquire(self, wait: float) -> bool:
        """Waits for the lock. Whatever breaks meanwhile, a repeat keeps the place in the queue."""
        request_id = str(uuid.uuid4())
        end = time.monotonic() + wait
        while True:
            left = max(0.0, end - time.monotonic())
            request = locks.AcquireRequest(
                name=self._name,
                owner=self._owner,
                ttl=_duration(self._ttl),
                wait=_duration(left),
                request_id=request_id,
            )
            try:
                answer = await self._stub.Acquire(request, timeout=left + CALL_TIMEOUT)
            except grpc.aio.AioRpcError as error:
                if error.code() not in UNKNOWN or left == 0:
                    raise
                log.warning("asking again: %s", error.details())
                await asyncio.sleep(0.2)
                continue
            if not answer.HasField("lease"):
                log.info("held by %s", answer.held_by or "nobody now")
                return False
            self._lease = answer.lease
            # How long a lease that was waited for has been running, only a renewal tells.
            await self._renew()
            return not self.lost.is_set()

    async def keep(self) -> None:
        """Renews until the lease is lost; ends no sooner."""
        pause = self._ttl / 3
        while not self.lost.is_set():
            await asyncio.sleep(pause)
            # What does not get through is tried again soon.
            pause = self._ttl / 3 if await self._renew() else self._ttl / 20
            if time.monotonic() > self._safe_until - self._ttl / 5:
                self.lost.set()

    async def _renew(self) -> bool:
        asked = time.monotonic()
        request = locks.RenewRequest(name=self._name, lease_id=self._lease.lease_id)
        try:
            # A call that is not answered must not use up the lease.
            await self._stub.Renew(request, timeout=min(CALL_TIMEOUT, self._ttl / 10))
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                self.lost.set()
            return False
        self._safe_until = asked + self._ttl
        return True

    async def release(self) -> None:
        """Gives the lock back; when that cannot be said, it runs out by itself."""
        request = locks.ReleaseLockRequest(name=self._name, lease_id=self._lease.lease_id)
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self._stub.ReleaseLock(request, timeout=CALL_TIMEOUT)


def _duration(seconds: float) -> duration_pb2.Duration:
    return duration_pb2.Duration(
        seconds=int(seconds), nanos=int((seconds - int(seconds)) * 1_000_000_000)
    )


@contextlib.asynccontextmanager
async def held(lock: Lock, wait: float) -> AsyncIterator[Lock | None]:
    """Holds a lock for as long as the block lasts; None when it was not to be had in time."""
    if not await lock.acquire(wait):
        yield None
        return
    renewals = asyncio.create_task(lock.keep())
    try:
        yield lock
    finally:
        renewals.cancel()
        await lock.release()


async def deploy(channel: grpc.aio.Channel, name: str, owner: str, wait: float) -> bool:
    """Something that one at a time may do: here, an event is published under the lock's fence."""
    async with held(Lock(locks_grpc.LockServiceStub(channel), name, owner), wait) as lock:
        if lock is None:
            return False
        await events_grpc.EventStreamServiceStub(channel).Publish(
            events.PublishRequest(
                topic="deployments",
                event=events.Event(
                    id=str(uuid.uuid4()),
                    source=owner,
                    type="deployment.began",
                    subject=name,
                ),
                fence=lock.fence,
            ),
            timeout=CALL_TIMEOUT,
        )
        return not lock.lost.is_set()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lock", help="its name")
    parser.add_argument("--server", default="localhost:7070", metavar="HOST:PORT")
    parser.add_argument("--owner", default=f"{socket.gethostname()}-{os.getpid()}")
    parser.add_argument("--wait", type=float, default=10.0, metavar="SECONDS")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    async with grpc.aio.insecure_channel(options.server) as channel:
        done = await deploy(channel, options.lock, options.owner, options.wait)
    log.info("done" if done else "not done")
    raise SystemExit(0 if done else 1)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except grpc.RpcError as refusal:
        raise SystemExit(f"{refusal.code().name}: {refusal.details()}") from None
