"""One WebSocket: requests begun in the order they arrive, many under way, replies as they come.

Replies that come together leave together. A reader who takes nothing is not read from either,
and then dropped.
"""

import asyncio
from functools import partial

import structlog
from aiohttp import WSMsgType, web

from node.connections import take_turns, until_taken
from node.rpc.context import Context
from node.rpc.dispatch import Methods, begin
from node.rpc.quick import read_calls
from node.rpc.replies import Later
from node.rpc.subscriptions import Subscriber

UNDER_WAY_MAX = 1_024
"""Requests of one connection that wait for their replies; beyond, no more are read."""

_TEXT = 0x81
"""First byte of a frame that is a whole text message (RFC 6455, section 5.2)."""

log = structlog.get_logger(__name__)


class Conversation:
    """`send_seconds` is how long the reader may take nothing before it is dropped."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        subscriber: Subscriber,
        *,
        methods: Methods,
        context: Context,
        send_seconds: float,
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._subscriber = subscriber
        self._methods = methods
        self._context = context
        self._send_seconds = send_seconds
        self._under_way: set[Later] = set()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._leaving: list[bytes] = []

    async def hold(self) -> None:
        """Until the other side is gone. ConnectionError where it was dropped."""
        async for message in self._socket:
            begun = None
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                body = message.data.encode() if isinstance(message.data, str) else message.data
                begun = self._begin(body)
            elif message.type is WSMsgType.PING:
                # Here and not by the library, which answers a flood of them in one go.
                await self._socket.pong(message.data)
            await take_turns(self._transport)
            if begun is not None:
                # What arrives later must not overtake the rest of a batch.
                await begun.wait()
            await self._has_room.wait()
            await self._until_taken()

    def _begin(self, body: bytes) -> asyncio.Event | None:
        """When all of it has begun; None where it has."""
        reply = begin(body, self._methods, self._context, read_calls)
        if isinstance(reply, Later):
            self._under_way.add(reply)
            if len(self._under_way) >= UNDER_WAY_MAX:
                self._has_room.clear()
            reply.future.add_done_callback(partial(self._end, reply))
        elif reply is not None:
            # Now: what it announces may follow at once.
            self._leaving.append(reply)
            self._leave()
        return reply.begun if isinstance(reply, Later) else None

    def _end(self, reply: Later, _: "asyncio.Future[object]") -> None:
        self._under_way.discard(reply)
        self._has_room.set()
        text = reply.read()
        if text is None:
            return
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._leave)
        self._leaving.append(text)

    def _leave(self) -> None:
        texts, self._leaving = self._leaving, []
        if texts and not self._socket.closed and not self._transport.is_closing():
            self._transport.write(b"".join(map(text_frame, texts)))

    async def _until_taken(self) -> None:
        if not self._transport.get_write_buffer_size():
            return
        try:
            async with asyncio.timeout(self._send_seconds):
                await until_taken(self._transport)
        except TimeoutError:
            await self._subscriber.drop()
            raise ConnectionError("the reader was too slow") from None


def text_frame(text: bytes) -> bytes:
    """A text message as one frame of a server: final, not masked."""
    size = len(text)
    if size < 126:
        return bytes((_TEXT, size)) + text
    if size < 2**16:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + text
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + text
