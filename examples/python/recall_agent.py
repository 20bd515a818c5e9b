"""An agent that remembers: a long conversation, one fact in it, and a colleague to hand it to.

It uses nothing but the generated stubs. 220 turns go into a conversation and, as items that can be
searched, into a space of memories. The fact was said some 200 turns ago, so the window of the last
turns no longer has it; a search finds it. Then it asks the archivist, an agent in another language,
to file it, and waits for the reply.

Exits with 0 only if all of that worked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import re
import sys
import uuid

import grpc
from google.protobuf import duration_pb2
from troupe.v1 import agent_state_service_pb2 as agents
from troupe.v1 import agent_state_service_pb2_grpc as agents_grpc
from troupe.v1 import event_stream_service_pb2 as events
from troupe.v1 import event_stream_service_pb2_grpc as events_grpc
from troupe.v1 import memory_service_pb2 as memory
from troupe.v1 import memory_service_pb2_grpc as memory_grpc

DIMENSION = 256
TURNS = 220
FACT_TURN = 11
WINDOW = 20
AT_ONCE = 20
FACT = "Note for later: the vault path of the staging database is kv/staging/orchid."
QUESTION = "Where in the vault is the staging database?"

SUBJECTS = ["the parser", "the deploy script", "the login page", "the nightly report", "the cache"]
VERBS = ["fails on empty input", "needs a review", "is slow again", "was merged", "has a new owner"]


def embed(text: str) -> list[float]:
    """Stands in for a model: hashed words, so that texts with words in common are near."""
    vector = [0.0] * DIMENSION
    for word in re.findall(r"[a-z]+", text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        vector[int.from_bytes(digest[:2], "big") % DIMENSION] += 1.0 if digest[2] & 1 else -1.0
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / length for x in vector]


def small_talk(seed: int) -> list[tuple[str, str]]:
    """The conversation: who said what. The fact is one turn of it, all others are chatter."""
    chance = random.Random(seed)
    turns = []
    for number in range(1, TURNS + 1):
        role = "user" if number % 2 else "assistant"
        text = f"({number}) I think {chance.choice(SUBJECTS)} {chance.choice(VERBS)}."
        turns.append((role, FACT if number == FACT_TURN else text))
    return turns


class RecallAgent:
    """One agent with its space and its conversation."""

    def __init__(self, channel: grpc.Channel, namespace: str, agent_id: str) -> None:
        self._agents = agents_grpc.AgentStateServiceStub(channel)
        self._events = events_grpc.EventStreamServiceStub(channel)
        self._memory = memory_grpc.MemoryServiceStub(channel)
        self._namespace = namespace
        self._id = agent_id
        self._space = f"agents/{agent_id}"
        self._conversation = uuid.uuid4().hex

    def register(self) -> None:
        self._agents.RegisterAgent(
            agents.RegisterAgentRequest(
                namespace=self._namespace,
                agent_id=self._id,
                type="assistant",
                lease_duration=duration_pb2.Duration(seconds=60),
            ),
            timeout=10,
        )
        self._memory.CreateSpace(
            memory.CreateSpaceRequest(
                namespace=self._namespace,
                space=self._space,
                settings=memory.SpaceSettings(dimension=DIMENSION),
            ),
            timeout=10,
        )

    def talk(self, turns: list[tuple[str, str]]) -> int:
        """Remembers the turns, and yields the revision of the space after the last of them."""
        revision = 0
        for first in range(0, len(turns), AT_ONCE):
            some = turns[first : first + AT_ONCE]
            # A request id makes each step safe to repeat after a lost answer.
            self._memory.AppendTurns(
                memory.AppendTurnsRequest(
                    namespace=self._namespace,
                    space=self._space,
                    conversation=self._conversation,
                    turns=[memory.Turn(role=role, text=text) for role, text in some],
                    request_id=f"{self._conversation}-{first}",
                ),
                timeout=10,
            )
            put = self._memory.PutMemories(
                memory.PutMemoriesRequest(
                    namespace=self._namespace,
                    space=self._space,
                    items=[
                        memory.MemoryPut(
                            content=memory.MemoryContent(text=text, embedding=embed(text)),
                            source=f"conversation/{self._conversation}",
                            tags=[role],
                            tier=memory.MEMORY_TIER_LONG,
                        )
                        for role, text in some
                    ],
                    request_id=f"{self._conversation}-{first}-items",
                ),
                timeout=10,
            )
            revision = put.revision
        return revision

    def window(self) -> list[str]:
        """The last turns, which is all that a model would be shown."""
        answer = self._memory.GetWindow(
            memory.GetWindowRequest(
                namespace=self._namespace,
                space=self._space,
                conversation=self._conversation,
                max_turns=WINDOW,
            ),
            timeout=10,
        )
        return [turn.text for turn in answer.turns]

    def recall(self, question: str, revision: int) -> memory.SearchHit:
        """What fits a question best, of all that was said up to the revision."""
        answer = self._memory.SearchMemory(
            memory.SearchMemoryRequest(
                namespace=self._namespace,
                space=self._space,
                vector=embed(question),
                text=question,
                top_k=3,
                min_revision=revision,
            ),
            timeout=10,
        )
        return answer.hits[0]

    def hand_over(self, archivist: str, fact: str) -> str:
        """Sends a fact to a colleague and yields what it replies."""
        answer = self._events.Request(
            events.RequestRequest(
                namespace=self._namespace,
                agent_id=archivist,
                message=events.Event(
                    type="fact.found",
                    source=f"agents/{self._id}",
                    actor=self._id,
                    datacontenttype="application/json",
                    text_data=json.dumps({"fact": fact}),
                ),
                wait=duration_pb2.Duration(seconds=20),
                request_id=uuid.uuid4().hex,
            ),
            timeout=30,
        )
        return answer.reply.text_data


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="localhost:7070", metavar="HOST:PORT")
    parser.add_argument("--namespace", default="")
    parser.add_argument("--id", default=f"recall-{uuid.uuid4().hex[:8]}", help="this agent's id")
    parser.add_argument("--archivist", default="archivist", help="the other agent's id")
    options = parser.parse_args()
    with grpc.insecure_channel(options.server) as channel:
        agent = RecallAgent(channel, options.namespace, options.id)
        agent.register()
        revision = agent.talk(small_talk(seed=7))
        print(f"remembered {TURNS} turns")
        if FACT in agent.window():
            print("the fact is still in the window: this shows nothing", file=sys.stderr)
            return 1
        hit = agent.recall(QUESTION, revision)
        print(f'asked "{QUESTION}"')
        print(f'found "{hit.item.content.text}" (score {hit.score:.3f})')
        if hit.item.content.text != FACT:
            print(f"expected: {FACT}", file=sys.stderr)
            return 1
        reply = agent.hand_over(options.archivist, hit.item.content.text)
        print(f"{options.archivist} replied: {reply}")
        return 0 if FACT in reply else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except grpc.RpcError as refusal:
        sys.exit(f"{refusal.code().name}: {refusal.details()}")
