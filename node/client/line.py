"""A line to a node: requests are executed in the order in which they were begun, many under way.

One WebSocket keeps the order. When it breaks, what has no answer yet is sent again over the
next one, in order; so only what may be sent twice belongs on it, as signed messages do: the same
message gets the same answer.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

import aiohttp

from node.clock import Clock
from node.errors import Retry
from node.rpc.channel import Channel, ClientClosed, VenueError, decoded
from node.rpc.errors import Code

BODY_BYTES_MAX = 2**18
PAUSE_FIRST, PAUSE_MAX = 0.1, 2.0


class Asked:
    """A request under way; `sends` is how often it was sent."""

    def __init__(self, identity: int, body: bytes, method: str) -> None:
        self.identity = identity
        self.text = body.decode()
        self.method = method
        self.sends = 0
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class Line:
    """`patience_seconds` is how long an answer is waited for, over all connections."""

    def __init__(self, channel: Channel, clock: Clock, patience_seconds: float) -> None:
        self._channel = channel
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._unanswered: dict[int, Asked] = {}
        self._to_send: deque[Asked] = deque()
        self._has_work = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._is_closed = False

    async def close(self) -> None:
        """Nothing more is sent; whoever waits is told so."""
        self._is_closed = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None
        for asked in self._unanswered.values():
            if not asked.answer.done():
                asked.answer.set_exception(_unknown(asked, "the client was closed"))
        self._unanswered.clear()

    def begin(self, method: str, params: dict[str, Any]) -> Asked:
        """Take a request into the line now; `answer` waits for what becomes of it.

        VenueError where it is larger than a node reads, ClientClosed behind the end of the line.
        """
        identity, body = self._channel.written(method, params)
        if len(body) > BODY_BYTES_MAX:
            # A node ends a connection over it, with all that is under way.
            raise VenueError(
                *(Code.BODY_TOO_LARGE, "body_too_large"),
                f"a request of {len(body)} bytes, {BODY_BYTES_MAX} at most",
                {"mend": "send fewer at once"},
            )
        asked = Asked(identity, body, method)
        self._put(asked)
        return asked

    def again(self, asked: Asked) -> None:
        """Send an answered request once more, at the end of the line."""
        asked.answer = asyncio.get_running_loop().create_future()
        self._put(asked)

    async def answer(self, asked: Asked) -> Any:
        """VenueError where it is an error; Retry where there is none, and nobody knows."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await asked.answer
        except TimeoutError:
            seconds = f"no answer within {self._patience_seconds:g} s"
            raise _unknown(asked, seconds) from None
        finally:
            # Whoever gave up must not be acted for later.
            self._unanswered.pop(asked.identity, None)

    def _put(self, asked: Asked) -> None:
        if self._is_closed:
            raise ClientClosed
        self._unanswered[asked.identity] = asked
        self._to_send.append(asked)
        self._has_work.set()
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    # --- the worker ---

    async def _work(self) -> None:
        pause = PAUSE_FIRST
        while True:
            if not self._unanswered:
                self._has_work.clear()
                await self._has_work.wait()
            with suppress(Retry, ConnectionError):
                socket = await self._channel.socket()
                try:
                    if await self._converse(socket):
                        pause = PAUSE_FIRST
                finally:
                    await socket.close()
            if self._unanswered:
                await self._clock.sleep(pause)
                pause = min(2 * pause, PAUSE_MAX)

    async def _converse(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        """Until the socket ends; whether there was any answer."""
        self._to_send = deque(self._unanswered.values())
        self._has_work.set()
        writing = asyncio.create_task(self._write(socket))
        has_answered = False
        try:
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    has_answered |= self._take(message.data.encode())
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        return has_answered

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            while self._to_send:
                asked = self._to_send.popleft()
                if asked.identity in self._unanswered:
                    asked.sends += 1
                    await socket.send_str(asked.text)
            self._has_work.clear()
            await self._has_work.wait()

    def _take(self, raw: bytes) -> bool:
        identity = decoded(raw).get("id")
        asked = self._unanswered.pop(identity, None) if isinstance(identity, int) else None
        if asked is None or asked.answer.done():
            return False
        try:
            asked.answer.set_result(self._channel.result(raw, asked.method, asked.identity))
        except (VenueError, Retry) as fault:
            asked.answer.set_exception(fault)
        return True


def _unknown(asked: Asked, why: str) -> Retry:
    if not asked.sends:
        return Retry(f"{asked.method} was not sent: {why}")
    return Retry(f"{asked.method}: {why}; whether it was done is unknown, venue_order may tell")
