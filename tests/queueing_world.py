"""A node that queues what it is sent until a test has it run, and what is said to it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from builders import Venue, key
from rpc_world import Sequencer, submission
from sequenced_world import order

from node.view import SignedTransaction, Stops
from state.execution import Receipt
from state.transactions import NewOrder


@dataclass
class Queueing(Sequencer):
    """Takes everything at once, and runs it when it is told to."""

    queue: list[tuple[SignedTransaction, asyncio.Future[Receipt]]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    def hand_in(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> Sequence[asyncio.Future[Receipt]]:
        assert stops is None
        answers: list[asyncio.Future[Receipt]] = []
        for one in batch:
            answers.append(asyncio.get_running_loop().create_future())
            self.queue.append((one, answers[-1]))
        return answers

    def run_all(self) -> None:
        """What waits is one group."""
        self.groups.append(len(self.queue))
        for one, answer in self.queue:
            if not answer.done():
                answer.set_result(self._run(one.tx, one.signature, one.client_order_id))
        self.queue.clear()


def traded() -> Queueing:
    node = Queueing(Venue())
    for name in ("alice", "bob"):
        node.venue.open(name, 100_000)
    return node


def call(identity: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}


def submit(identity: int, sequence: int, name: str = "alice", **options: Any) -> dict[str, Any]:
    tx, _ = order(name, sequence, **options)
    assert isinstance(tx, NewOrder)
    return call(identity, "venue_submit", **submission(tx, key(name)))


async def until(node: Queueing, count: int) -> None:
    while len(node.queue) < count:
        await asyncio.sleep(0)
