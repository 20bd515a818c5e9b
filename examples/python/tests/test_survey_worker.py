"""The worker as a process of its own, against a small server that speaks the contract."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.protobuf import duration_pb2
from troupe.v1 import agent_state_service_pb2 as agents
from troupe.v1 import agent_state_service_pb2_grpc as agents_grpc
from troupe.v1 import event_stream_service_pb2 as events
from troupe.v1 import event_stream_service_pb2_grpc as events_grpc
from troupe.v1 import task_queue_service_pb2 as tasks
from troupe.v1 import task_queue_service_pb2_grpc as tasks_grpc

EXAMPLE = Path(__file__).parents[1]
STUBS = Path(__file__).parents[3] / "proto" / "gen" / "python"
SOON = duration_pb2.Duration(nanos=50_000_000)


class Stream:
    """The server's side of one Work stream."""

    def __init__(self, requests, context) -> None:
        self._requests = requests
        self._context = context
        self.ended = asyncio.Event()

    async def next(self, kind: str):
        """The next message of this kind; heartbeats in between are passed over."""
        while True:
            request = await anext(self._requests)
            found = request.WhichOneof("message")
            if found == kind:
                return getattr(request, kind)
            assert found == "heartbeat", f"{found} instead of {kind}"

    async def send(self, **message) -> None:
        await self._context.write(tasks.WorkResponse(**message))

    async def welcome(self, *held) -> None:
        await self.send(welcome=tasks.WorkerWelcome(heartbeat_interval=SOON, held=held))

    async def assign(self, task_id: str, token: int, payload: dict, number: int = 1):
        attempt = tasks.Attempt(queue="q", task_id=task_id, fencing_token=token)
        await self.send(
            task=tasks.LeasedTask(
                attempt=attempt,
                attempt_number=number,
                spec=tasks.TaskSpec(payload=json.dumps(payload).encode()),
            )
        )
        return attempt

    async def answer(self, attempt, kind) -> None:
        await self.send(outcome=tasks.ReportOutcome(attempt=attempt, kind=kind))

    async def half_closed(self) -> None:
        async for request in self._requests:
            assert request.WhichOneof("message") == "heartbeat"


class FakeTroupe(
    agents_grpc.AgentStateServiceServicer,
    events_grpc.EventStreamServiceServicer,
    tasks_grpc.TaskQueueServiceServicer,
):
    """Records what the worker says and leaves the answers to the test."""

    def __init__(self) -> None:
        self.streams: asyncio.Queue[Stream] = asyncio.Queue()
        self.registered: list = []
        self.deregistered: list = []
        self.beats: list = []
        self.published: list = []

    async def RegisterAgent(self, request, context):
        self.registered.append(request)
        agent = agents.Agent(agent_id=request.agent_id, fencing_token=7)
        return agents.RegisterAgentResponse(agent=agent, heartbeat_interval=SOON)

    async def Heartbeat(self, requests, context):
        async for request in requests:
            self.beats.append(request)
            yield agents.HeartbeatResponse(outcome=agents.HEARTBEAT_OUTCOME_EXTENDED)

    async def DeregisterAgent(self, request, context):
        self.deregistered.append(request)
        return agents.DeregisterAgentResponse()

    async def Publish(self, request, context):
        self.published.append(request)
        return events.PublishResponse(event_id=request.event.id)

    async def Work(self, requests, context):
        stream = Stream(aiter(requests), context)
        await self.streams.put(stream)
        await stream.ended.wait()


