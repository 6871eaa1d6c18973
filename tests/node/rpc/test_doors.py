"""What is turned away before any JSON is read, and what a connection may not do."""

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest
from rpc_world import JSON, Rpc, Sequencer, running

from node.rpc.server import RpcConfig, is_loopback, serve

CALL = b'{"jsonrpc": "2.0", "method": "rollup_config", "id": 1}'


async def spoken(rpc: Rpc, request: bytes) -> bytes:
    """All that the server says to raw bytes until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", rpc.server.port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def http(body: bytes, **headers: str) -> bytes:
    """A raw POST that asks for the connection to be closed."""
    fields = {"Host": "localhost", "Connection": "close", "Content-Type": "application/json"}
    fields |= {"Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body


def told(answer: bytes) -> tuple[int, Any]:
    """Status and error of a raw answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert error["data"]["mend"]
    return int(head.split(b" ")[1]), error


async def test_a_body_over_the_limit_is_refused_in_json() -> None:
    async with running(Sequencer(), RpcConfig(body_bytes_max=1_000, linger_seconds=0.05)) as rpc:
        status, reply = await rpc.post(b" " * 900 + CALL)
        assert status == 200 and "result" in reply
        status, reply = await rpc.post(b" " * 1_000 + CALL)
        assert (status, reply["id"]) == (413, None)
        assert (reply["error"]["code"], reply["error"]["data"]["reason"]) == (
            *(-32001, "body_too_large"),
        )
        assert reply["error"]["data"]["expected"] == "at most 1000 bytes"
        chunk = b"400\r\n" + b" " * 1_024 + b"\r\n"
        answer = await spoken(
            rpc, http(b"", Transfer_Encoding="chunked", Content_Length="") + chunk
        )
        assert told(answer)[0] == 413


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Content-Type": "text/plain"}, 415, "wrong_media"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "wrong_media"),
        ({"Content-Encoding": "gzip"}, 415, "wrong_media"),
        ({"Host": "evil.example"}, 403, "host_not_allowed"),
        ({"Host": "127.0.0.1.evil.example:1234"}, 403, "host_not_allowed"),
        ({"Host": "[::1"}, 403, "host_not_allowed"),
        ({"Host": "evil.example@localhost"}, 403, "host_not_allowed"),
        ({"Host": "localhost/evil.example"}, 403, "host_not_allowed"),
        ({"Host": "localhost?evil.example"}, 403, "host_not_allowed"),
        ({"Origin": "http://evil.example@localhost"}, 403, "origin_not_allowed"),
        ({"Origin": "http://localhost#evil.example"}, 403, "origin_not_allowed"),
        ({"Origin": "http://evil.example"}, 403, "origin_not_allowed"),
        ({"Origin": "null"}, 403, "origin_not_allowed"),
        ({"Origin": "http://["}, 403, "origin_not_allowed"),
    ],
)
async def test_a_request_from_the_wrong_place_is_refused(
    headers: dict[str, str], status: int, reason: str
) -> None:
    async with running(Sequencer()) as rpc:
        found, reply = await rpc.post(gzip.compress(CALL), **headers)
    assert (found, reply["error"]["data"]["reason"]) == (status, reason)
    assert reply["error"]["data"]["mend"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:1"},
        {"Host": "LOCALHOST"},
        {"Host": "[::1]:9545"},
        {"Origin": "http://localhost:3000"},
        {"Content-Type": "application/json; charset=utf-8"},
    ],
)
async def test_a_request_of_this_machine_is_served(headers: dict[str, str]) -> None:
    async with running(Sequencer()) as rpc:
        status, reply = await rpc.post(CALL, **headers)
    assert status == 200 and reply["result"]["chainId"] == 31337


async def test_an_operator_may_add_a_name() -> None:
    config = RpcConfig(hosts=("venue.example",))
    async with running(Sequencer(), config) as rpc:
        assert (await rpc.post(CALL, Host="venue.example"))[0] == 200
        assert (await rpc.post(CALL))[0] == 403


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_only_post_and_websockets_are_served(method: str) -> None:
    async with (
        running(Sequencer()) as rpc,
        rpc.session.request(method, rpc.server.url, headers=JSON) as response,
    ):
        reply = await response.json()
    assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
    assert reply["error"]["data"]["reason"] == "wrong_method"


