"""The example of a lock, against a small server that speaks the contract."""

import asyncio
import contextlib

import grpc
import grpc.aio
import held_lock
from google.protobuf import duration_pb2
from troupe.v1 import error_reason_pb2 as errors
from troupe.v1 import event_stream_service_pb2 as events
from troupe.v1 import event_stream_service_pb2_grpc as events_grpc
from troupe.v1 import lock_service_pb2 as locks
from troupe.v1 import lock_service_pb2_grpc as locks_grpc

FENCE = errors.Fence(name="locks/l", token=7)


class FakeTroupe(locks_grpc.LockServiceServicer, events_grpc.EventStreamServiceServicer):
    """One lock, which is free; takes notes, and fails as it is told to."""

    def __init__(self) -> None:
        self.acquired: list[locks.AcquireRequest] = []
        self.renewed = 0
        self.released: list[locks.ReleaseLockRequest] = []
        self.published: list[events.PublishRequest] = []
        self.broken_acquires = 0
        self.held_by = ""
        self.renewal_fails_with: grpc.StatusCode | None = None

    async def Acquire(self, request, context):
        self.acquired.append(request)
        if self.broken_acquires > 0:
            self.broken_acquires -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "stopping")
        if self.held_by:
            return locks.AcquireResponse(refusal=locks.REFUSAL_TIMED_OUT, held_by=self.held_by)
        return locks.AcquireResponse(
            lease=locks.LockLease(name=request.name, lease_id="secret", fence=FENCE)
        )

    async def Renew(self, request, context):
        assert request.lease_id == "secret"
        if self.renewal_fails_with is not None:
            await context.abort(self.renewal_fails_with, "no")
        self.renewed += 1
        return locks.RenewResponse()

    async def ReleaseLock(self, request, context):
        self.released.append(request)
        return locks.ReleaseLockResponse(released=True)

    async def Publish(self, request, context):
        self.published.append(request)
        return events.PublishResponse()


@contextlib.asynccontextmanager
async def serving(troupe: FakeTroupe):
    server = grpc.aio.server()
    locks_grpc.add_LockServiceServicer_to_server(troupe, server)
    events_grpc.add_EventStreamServiceServicer_to_server(troupe, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


def test_what_is_done_under_a_lock_carries_its_fence_and_the_lock_is_given_back():
    async def run():
        troupe = FakeTroupe()
        async with serving(troupe) as channel:
            assert await held_lock.deploy(channel, "l", "me", 5)
        assert [request.fence for request in troupe.published] == [FENCE]
        assert [request.lease_id for request in troupe.released] == ["secret"]

    asyncio.run(run())


def test_a_wait_that_broke_is_the_same_wait_again():
    async def run():
        troupe = FakeTroupe()
        troupe.broken_acquires = 2
        async with serving(troupe) as channel:
            assert await held_lock.deploy(channel, "l", "me", 30)
        assert len(troupe.acquired) == 3
        assert len({request.request_id for request in troupe.acquired}) == 1
        assert troupe.acquired[2].wait.ToTimedelta() < troupe.acquired[0].wait.ToTimedelta()

    asyncio.run(run())


def test_nothing_is_done_under_a_lock_that_is_not_to_be_had():
    async def run():
        troupe = FakeTroupe()
        troupe.held_by = "you"
        async with serving(troupe) as channel:
            assert not await held_lock.deploy(channel, "l", "me", 0.1)
        assert troupe.published == [] and troupe.released == []

    asyncio.run(run())


def test_a_lock_that_was_taken_away_is_lost_at_the_next_renewal():
    async def run():
        troupe = FakeTroupe()
        async with serving(troupe) as channel:
            lock = held_lock.Lock(locks_grpc.LockServiceStub(channel), "l", "me", ttl=3.0)
            assert await lock.acquire(0)
            keeping = asyncio.create_task(lock.keep())
            while troupe.renewed < 3:
                await asyncio.sleep(0.01)
            assert not lock.lost.is_set()
            troupe.renewal_fails_with = grpc.StatusCode.FAILED_PRECONDITION
            await asyncio.wait_for(keeping, 20)
            assert lock.lost.is_set()

    asyncio.run(run())


def test_a_lock_that_cannot_be_renewed_is_lost_before_it_runs_out():
    async def run():
        troupe = FakeTroupe()
        async with serving(troupe) as channel:
            lock = held_lock.Lock(locks_grpc.LockServiceStub(channel), "l", "me", ttl=4.0)
            assert await lock.acquire(0)
            troupe.renewal_fails_with = grpc.StatusCode.UNAVAILABLE
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await asyncio.wait_for(lock.keep(), 20)
            assert 3.0 < loop.time() - begun < 4.0

    asyncio.run(run())


def test_durations_keep_their_fractions():
    assert held_lock._duration(1.5) == duration_pb2.Duration(seconds=1, nanos=500_000_000)
