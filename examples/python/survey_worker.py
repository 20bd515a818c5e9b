"""A worker that surveys source files: one task, one file.

It shows what a worker needs: an agent's session kept alive by heartbeats, and a stream of tasks
that survives a broken connection without losing or repeating work needlessly.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
from google.protobuf import duration_pb2
from survey_rules import count, language_of
from troupe.v1 import agent_state_service_pb2 as agents
from troupe.v1 import agent_state_service_pb2_grpc as agents_grpc
from troupe.v1 import error_reason_pb2 as errors
from troupe.v1 import event_stream_service_pb2 as events
from troupe.v1 import event_stream_service_pb2_grpc as events_grpc
from troupe.v1 import task_queue_service_pb2 as tasks
from troupe.v1 import task_queue_service_pb2_grpc as tasks_grpc

log = logging.getLogger("survey")

# The stub reconnects by itself; its own default waits up to two minutes between attempts.
CHANNEL_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
CALL_TIMEOUT = 10.0
# How long a stopped worker tries to finish; without a server it would never.
DRAIN_TIMEOUT = 60.0
# Refusals that say nothing about the report itself: it goes out again.
PASSING = {
    errors.ERROR_REASON_STORE_UNAVAILABLE,
    errors.ERROR_REASON_OUTCOME_UNKNOWN,
    errors.ERROR_REASON_OVERLOADED,
    errors.ERROR_REASON_SHUTTING_DOWN,
}
TRANSIENT_CODES = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}

AttemptKey = tuple[str, str, int]


class Refused(Exception):
    """The attempt cannot succeed; carries the kind that its failure is reported with."""

    def __init__(self, kind: str, message: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable


class Replaced(Exception):
    """Another process took over this worker's id, so this one has to end."""


class Backoff:
    """Waits between attempts: full jitter below a ceiling that doubles from 0.1 to 2 seconds."""

    def __init__(self) -> None:
        self._ceiling = 0.1

    def reset(self) -> None:
        self._ceiling = 0.1

    async def pause(self) -> None:
        await asyncio.sleep(random.uniform(0.01, self._ceiling))
        self._ceiling = min(2.0, self._ceiling * 2)


def key_of(attempt: tasks.Attempt) -> AttemptKey:
    return attempt.queue, attempt.task_id, attempt.fencing_token


def seconds(duration: duration_pb2.Duration, default: float) -> float:
    return duration.seconds + duration.nanos / 1e9 or default


