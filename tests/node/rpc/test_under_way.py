"""Requests of one WebSocket or batch, many under way: begun in order, answered as they come."""

import asyncio
from typing import Any

import aiohttp
import msgspec
import pytest
from builders import FAR
from hypothesis import given, settings
from hypothesis import strategies as st
from queueing_world import call, submit, traded, until
from rpc_world import running
from sequenced_world import order

from node.rpc import conversation, wire
from node.rpc.conversation import text_frame
from node.rpc.envelope import Call, read
from node.rpc.messages import message_of
from node.rpc.quick import Request, read_calls
from node.rpc.submission import _request
from state.orders import SELL, Flags, Life, SelfTrade, decode_flags, encode_flags
from state.transactions import Amend, Cancel, NewOrder


async def test_one_connection_has_many_orders_in_one_group() -> None:
    node = traded()
    async with running(node) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        for at in range(1, 41):
            await socket.send_bytes(wire.encode(submit(at, at)))
        await until(node, 40)
        assert [one.tx.sequence for one, _ in node.queue] == list(range(1, 41))  # type: ignore[union-attr]
        node.run_all()
        replies = [await socket.receive_json(timeout=30) for _ in range(40)]
    assert node.groups == [40]
    assert [reply["id"] for reply in replies] == list(range(1, 41))
    assert {reply["result"]["status"] for reply in replies} == {"ok"}


async def test_what_reads_is_answered_before_orders_that_wait() -> None:
    node = traded()
    async with running(node) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        await socket.send_bytes(wire.encode(submit(1, 1)))
        await socket.send_bytes(wire.encode(call(2, "venue_book", market=0)))
        assert (await socket.receive_json(timeout=30))["id"] == 2
        node.run_all()
        assert (await socket.receive_json(timeout=30))["id"] == 1


async def test_no_more_is_read_than_may_be_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "UNDER_WAY_MAX", 3)
    node = traded()
    async with running(node) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        for at in range(1, 11):
            await socket.send_bytes(wire.encode(submit(at, at)))
        heard: list[int] = []
        while len(heard) < 10:
            await until(node, 1)
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(node.queue) <= 3
            count = len(node.queue)
            node.run_all()
            heard += [(await socket.receive_json(timeout=30))["id"] for _ in range(count)]
    assert heard == list(range(1, 11))


async def test_whoever_left_is_not_waited_for() -> None:
    node = traded()
    async with running(node) as rpc:
        async with rpc.session.ws_connect(rpc.server.url) as socket:
            await socket.send_bytes(wire.encode(submit(1, 1)))
            await until(node, 1)
        node.run_all()
        assert (await rpc.result("venue_account", account=256))["nextSequence"] == "2"


async def test_a_batch_is_one_group_and_its_reads_see_what_came_before_them() -> None:
    node = traded()
    batch = [
        submit(1, 1),
        submit(2, 2),
        call(3, "venue_account", account=256),
        submit(4, 3),
        call(5, "nonsense"),
        {"jsonrpc": "2.0"},
        submit(6, 1, "bob", side=SELL),
    ]
    async with running(node) as rpc:
        reply = asyncio.ensure_future(rpc.post(wire.encode(batch)))
        await until(node, 2)
        assert len(node.queue) == 2
        node.run_all()
        await until(node, 2)
        node.run_all()
        _, replies = await reply
    assert [one["id"] for one in replies] == [1, 2, 3, 4, 5, None, 6]
    assert replies[2]["result"]["nextSequence"] == "3"
    assert replies[6]["result"]["filledLots"] == 10
    assert node.groups == [2, 2]


async def test_what_a_batch_begins_with_is_queued_before_what_arrives_later() -> None:
    node = traded()
    async with running(node) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        await socket.send_bytes(wire.encode([submit(at, at) for at in (1, 2, 3)]))
        await socket.send_bytes(wire.encode(submit(4, 4)))
        await until(node, 4)
        assert [one.tx.sequence for one, _ in node.queue] == [1, 2, 3, 4]  # type: ignore[union-attr]
        node.run_all()
        heard = [await socket.receive_json(timeout=30) for _ in range(2)]
    assert sorted(len(one) for one in heard if isinstance(one, list)) == [3]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
