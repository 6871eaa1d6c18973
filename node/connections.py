"""Connections to a server of ours: how many there may be, and how long one may read nothing.

The HTTP library bounds neither. It sees a reader who takes nothing as one who is slow, and
what was written for him stays in memory for as long as he keeps the connection open, also
behind a close. Here every byte that the system did not take at once starts a timer.
"""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web
from msgspec import Struct

TURN_SECONDS = 0.01
"""How long one connection is served before others get their turn."""

log = structlog.get_logger(__name__)


class ConnectionLimits(Struct, frozen=True, kw_only=True):
    """`reply_seconds` is how long a reader has to take all that was written for him."""

    connections_max: int = 1_024
    reply_seconds: float = 30.0


class Connections:
    """The open connections of one server, which makes a protocol for each with `serve`.

    One above the limit is told `turned_away`, the body of a 503, and is closed.
    """

    def __init__(
        self, serve: Callable[[], asyncio.Protocol], limits: ConnectionLimits, turned_away: bytes
    ) -> None:
        self.serve = serve
        self.limits = limits
        self.turned_away = turned_away
        self.open: set[_Connection] = set()

    def accept(self) -> asyncio.Protocol:
        return _Connection(self)


class _Connection(asyncio.Protocol):
    """Hands everything on to the HTTP library's protocol, and watches what its reader takes."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.has_taken_all = asyncio.Event()
        self.has_taken_all.set()
        self.turn_until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        # Zero: told as soon as one byte waits for its reader, and again when none does.
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        limits = self._connections.limits
        if len(self._connections.open) >= limits.connections_max:
            log.warning("connection_turned_away", open=limits.connections_max)
            transport.write(_service_unavailable(self._connections.turned_away))
            transport.close()
            return
        self._connections.open.add(self)
        self._inner = self._connections.serve()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.begin_turn()
        if self._inner is not None:
            self._inner.data_received(data)

    def begin_turn(self) -> None:
        self.turn_until = asyncio.get_running_loop().time() + TURN_SECONDS

    def eof_received(self) -> bool | None:
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        self.has_taken_all.clear()
        seconds = self._connections.limits.reply_seconds
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._give_up)
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._relax()
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._relax()
        self._connections.open.discard(self)
        if self._inner is not None:
            self._inner.connection_lost(error)

    def _relax(self) -> None:
        self.has_taken_all.set()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        assert self._transport is not None
        waiting = self._transport.get_write_buffer_size()
        log.info("reader_dropped", bytes=waiting)
        self._transport.abort()


async def until_taken(transport: asyncio.BaseTransport | None) -> None:
    """Return once the reader of a connection has taken all that was written for him.

    Whoever sends request behind request and reads no reply makes us hold one, not all.
    """
    protocol = transport.get_protocol() if isinstance(transport, asyncio.Transport) else None
    if isinstance(protocol, _Connection):
        await protocol.has_taken_all.wait()


async def take_turns(transport: asyncio.BaseTransport | None) -> None:
    """Let others run where this connection has been served for a while without a pause.

    What arrived in one piece may hold thousands of requests, and none of them need wait.
    """
    protocol = transport.get_protocol() if isinstance(transport, asyncio.Transport) else None
    if (
        isinstance(protocol, _Connection)
        and asyncio.get_running_loop().time() > protocol.turn_until
    ):
        await asyncio.sleep(0)
        protocol.begin_turn()


class LimitedSite(web.BaseSite):
    """Where a runner listens, with every connection counted and timed."""

    def __init__(
        self,
        runner: web.BaseRunner,
        host: str,
        port: int,
        *,
        limits: ConnectionLimits,
        turned_away: bytes,
    ) -> None:
        super().__init__(runner)
        self._host, self._port = host, port
        assert runner.server is not None
        self.connections = Connections(runner.server, limits, turned_away)

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """OSError where the port cannot be had."""
        await super().start()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self.connections.accept, self._host, self._port, backlog=self._backlog
        )


def _service_unavailable(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