async def test_a_head_that_never_ends_is_cut_off() -> None:
    async with running(Sequencer(), RpcConfig(idle_seconds=0.1)) as rpc:
        for beginning in (b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: local"):
            assert await spoken(rpc, beginning) == b""


async def test_a_body_that_never_ends_is_cut_off() -> None:
    async with running(Sequencer(), RpcConfig(body_seconds=0.1, linger_seconds=0.05)) as rpc:
        answer = await spoken(rpc, http(b'{"json', Content_Length="100"))
    status, error = told(answer)
    assert (status, error["code"], error["data"]["reason"]) == (408, -32004, "body_too_slow")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        http(b"zz\r\nnot a chunk\r\n", Transfer_Encoding="chunked", Content_Length=""),
        b"POST / HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_no_traceback(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(Sequencer()) as rpc:
        answer = await asyncio.wait_for(spoken(rpc, request_bytes), 60)
    status = int(answer.split(b" ")[1])
    assert status in (400, 403), answer
    assert b"Traceback" not in answer and b".py" not in answer
    assert "Traceback" not in caplog.text


async def test_a_client_that_goes_away_in_the_middle_harms_nobody() -> None:
    async with running(Sequencer()) as rpc:
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", rpc.server.port)
            writer.write(http(b"{", Content_Length="100"))
            await writer.drain()
            writer.transport.abort()
        assert (await rpc.post(CALL))[0] == 200


# --- WebSockets ---


async def test_a_websocket_answers_as_http_does() -> None:
    async with running(Sequencer()) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        for sent, code in ((CALL.decode(), None), ("{", -32700), ("5", -32600)):
            await socket.send_str(sent)
            reply = await socket.receive_json()
            assert reply.get("error", {}).get("code") == code
        await socket.send_bytes(CALL)
        assert (await socket.receive_json())["result"]["chainId"] == 31337
        await socket.send_str('{"jsonrpc": "2.0", "method": "rollup_config"}')
        await socket.send_str("[" + CALL.decode() + "]")
        assert [one["id"] for one in await socket.receive_json()] == [1]


async def test_a_message_over_the_limit_closes_the_websocket() -> None:
    config = RpcConfig(body_bytes_max=1_000)
    async with running(Sequencer(), config) as rpc:
        async with rpc.session.ws_connect(rpc.server.url) as socket:
            await socket.send_bytes(b" " * 1_001)
            await socket.receive()
            assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        assert (await rpc.post(CALL))[0] == 200


async def test_a_page_of_another_site_opens_no_websocket() -> None:
    async with running(Sequencer()) as rpc:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await rpc.session.ws_connect(rpc.server.url, origin="http://evil.example")
        assert refused.value.status == 403


async def test_there_are_only_so_many_websockets() -> None:
    config = RpcConfig(websockets_max=1)
    async with running(Sequencer(), config) as rpc, rpc.session.ws_connect(rpc.server.url):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await rpc.session.ws_connect(rpc.server.url)
        assert refused.value.status == 503


async def test_a_stopping_node_says_so_to_its_websockets() -> None:
    node = Sequencer()
    server = await serve(node)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(server.url) as socket:
            closing = asyncio.create_task(server.close())
            await socket.receive()
            await closing
            assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(server.url)


# --- listening ---


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com", ""])
async def test_it_listens_on_this_machine_only(host: str) -> None:
    with pytest.raises(ValueError, match="refusing to listen"):
        await serve(Sequencer(), host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_has_many_names(host: str) -> None:
    assert is_loopback(host)


async def test_a_port_in_use_is_an_error_of_the_system() -> None:
    async with running(Sequencer()) as rpc:
        with pytest.raises(OSError, match="address already in use"):
            await serve(Sequencer(), port=rpc.server.port)
