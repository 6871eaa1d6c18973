"""Streams that mend themselves: whatever breaks one is told, and a fresh snapshot follows.

Each has a WebSocket of its own. A reader who does not come for what waits is dropped by the node
in the end, which is told as any other break.
"""

import asyncio
from typing import Any, Generic, Literal, Self, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from node.clock import Clock
from node.errors import Retry
from node.rpc import wire
from node.rpc.channel import Channel, VenueError, decoded, message_of
from node.rpc.streams.results import CHANNELS, Notice

T = TypeVar("T")

WAITING_MAX = 4_096
"""Events of a stream that wait for its reader; beyond, the node is not listened to."""

PAUSE_FIRST, PAUSE_MAX = 0.1, 5.0
"""Seconds between attempts to connect again: doubled each time."""

REFUSALS_MAX = 10
"""A node that has just started may not know yet what one asks for; for ever, it never will."""

Cause = Literal["gap", "closed", "silent", "forgotten", "rewound"]


class Break(Struct, frozen=True):
    """The stream was interrupted; the next notice is a snapshot, to begin from.

    `gap`: a notice was missing. `closed`: the other side ended the connection. `silent`: it
    was gone without a word. `forgotten`: between the last notice and the snapshot there was more
    than the node can still tell. `rewound`: the past is another one, because L1 changed.
    """

    cause: Cause
    detail: str


class Stream(Generic[T]):
    """`async with client.watch_...() as stream`, then `async for event in stream`.

    An event is a `Notice` or a `Break`. Entering raises VenueError for what there is not, and
    Retry without a node; later on it connects again until it is left. It ends with VenueError
    only where the node keeps refusing the subscription.
    """

    def __init__(
        self,
        channel: Channel,
        clock: Clock,
        wanted: dict[str, Any],
        heartbeat_seconds: float,
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._wanted = wanted
        self._heartbeat_seconds = heartbeat_seconds
        self._form: Any = CHANNELS[wanted["channel"]]
        self._events: asyncio.Queue[Notice[T] | Break | Exception] = asyncio.Queue(WAITING_MAX)
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        socket, name = await self._subscribed()
        self._pump = asyncio.create_task(self._relay_for_ever(socket, name))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notice[T] | Break:
        event = await self._events.get()
        if isinstance(event, Exception):
            self._events.put_nowait(event)
            raise event
        return event

    async def seen(self, notice: Notice[T]) -> list[Notice[T] | Break]:
        """What the reader is told of a notice."""
        return [notice]

    # --- the pump ---

    async def _relay_for_ever(self, socket: aiohttp.ClientWebSocketResponse, name: str) -> None:
        try:
            while True:
                try:
                    broken = await self._relay(socket, name)
                finally:
                    await socket.close()
                await self._events.put(broken)
                socket, name = await self._subscribed_again()
        except Exception as fault:
            # Whatever it is: nobody must wait for a stream that has ended.
            await self._events.put(fault)

    async def _relay(self, socket: aiohttp.ClientWebSocketResponse, name: str) -> Break:
        """Tell what comes, until nothing more does."""
        last = 0
        while True:
            message = await socket.receive()
            if message.type != aiohttp.WSMsgType.TEXT:
                return _ending(socket, message)
            try:
                notice = wire.convert(decoded(message.data.encode()).get("params"), self._form)
            except (Retry, msgspec.ValidationError):
                return Break("gap", f"what followed notice {last} cannot be read")
            if notice.subscription != name or notice.sequence <= last:
                continue
            if notice.sequence != last + 1:
                return Break("gap", f"notice {notice.sequence} came after {last}")
            last = notice.sequence
            try:
                events = await self.seen(notice)
            except Retry as fault:
                return Break("gap", f"what was missed could not be fetched: {fault}")
            for event in events:
                await self._events.put(event)

    async def _subscribed(self) -> tuple[aiohttp.ClientWebSocketResponse, str]:
        identity, body = self._channel.written("venue_subscribe", self._wanted)
        socket = await self._channel.socket(self._heartbeat_seconds)
        try:
            await socket.send_str(body.decode())
            reply = await message_of(socket)
            return socket, str(self._channel.result(reply, "venue_subscribe", identity))
        except BaseException as fault:
            await socket.close()
            if isinstance(fault, ConnectionError):
                raise Retry(f"the connection was lost while subscribing: {fault}") from None
            raise

    async def _subscribed_again(self) -> tuple[aiohttp.ClientWebSocketResponse, str]:
        pause, refusals = PAUSE_FIRST, 0
        while True:
            await self._clock.sleep(pause)
            pause = min(2 * pause, PAUSE_MAX)
            try:
                return await self._subscribed()
            except Retry:
                refusals = 0
            except VenueError:
                refusals += 1
                if refusals >= REFUSALS_MAX:
                    raise


def _ending(socket: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> Break:
    code = socket.close_code
    if message.type == aiohttp.WSMsgType.ERROR or code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
        return Break("silent", "the connection was lost without a word")
    reason = f": {message.extra}" if message.extra else ""
    return Break("closed", f"the node closed the connection with code {code}{reason}")
