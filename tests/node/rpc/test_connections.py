"""Connections that ask for more than their share: too many, too slow, never reading."""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from rpc_world import Rpc, Sequencer, running

from node.connections import ConnectionLimits
from node.l1.config import L1Config
from node.l1.server import L1Server
from node.rpc.server import RpcConfig

CALL = b'{"jsonrpc": "2.0", "method": "rollup_config", "id": 1}'
LARGE = b"[" + b",".join([CALL.replace(b"rollup_config", b"rpc.discover")] * 40) + b"]"
ASKING = b'{"jsonrpc": "2.0", "method": "rollup_syncStatus", "id": 1}'


def post(body: bytes) -> bytes:
    head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"POST / HTTP/1.1\r\n{head}\r\n\r\n".encode() + body


def config(**limits: float) -> RpcConfig:
    return RpcConfig(connections=ConnectionLimits(**limits))  # type: ignore[arg-type]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.01)


async def never_reading(port: int) -> socket.socket:
    """A connection whose kernel takes little and whose owner takes nothing."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    return plain


async def test_a_connection_above_the_limit_is_told_so_and_closed() -> None:
    async with running(Sequencer(), config(connections_max=2)) as rpc:
        held = [await asyncio.open_connection("127.0.0.1", rpc.server.port) for _ in range(2)]
        await until(lambda: len(rpc.server.connections.open) == 2)
        status, reply = await rpc.post(CALL)
        assert (status, reply["error"]["code"]) == (503, -32005)
        assert reply["error"]["data"]["reason"] == "too_many_connections"
        held[0][1].close()
        await until(lambda: len(rpc.server.connections.open) == 1)
        assert (await rpc.post(CALL))[0] == 200
        held[1][1].close()


async def test_who_never_reads_a_reply_is_dropped_with_what_waited_for_him() -> None:
    async with running(Sequencer(), config(reply_seconds=0.2)) as rpc:
        with await never_reading(rpc.server.port) as plain:
            await asyncio.get_running_loop().sock_sendall(plain, post(LARGE))
            await until(lambda: len(rpc.server.connections.open) == 1)
            await until(lambda: len(rpc.server.connections.open) == 0)
        assert (await rpc.post(CALL))[0] == 200


@dataclass
class Counting(Sequencer):
    """Counts how often it was asked for its status."""

    asked: int = 0

    def problems(self) -> list[str]:
        self.asked += 1
        return []


async def test_a_flood_of_requests_waits_behind_the_reply_that_nobody_reads() -> None:
    node = Counting()
    async with running(node, config(reply_seconds=0.5)) as rpc:
        with await never_reading(rpc.server.port) as plain:
            flood = post(b"[" + ASKING + b"," + LARGE[1:]) * 20
            with suppress(ConnectionError):  # it may end while the rest is sent
                await asyncio.get_running_loop().sock_sendall(plain, flood)
            await until(lambda: node.asked > 0 and not rpc.server.connections.open)
    assert node.asked == 1


async def test_who_reads_slowly_but_reads_gets_all_of_it() -> None:
    async with running(Sequencer(), config(reply_seconds=30)) as rpc:
        reader, writer = await asyncio.open_connection("127.0.0.1", rpc.server.port, limit=4_096)
        writer.write(post(LARGE) * 2)
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert len(json.loads(await reader.readexactly(length))) == 40
        writer.close()


@pytest.mark.parametrize("beginning", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: local"])
async def test_a_second_head_that_never_ends_is_cut_off(beginning: bytes) -> None:
    async with running(Sequencer(), RpcConfig(idle_seconds=0.1)) as rpc:
        assert (await answered_then_ended(rpc, post(CALL) + beginning)).count(b"HTTP/1.1") == 1


async def answered_then_ended(rpc: Rpc, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", rpc.server.port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return answer


async def test_a_head_that_comes_byte_by_byte_is_cut_off() -> None:
    """Bytes that keep coming do not put off the end."""
    async with running(Sequencer(), RpcConfig(idle_seconds=0.2)) as rpc:
        _, writer = await asyncio.open_connection("127.0.0.1", rpc.server.port)
        writer.write(b"POST / HTTP/1.1\r\nX: ")
        await until(lambda: len(rpc.server.connections.open) == 1)
        while rpc.server.connections.open:
            writer.write(b"a")
            await asyncio.sleep(0.01)
        writer.close()


# --- the embedded L1 has the same doors ---


async def test_l1_turns_away_what_is_above_its_limit() -> None:
    limits = ConnectionLimits(connections_max=1)
    async with L1Server(L1Config(port=0, connections=limits)) as server:
        port = int(server.url.rpartition(":")[2])
        _, held = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert json.loads(body)["error"] == {"code": -32005, "message": "too many connections"}
        for one in (held, writer):
            one.close()


async def test_l1_cuts_off_a_head_that_never_ends() -> None:
    async with L1Server(L1Config(port=0, idle_seconds_max=0.1)) as server:
        port = int(server.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: local")
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