async def test_a_frame_is_read_as_it_was_written(size: int) -> None:
    text = b"x" * size
    received: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        nonce = next(
            line for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        received.append(nonce.split(": ")[1].encode())
        import base64
        import hashlib

        proof = hashlib.sha1(received[0] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(proof) + b"\r\n\r\n" + text_frame(text)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}") as socket,
    ):
        assert (await socket.receive(timeout=30)).data == text.decode()


NUMBERS = {bits: st.integers(0, 2**bits - 1) for bits in (16, 24, 32, 40, 48, 64)}
FLAGS = st.builds(
    Flags,
    st.integers(0, 1),
    st.booleans(),
    st.sampled_from(tuple(Life)),
    st.booleans(),
    st.sampled_from(tuple(SelfTrade)),
).filter(lambda flags: decode_flags(encode_flags(flags)) is not None)
ORDERS = st.builds(
    NewOrder,
    *(NUMBERS[32], NUMBERS[32], NUMBERS[64], NUMBERS[16], FLAGS.map(encode_flags)),
    *(NUMBERS[24], NUMBERS[48], NUMBERS[40]),
)
CANCELS = st.builds(Cancel, *(NUMBERS[bits] for bits in (32, 32, 64, 32, 64, 40)))
AMENDS = st.builds(Amend, *(NUMBERS[bits] for bits in (32, 32, 64, 32, 64, 24, 48, 40)))


def long_way(body: bytes) -> Any:
    """As every other message is read: through plain JSON, its params checked one by one."""
    from node.rpc.dispatch import bind
    from node.rpc.methods import METHODS

    (found,) = read(body).calls
    assert isinstance(found, Call)
    return found.identity, _request(bind(METHODS["venue_submit"], found.params))


@given(ORDERS | CANCELS | AMENDS, st.binary(min_size=64, max_size=64))
@settings(max_examples=150)
def test_the_quick_way_reads_what_the_long_way_does(
    tx: NewOrder | Cancel | Amend, signature: bytes
) -> None:
    kind, message = message_of(tx)
    params = {"kind": kind, "message": wire.plain(message), "signature": wire.Hex(signature)}
    body = wire.encode(call(7, "venue_submit", **params))
    (found,) = read_calls(body).calls
    assert isinstance(found, Call) and isinstance(found.params, Request)
    assert (found.identity, found.params) == long_way(body) == (7, Request(kind, tx, signature))


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": "0x" + "00" * 63},
        {"signature": "0x" + "0 " * 64},
        {"signature": "00" * 65},
        {"signature": "0x" + "00" * 64 + "05"},
        {"clientOrderId": ""},
        {"clientOrderId": "\u00e9"},
        {"extra": 1},
        {"kind": "withdraw"},
        {"message": {}},
    ],
    ids=str,
)
def test_what_is_not_usual_goes_the_long_way(changed: dict[str, Any]) -> None:
    tx, signature = order("alice", 1)
    kind, message = message_of(tx)  # type: ignore[arg-type]
    params = {"kind": kind, "message": wire.plain(message), "signature": wire.Hex(signature)}
    body = wire.encode(call(1, "venue_submit", **(params | changed)))
    (found,) = read_calls(body).calls
    assert found == read(body).calls[0]


@pytest.mark.parametrize(
    ("sequence", "is_usual"),
    [
        *((b"1", True), (b'"1"', True), (b'"01"', False), (b'"0x1"', False), (b"1.0", False)),
        *((b"true", False), (b"-1", False), (b"18446744073709551616", False)),
    ],
)
def test_a_sequence_number_is_digits_or_goes_the_long_way(sequence: bytes, is_usual: bool) -> None:
    tx = NewOrder(256, 0, 77_777, 0, 0, 500_000, 10, FAR)
    kind, message = message_of(tx)
    params = {"kind": kind, "message": wire.plain(message), "signature": wire.Hex(bytes(64))}
    body = wire.encode(call(1, "venue_submit", **params))
    body = body.replace(b'"77777"', sequence)
    (found,) = read_calls(body).calls
    assert isinstance(found, Call)
    assert isinstance(found.params, Request) == is_usual


def test_one_odd_call_sends_a_batch_the_long_way() -> None:
    body = msgspec.json.encode([call(1, "venue_submit"), call(2, "venue_book", market=0)])
    assert read_calls(body) == read(body)