class SurveyWorker:
    """One worker: what it holds outlives any of its streams. For one event loop only."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._root = Path(options.root).resolve()
        self._channel = grpc.aio.insecure_channel(options.server, options=CHANNEL_OPTIONS)
        self._agents = agents_grpc.AgentStateServiceStub(self._channel)
        self._events = events_grpc.EventStreamServiceStub(self._channel)
        self._tasks = tasks_grpc.TaskQueueServiceStub(self._channel)
        # Attempts that are this worker's as far as it knows, in the order of arrival.
        self._held: dict[AttemptKey, tasks.Attempt] = {}
        self._running: dict[AttemptKey, asyncio.Task[None]] = {}
        # Reports that have no outcome yet, by attempt and kind.
        self._unanswered: dict[tuple[AttemptKey, int], tasks.WorkRequest] = {}
        self._outbox: asyncio.Queue[tasks.WorkRequest | None] | None = None
        # The stream that the server asked to be closed.
        self._draining: asyncio.Queue[tasks.WorkRequest | None] | None = None
        self._session = 0
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Works until it is stopped and has nothing left in hand, at most DRAIN_TIMEOUT longer.

        Raises Replaced when another process took over the worker's id.
        """
        registered = asyncio.Event()
        heartbeats = asyncio.create_task(self._stay_registered(registered))
        work = asyncio.create_task(self._work_until_stopped(registered))
        patience = asyncio.create_task(self._lose_patience())
        ends = {heartbeats, work, patience}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            ends.update(self._running.values())
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            if self._session:
                await self._deregister()
            await self._channel.close()

    def stop(self) -> None:
        """Takes no more tasks; `run` returns when those in hand are reported. Idempotent."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._send(tasks.WorkRequest(set_slots=tasks.SetSlots(slots=0)))
            self._close_when_done()

    async def _lose_patience(self) -> None:
        await self._stopping.wait()
        await asyncio.sleep(DRAIN_TIMEOUT)
        log.warning("gave up on %d attempts", len(self._held))

    # --- the agent's session

    async def _stay_registered(self, registered: asyncio.Event) -> None:
        backoff = Backoff()
        while True:
            try:
                interval = await self._register()
                registered.set()
                backoff.reset()
                # A stream that broke is opened anew; the session outlives it.
                while await self._heartbeat(interval):
                    await backoff.pause()
            except grpc.aio.AioRpcError as error:
                log.warning("agent session: %s %s", error.code().name, error.details())
                if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    raise
            await backoff.pause()

    async def _register(self) -> float:
        answer = await self._agents.RegisterAgent(
            agents.RegisterAgentRequest(
                namespace=self._options.namespace,
                agent_id=self._options.worker_id,
                type="surveyor",
                status=agents.AGENT_STATUS_RUNNING,
                capabilities=self._options.capability,
                host=socket.gethostname(),
                process_id=os.getpid(),
            ),
            timeout=CALL_TIMEOUT,
        )
        self._session = answer.agent.fencing_token
        return seconds(answer.heartbeat_interval, 3.0)

    async def _heartbeat(self, interval: float) -> bool:
        """Beats until the stream ends. Whether the session may still be alive."""

        async def beats() -> AsyncIterator[agents.HeartbeatRequest]:
            while True:
                stopping = self._stopping.is_set()
                yield agents.HeartbeatRequest(
                    namespace=self._options.namespace,
                    agent_id=self._options.worker_id,
                    fencing_token=self._session,
                    status=agents.AGENT_STATUS_DRAINING if stopping else 0,
                )
                await asyncio.sleep(interval)

        call = self._agents.Heartbeat(beats())
        try:
            async for answer in call:
                if answer.outcome == agents.HEARTBEAT_OUTCOME_REPLACED:
                    self._session = 0
                    raise Replaced("another registration took over the agent id")
                if answer.outcome == agents.HEARTBEAT_OUTCOME_EXPIRED:
                    return False
                if answer.outcome == agents.HEARTBEAT_OUTCOME_GO_AWAY:
                    return True
                interval = seconds(answer.heartbeat_interval, interval)
        except grpc.aio.AioRpcError as error:
            log.info("heartbeat stream: %s", error.code().name)
        finally:
            call.cancel()
        return True

    async def _deregister(self) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self._agents.DeregisterAgent(
                agents.DeregisterAgentRequest(
                    namespace=self._options.namespace,
                    agent_id=self._options.worker_id,
                    fencing_token=self._session,
                    reason="stopped",
                ),
                timeout=CALL_TIMEOUT,
            )

    # --- the stream of tasks

    async def _work_until_stopped(self, registered: asyncio.Event) -> None:
        backoff = Backoff()
        await self._first_of(registered, self._stopping)
        while not (self._stopping.is_set() and not self._held):
            try:
                await self._work(backoff)
            except grpc.aio.AioRpcError as error:
                if error.code() == grpc.StatusCode.ABORTED:
                    raise Replaced("another stream took over the worker id") from error
                if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    raise
                log.info("work stream: %s %s", error.code().name, error.details())
            if not (self._stopping.is_set() and not self._held):
                await backoff.pause()

    @staticmethod
    async def _first_of(*happenings: asyncio.Event) -> None:
        waits = [asyncio.create_task(happening.wait()) for happening in happenings]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _work(self, backoff: Backoff) -> None:
        """Runs one stream to its end. What is held and not reported stays for the next."""
        outbox: asyncio.Queue[tasks.WorkRequest | None] = asyncio.Queue()
        outbox.put_nowait(self._hello())
        call = self._tasks.Work(self._messages_of(outbox))
        beats: asyncio.Task[None] | None = None
        try:
            async for response in call:
                what = response.WhichOneof("message")
                if what == "welcome":
                    backoff.reset()
                    interval = seconds(response.welcome.heartbeat_interval, 5.0)
                    beats = asyncio.create_task(self._beat(outbox, interval))
                    self._outbox = outbox
                    self._resume(response.welcome)
                elif what == "task":
                    self._take(response.task)
                elif what == "outcome":
                    self._settle(response.outcome)
                elif what == "stop":
                    self._stop_attempt(response.stop)
                elif what == "drain":
                    log.info("the server drains: %s", response.drain.reason)
                    self._draining = outbox
                    self._close_when_done()
        finally:
            self._outbox = None
            if beats:
                beats.cancel()
            call.cancel()

    def _hello(self) -> tasks.WorkRequest:
        return tasks.WorkRequest(
            hello=tasks.WorkerHello(
                namespace=self._options.namespace,
                worker_id=self._options.worker_id,
                queues=[self._options.queue],
                capabilities=self._options.capability,
                slots=0 if self._stopping.is_set() else self._options.slots,
                held=list(self._held.values()),
            )
        )

    @staticmethod
    async def _messages_of(
        outbox: asyncio.Queue[tasks.WorkRequest | None],
    ) -> AsyncIterator[tasks.WorkRequest]:
        while (message := await outbox.get()) is not None:
            yield message

    @staticmethod
    async def _beat(outbox: asyncio.Queue[tasks.WorkRequest | None], interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            outbox.put_nowait(tasks.WorkRequest(heartbeat=tasks.WorkerHeartbeat()))

    def _send(self, message: tasks.WorkRequest) -> None:
        # Without a stream nothing is lost: reports are kept until they are answered, and the
        # next Hello says the rest.
        if self._outbox is not None:
            self._outbox.put_nowait(message)

    def _resume(self, welcome: tasks.WorkerWelcome) -> None:
        kept = {key_of(attempt) for attempt in welcome.held}
        for key in set(self._running) - kept:
            log.info("%s is no longer held", key[1])
            self._forget(key)
        # Also those of attempts that are not kept: the first copy may have ended the attempt
        # just before the stream broke, and only the answer tells.
        for report in list(self._unanswered.values()):
            self._send(report)
        if self._stopping.is_set():
            # It may have been asked to stop after the Hello was written.
            self._send(tasks.WorkRequest(set_slots=tasks.SetSlots(slots=0)))
        self._close_when_done()

    def _take(self, leased: tasks.LeasedTask) -> None:
        if self._outbox is None:
            # It crossed with the end of this stream; the server gives it to another.
            return
        key = key_of(leased.attempt)
        self._send(tasks.WorkRequest(delivery_ack=tasks.DeliveryAck(attempts=[leased.attempt])))
        if key not in self._held:
            self._held[key] = leased.attempt
            self._running[key] = asyncio.create_task(self._survey(key, leased))

    def _settle(self, outcome: tasks.ReportOutcome) -> None:
        key = key_of(outcome.attempt)
        report = self._unanswered.pop((key, outcome.kind), None)
        if report is None:
            return
        if outcome.HasField("error"):
            if outcome.error.reason in PASSING:
                self._unanswered[(key, outcome.kind)] = report
                asyncio.get_running_loop().call_later(
                    random.uniform(0.1, 1.0), self._repeat, (key, outcome.kind)
                )
                return
            log.warning("report on %s was refused: %s", key[1], outcome.error.message)
        if outcome.kind != tasks.REPORT_KIND_PROGRESS:
            self._forget(key)

    def _repeat(self, report_key: tuple[AttemptKey, int]) -> None:
        report = self._unanswered.get(report_key)
        if report is not None:
            self._send(report)

    def _stop_attempt(self, stop: tasks.StopAttempt) -> None:
        key = key_of(stop.attempt)
        if stop.reason == tasks.STOP_REASON_LEASE_LOST:
            self._forget(key)
        elif key in self._running:
            self._running.pop(key).cancel()
            self._report(
                key,
                tasks.REPORT_KIND_RELEASE,
                release=tasks.AttemptRelease(attempt=stop.attempt, reason="cancelled"),
            )

    def _forget(self, key: AttemptKey) -> None:
        self._held.pop(key, None)
        running = self._running.pop(key, None)
        if running is not None:
            running.cancel()
        for kind in tasks.ReportKind.values():
            self._unanswered.pop((key, kind), None)
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._outbox is None or self._held:
            return
        if self._stopping.is_set() or self._draining is self._outbox:
            self._outbox.put_nowait(None)
            # Nothing may follow the end of the stream.
            self._outbox = None

    # --- one attempt

    async def _survey(self, key: AttemptKey, leased: tasks.LeasedTask) -> None:
        attempt = leased.attempt
        try:
            result = await self._result_of(leased)
            self._running.pop(key, None)
            self._report(
                key,
                tasks.REPORT_KIND_COMPLETE,
                complete=tasks.AttemptComplete(attempt=attempt, result=result),
            )
        except Refused as refused:
            self._fail(key, attempt, refused.kind, str(refused), not refused.retryable)
        except Exception as error:
            log.exception("task %s", attempt.task_id)
            self._fail(key, attempt, "internal", repr(error), False)

    def _fail(
        self, key: AttemptKey, attempt: tasks.Attempt, kind: str, message: str, final: bool
    ) -> None:
        self._running.pop(key, None)
        failure = tasks.Failure(kind=kind, message=message[:2000], non_retryable=final)
        self._report(
            key, tasks.REPORT_KIND_FAIL, fail=tasks.AttemptFail(attempt=attempt, failure=failure)
        )

    def _report(self, key: AttemptKey, kind: int, **report: object) -> None:
        message = tasks.WorkRequest(**report)  # type: ignore[arg-type]
        self._unanswered[(key, kind)] = message
        self._send(message)

    async def _result_of(self, leased: tasks.LeasedTask) -> bytes:
        path, language, pause = self._understand(leased.spec.payload)
        if pause and leased.attempt_number == 1:
            await asyncio.sleep(pause)
        try:
            content = await asyncio.to_thread(self._read, path)
        except OSError as error:
            raise Refused("unreadable", f"{path}: {error.strerror or error}") from error
        self._report(
            key_of(leased.attempt),
            tasks.REPORT_KIND_PROGRESS,
            progress=tasks.AttemptProgress(
                attempt=leased.attempt, progress=tasks.Progress(fraction=0.5)
            ),
        )
        counts = await asyncio.to_thread(count, language, content)
        if counts.todos:
            await self._publish(leased.attempt, path, counts.todos)
        return json.dumps(
            {
                "path": path,
                "language": language,
                "lines": counts.lines,
                "declarations": counts.declarations,
                "imports": counts.imports,
                "todos": counts.todos,
                "worker": self._options.worker_id,
            }
        ).encode()

    @staticmethod
    def _understand(payload: bytes) -> tuple[str, str, float]:
        try:
            fields = json.loads(payload)
            path = str(fields["path"])
            language = str(fields.get("language") or language_of(path))
            return path, language, float(fields.get("pause_ms") or 0) / 1000
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("bad_payload", f"payload: {error} (expected: JSON with path)") from error

    def _read(self, path: str) -> bytes:
        try:
            file = (self._root / path).resolve()
        except (ValueError, RuntimeError) as error:
            raise OSError(str(error)) from error
        # A task names files of the surveyed directory, whatever its producer wrote.
        if not file.is_relative_to(self._root):
            raise PermissionError("outside of the root")
        try:
            return file.read_bytes()
        except ValueError as error:
            raise OSError(str(error)) from error

    async def _publish(self, attempt: tasks.Attempt, path: str, todos: int) -> None:
        request = events.PublishRequest(
            namespace=self._options.namespace,
            topic="survey.findings",
            event=events.Event(
                # The same for every repeat of this attempt, so that it is taken once.
                id=f"{attempt.task_id}/{attempt.fencing_token}",
                source=f"agents/{self._options.worker_id}",
                type="survey.finding",
                subject=path,
                datacontenttype="application/json",
                text_data=json.dumps({"path": path, "todos": todos}),
            ),
        )
        backoff = Backoff()
        while True:
            try:
                await self._events.Publish(request, timeout=CALL_TIMEOUT)
                return
            except grpc.aio.AioRpcError as error:
                if error.code() not in TRANSIENT_CODES:
                    raise Refused("publish_refused", error.details() or "", True) from error
                await backoff.pause()


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--namespace", default="")
    parser.add_argument("--queue", required=True)
    parser.add_argument("--worker-id", required=True)
    parser.add_argument("--slots", type=int, default=4, help="tasks at a time (4)")
    parser.add_argument("--capability", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--root", required=True, help="directory that paths of tasks are below")
    return parser.parse_args(arguments)


async def main(arguments: list[str]) -> int:
    worker = SurveyWorker(parse_arguments(arguments))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    try:
        await worker.run()
    except Replaced as replaced:
        log.error("%s", replaced)
        return 1
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    sys.exit(asyncio.run(main(sys.argv[1:])))
