"""Nobody keeps the node to himself: long batches and floods take turns with everybody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import WSMsgType, web
from queueing_world import call, submit, traded, until
from rpc_world import Sequencer, running

from node import connections
from node.rpc import call_batch, submission, wire
from node.rpc.dispatch import Method, answer, method_table
from node.rpc.params import NoParams
from node.rpc.receipts import submit_receipt


class Turns:
    """Counts the turns of the event loop that others get."""

    def __init__(self) -> None:
        self.count = 0

    @asynccontextmanager
    async def counted(self) -> AsyncIterator["Turns"]:
        task = asyncio.create_task(self._count())
        yield self
        task.cancel()

    async def _count(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@dataclass
class Watched(Sequencer):
    """Notes at which turn it was asked for its problems."""

    turns: Turns = field(default_factory=Turns)
    asked_at: list[int] = field(default_factory=list)

    def problems(self) -> list[str]:
        self.asked_at.append(self.turns.count)
        return []


def request(identity: int, method: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "method": method}


async def test_a_batch_of_dear_calls_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_batch, "TURN_SECONDS", -1.0)
    turns, at = Turns(), list[int]()
    dear = Method("dear", NoParams, None, lambda *_: at.append(turns.count), "")
    body = wire.encode([request(number, "dear") for number in range(5)])
    async with turns.counted():
        reply = await answer(body, method_table([dear]), None)
    assert reply is not None
    assert [one["id"] for one in msgspec.json.decode(reply)] == [0, 1, 2, 3, 4]
    assert len(set(at)) == 5


async def test_a_batch_of_quick_calls_is_done_at_once() -> None:
    turns, at = Turns(), list[int]()
    quick = Method("quick", NoParams, None, lambda *_: at.append(turns.count), "")
    body = wire.encode([request(number, "quick") for number in range(5)])
    async with turns.counted():
        await answer(body, method_table([quick]), None)
    assert len(set(at)) == 1


async def test_a_batch_asks_for_no_more_than_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_batch, "REPLY_BYTES_MAX", 3_000)
    done: list[int] = []

    def large(*_: Any) -> str:
        done.append(1)
        return "x" * 1_000

    methods = method_table([Method("large", NoParams, str, large, "")])
    calls = [request(number, "large") for number in range(5)]
    calls += [{"jsonrpc": "2.0", "method": "large"}, request(6, "nonsense")]
    reply = await answer(wire.encode(calls), methods, None)
    assert reply is not None
    found = msgspec.json.decode(reply)
    assert [one["id"] for one in found] == [0, 1, 2, 3, 4, 6]
    told = [one["error"]["data"]["reason"] if "error" in one else "told" for one in found]
    assert told == ["told"] * 3 + ["reply_too_large"] * 2 + ["unknown_method"]
    assert found[3]["error"]["data"]["mend"]
    assert len(done) == 3


async def test_transactions_are_told_however_much_was_told_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_batch, "REPLY_BYTES_MAX", 1)
    batch = [call(1, "venue_markets"), submit(2, 1), call(3, "venue_markets"), submit(4, 2)]
    node = traded()
    async with running(node) as rpc:
        reply = asyncio.ensure_future(rpc.post(wire.encode(batch)))
        for _ in range(2):
            await until(node, 1)
            node.run_all()
        _, found = await reply
    assert [one["result"]["status"] for one in (found[1], found[3])] == ["ok", "ok"]
    assert found[2]["error"]["data"]["reason"] == "reply_too_large"


async def test_what_arrives_later_does_not_overtake_the_rest_of_a_batch() -> None:
    node = traded()
    async with running(node) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        batch = [submit(1, 1), call(2, "venue_account", account=256), submit(3, 2)]
        await socket.send_bytes(wire.encode(batch))
        await socket.send_bytes(wire.encode(submit(4, 3)))
        queued: list[int] = []
        for _ in range(3):
            await until(node, 1)
            queued += [one.tx.sequence for one, _ in node.queue]  # type: ignore[union-attr]
            node.run_all()
            if len(queued) == 3:
                break
        heard = [await socket.receive_json(timeout=30) for _ in range(2)]
    assert queued == [1, 2, 3]
    assert sorted(len(one) for one in heard if isinstance(one, list)) == [3]


@pytest.mark.parametrize("seconds", [-1.0, 60.0])
async def test_a_flood_on_one_websocket_takes_turns(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TURN_SECONDS", seconds)
    node = Watched()
    async with (
        running(node) as rpc,
        node.turns.counted(),
        rpc.session.ws_connect(rpc.server.url) as socket,
    ):
        for number in range(20):
            await socket.send_bytes(wire.encode(request(number, "rollup_syncStatus")))
        heard = [(await socket.receive_json(timeout=30))["id"] for _ in range(20)]
    assert heard == list(range(20))
    assert (len(set(node.asked_at)) == 20) is (seconds < 0)


async def test_pings_are_answered_in_their_order_and_take_turns_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "TURN_SECONDS", -1.0)
    node, at = Watched(), list[int]()
    pong = web.WebSocketResponse.pong

    async def noted(self: web.WebSocketResponse, message: bytes = b"") -> None:
        at.append(node.turns.count)
        await pong(self, message)

    monkeypatch.setattr(web.WebSocketResponse, "pong", noted)
    async with (
        running(node) as rpc,
        node.turns.counted(),
        rpc.session.ws_connect(rpc.server.url, autoping=False) as socket,
    ):
        for number in range(20):
            await socket.ping(b"%d" % number)
        await socket.send_bytes(wire.encode(request(1, "rollup_syncStatus")))
        heard = [await socket.receive(timeout=30) for _ in range(21)]
    assert [message.type for message in heard[:20]] == [WSMsgType.PONG] * 20
    assert [bytes(message.data) for message in heard[:20]] == [b"%d" % n for n in range(20)]
    assert heard[20].json()["id"] == 1
    assert len(set(at)) == 20


async def test_the_same_message_many_times_is_worked_out_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its answer has all its fills, each time it is sent."""
    made: list[str] = []

    def counted(view: Any, kind: Any, tx: Any, found: Any) -> Any:
        made.append(kind)
        return submit_receipt(view, kind, tx, found)

    monkeypatch.setattr(submission, "submit_receipt", counted)
    node = traded()
    params = submit(1, 1)["params"]
    async with running(node) as rpc:
        items = [params] * 30 + [submit(1, 2)["params"]]
        reply = asyncio.ensure_future(rpc.result("venue_submitBatch", items=items))
        await until(node, 31)
        node.run_all()
        found = await reply
    assert [one["result"]["resubmission"] for one in found] == [False] + [True] * 29 + [False]
    assert len(made) == 3