def scenario(play, root: Path) -> None:
    """Plays a test against a worker; it has to be over within 30 seconds."""

    async def run() -> None:
        fake = FakeTroupe()
        server = grpc.aio.server()
        agents_grpc.add_AgentStateServiceServicer_to_server(fake, server)
        events_grpc.add_EventStreamServiceServicer_to_server(fake, server)
        tasks_grpc.add_TaskQueueServiceServicer_to_server(fake, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        worker = await asyncio.create_subprocess_exec(
            sys.executable, str(EXAMPLE / "survey_worker.py"),
            "--server", f"127.0.0.1:{port}", "--namespace", "n", "--queue", "q",
            "--worker-id", "w1", "--slots", "2",
            "--capability", "language=python", "--root", str(root),
            env={"PYTHONPATH": str(STUBS), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                await play(fake, worker)
        finally:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
            await server.stop(0)

    asyncio.run(run())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_bytes(b"import os\n# TODO more\ndef f():\n    pass\n")
    return tmp_path


def test_a_task_is_acknowledged_surveyed_and_completed(root: Path) -> None:
    async def play(fake: FakeTroupe, worker) -> None:
        stream = await fake.streams.get()
        hello = await stream.next("hello")
        assert (hello.namespace, hello.worker_id, list(hello.queues)) == ("n", "w1", ["q"])
        assert (list(hello.capabilities), hello.slots) == (["language=python"], 2)
        assert fake.registered[0].type == "surveyor"
        assert list(fake.registered[0].capabilities) == ["language=python"]
        await stream.welcome()
        attempt = await stream.assign("t1", 11, {"path": "a.py", "language": "python"})
        assert list((await stream.next("delivery_ack")).attempts) == [attempt]
        assert (await stream.next("progress")).progress.fraction == 0.5
        complete = await stream.next("complete")
        assert complete.attempt == attempt
        assert json.loads(complete.result) == {
            "path": "a.py", "language": "python", "lines": 4, "declarations": 1,
            "imports": 1, "todos": 1, "worker": "w1",
        }  # fmt: skip
        (published,) = fake.published
        assert published.topic == "survey.findings"
        event = published.event
        assert (event.id, event.source) == ("t1/11", "agents/w1")
        assert (event.type, event.subject) == ("survey.finding", "a.py")
        assert json.loads(event.text_data) == {"path": "a.py", "todos": 1}
        assert fake.beats[0].fencing_token == 7

    scenario(play, root)


@pytest.mark.parametrize("path", ["missing.py", "../outside.py", "."])
def test_what_cannot_be_read_fails_for_good(root: Path, path: str) -> None:
    (root.parent / "outside.py").write_bytes(b"secret\n")

    async def play(fake: FakeTroupe, worker) -> None:
        stream = await fake.streams.get()
        await stream.next("hello")
        await stream.welcome()
        await stream.assign("t1", 11, {"path": path, "language": "python"})
        await stream.next("delivery_ack")
        failure = (await stream.next("fail")).failure
        assert (failure.kind, failure.non_retryable) == ("unreadable", True)

    scenario(play, root)


def test_on_sigterm_the_task_in_hand_is_finished_first(root: Path) -> None:
    async def play(fake: FakeTroupe, worker) -> None:
        stream = await fake.streams.get()
        await stream.next("hello")
        await stream.welcome()
        task = {"path": "a.py", "language": "python", "pause_ms": 500}
        attempt = await stream.assign("t1", 11, task)
        await stream.next("delivery_ack")
        await stream.next("heartbeat")
        worker.send_signal(signal.SIGTERM)
        assert (await stream.next("set_slots")).slots == 0
        await stream.next("progress")
        await stream.answer(attempt, tasks.REPORT_KIND_PROGRESS)
        await stream.next("complete")
        assert not fake.deregistered
        await stream.answer(attempt, tasks.REPORT_KIND_COMPLETE)
        await stream.half_closed()
        stream.ended.set()
        assert await worker.wait() == 0
        assert [request.fencing_token for request in fake.deregistered] == [7]

    scenario(play, root)


def test_a_report_without_an_outcome_is_sent_again_on_the_next_stream(root: Path) -> None:
    async def play(fake: FakeTroupe, worker) -> None:
        first = await fake.streams.get()
        await first.next("hello")
        await first.welcome()
        attempt = await first.assign("t1", 11, {"path": "a.py", "language": "python"})
        await first.next("delivery_ack")
        await first.next("progress")
        await first.answer(attempt, tasks.REPORT_KIND_PROGRESS)
        lost = await first.next("complete")
        first.ended.set()
        second = await fake.streams.get()
        hello = await second.next("hello")
        assert (hello.worker_id, list(hello.held)) == ("w1", [attempt])
        await second.welcome(attempt)
        assert await second.next("complete") == lost
        await second.answer(attempt, tasks.REPORT_KIND_COMPLETE)
        second.ended.set()
        third = await fake.streams.get()
        assert not (await third.next("hello")).held

    scenario(play, root)


def test_only_the_first_attempt_pauses(root: Path) -> None:
    async def play(fake: FakeTroupe, worker) -> None:
        stream = await fake.streams.get()
        await stream.next("hello")
        await stream.welcome()
        task = {"path": "a.py", "language": "python", "pause_ms": 3_600_000}
        await stream.assign("t1", 11, task, number=2)
        await stream.next("delivery_ack")
        await stream.next("progress")
        await stream.next("complete")

    scenario(play, root)
