"""The client's end of the wire: one request over HTTP, one stream of fills over a WebSocket."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import aiohttp

from node.errors import Retry
from node.l1.jsonrpc import NotJson, parse
from node.rpc import wire
from node.rpc.errors import Code, RpcError
from node.rpc.results import FillNotice
from node.rpc.streams.results import FillsTold, Notice

REPLY_BYTES_MAX = 16 * 2**20
HEARTBEAT_SECONDS = 30.0
"""Silence after which a WebSocket's other side is asked if it lives; half as much to answer."""

_SLOW_READER = aiohttp.WSCloseCode.TRY_AGAIN_LATER


class VenueError(RpcError):
    """A node's error as its client meets it: `data` is all that the node said about it."""

    def __init__(self, code: int, reason: str, message: str, data: dict[str, Any]) -> None:
        details = {name: value for name, value in data.items() if name not in ("reason", "mend")}
        super().__init__(code, reason, message, str(data.get("mend", "")), **details)


class ClientClosed(RuntimeError):
    """What was asked of a client that was closed, before or while it was done."""

    def __init__(self) -> None:
        super().__init__("this client was closed: make another one")


class Channel:
    """Requests to one URL. Retry where there is no answer, VenueError where it is an error."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self.url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._identities = count(1)
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    @property
    def session(self) -> aiohttp.ClientSession:
        """Opened at first use, because it belongs to the running loop. Never again once closed:
        a stream that mends itself would open one that nobody closes."""
        if self._is_closed:
            raise ClientClosed
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session

    async def close(self) -> None:
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a method, as decoded JSON. A param that is None is left out."""
        identity, body = self.written(method, params)
        headers = {"Content-Type": "application/json"}
        try:
            async with self.session.post(self.url, data=body, headers=headers) as response:
                raw = await response.content.read(REPLY_BYTES_MAX)
                while piece := await response.content.read(REPLY_BYTES_MAX - len(raw)):
                    raw += piece
        except TimeoutError:
            raise Retry(f"the node at {self.url} did not answer {method} in time") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise Retry(f"the node at {self.url} cannot be reached: {_why(fault)}") from None
        return self.result(raw, method, identity)

    async def socket(
        self, heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket of its own, for who closes it. Retry where the node takes none."""
        try:
            return await self.session.ws_connect(
                self.url, heartbeat=heartbeat_seconds, max_msg_size=REPLY_BYTES_MAX
            )
        except (aiohttp.ClientError, OSError) as fault:
            raise Retry(f"no WebSocket at {self.url}: {_why(fault)}") from None

    @asynccontextmanager
    async def fills(self, params: dict[str, Any]) -> AsyncIterator["Fills"]:
        """Subscribed on entering, so that nothing traded after that is missed."""
        identity, body = self.written("venue_subscribe", {"channel": "fills", **params})
        socket = await self.socket()
        try:
            await socket.send_str(body.decode())
            name = self.result(await message_of(socket), "venue_subscribe", identity)
            yield Fills(socket, str(name))
        finally:
            await socket.close()

    @asynccontextmanager
    async def held(
        self, method: str, params: dict[str, Any], result: type[wire.T]
    ) -> AsyncIterator[wire.T]:
        """The result of a method called over a WebSocket that is then held open."""
        identity, body = self.written(method, params)
        socket = await self.socket()
        try:
            await socket.send_str(body.decode())
            yield wire.convert(self.result(await message_of(socket), method, identity), result)
        finally:
            await socket.close()

    def written(self, method: str, params: dict[str, Any]) -> tuple[int, bytes]:
        """The id and the bytes of a request. A param that is None is left out."""
        identity = next(self._identities)
        given = {name: value for name, value in params.items() if value is not None}
        request = {"jsonrpc": "2.0", "id": identity, "method": method, "params": given}
        return identity, wire.encode(request)

    def result(self, raw: bytes, method: str, identity: int) -> Any:
        """What a reply says. VenueError where that is an error, Retry where it is no reply."""
        reply = decoded(raw)
        error = reply.get("error")
        if isinstance(error, dict) and isinstance(error.get("code"), int):
            data = error.get("data")
            data = data if isinstance(data, dict) else {}
            reason = str(data.get("reason", "unknown"))
            raise VenueError(error["code"], reason, str(error.get("message")), data)
        if reply.get("id") != identity or "result" not in reply:
            raise Retry(f"the node at {self.url} answered {method} with something else")
        return reply["result"]


class Fills:
    """Fills made since one subscribed, in order. VenueError once this reader was too slow.

    After a rewind come again those of later batches than the one it went back to.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, name: str) -> None:
        self.name = name
        self._socket = socket
        self._last = 0
        self._waiting: deque[FillNotice] = deque()

    def __aiter__(self) -> "Fills":
        return self

    async def __anext__(self) -> FillNotice:
        while not self._waiting:
            message = decoded(await message_of(self._socket))
            self._take(wire.convert(message.get("params"), Notice[FillsTold]))
        return self._waiting.popleft()

    def _take(self, notice: Notice[FillsTold]) -> None:
        if notice.sequence != self._last + 1:
            raise Retry(f"notice {self._last + 1} is missing: subscribe again")
        self._last = notice.sequence
        told = notice.data.fills
        if notice.type == "snapshot":
            back = notice.rewound
            told = [] if back is None else [one for one in told if one.batch > back]
        for one in told:
            self._waiting.append(
                FillNotice(
                    subscription=notice.subscription,
                    sequence=notice.sequence,
                    number=one.number,
                    batch=one.batch,
                    time=one.time,
                    fill=one.fill,
                )
            )


def _why(fault: Exception) -> str:
    if isinstance(fault, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return "this is no URL of a node, which is like http://127.0.0.1:9545"
    return type(fault).__name__


async def message_of(socket: aiohttp.ClientWebSocketResponse) -> bytes:
    """The next text. Retry, or VenueError for a reader who was too slow, where it was closed."""
    message = await socket.receive()
    if message.type == aiohttp.WSMsgType.TEXT:
        return str(message.data).encode()
    if socket.close_code == _SLOW_READER:
        raise VenueError(
            *(Code.TOO_SLOW, "slow_reader", "the node dropped this subscription: too slow"),
            {"mend": "read faster, then subscribe again; numbers show what was missed"},
        )
    raise Retry(f"the node closed the WebSocket (code {socket.close_code}): connect again")


def decoded(raw: bytes) -> dict[str, Any]:
    """A JSON object. Retry where it is none."""
    try:
        reply = parse(raw)
    except NotJson:
        reply = None
    if not isinstance(reply, dict):
        raise Retry("the node answered with something that is not JSON-RPC")
    return reply
