"""The HTTP and WebSocket server around `dispatch`: doors, limits and nothing of the venue.

It listens on loopback. Whoever reaches a loopback server may be a web page in a browser on
the same machine, so Host and Origin are checked and bodies must be JSON by their type.
"""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import msgspec
import structlog
from aiohttp import WSCloseCode, web

from node.clock import Clock, SystemClock
from node.connections import ConnectionLimits, LimitedSite, take_turns, until_taken
from node.origins import headers_for
from node.rpc.context import Context
from node.rpc.conversation import Conversation
from node.rpc.dispatch import Methods, answer
from node.rpc.doors import TURNED_AWAY, Refused, body_of, check_form, check_names, http_log
from node.rpc.methods import METHODS
from node.rpc.quick import read_calls
from node.rpc.streams.hub import Hub
from node.rpc.subscriptions import Subscriber
from node.rpc.switches import Switches
from node.view import VenueView, VenueWriter

log = structlog.get_logger(__name__)

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


class RpcConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the server. `hosts` are the names it answers to in the Host header.

    `idle_seconds` bounds the wait for a request's head, `body_seconds` that for its body,
    `send_seconds` how long a WebSocket's reader may take nothing, `notices_max` how many
    notifications may wait for one, and `notice_bytes_max` what those may come to,
    `linger_seconds` how long the rest of a refused body is still read, so that its sender gets
    to see the refusal.
    `connections` bounds all of them, WebSockets among them, and the wait for their readers:
    it is longer than a WebSocket's two waits, so that its reader is told the reason first.
    `switches` is the file of armed switches; without it they end with the process.
    """

    hosts: tuple[str, ...] = LOOPBACK_HOSTS
    body_bytes_max: int = 2**18
    idle_seconds: float = 30.0
    body_seconds: float = 10.0
    send_seconds: float = 10.0
    linger_seconds: float = 1.0
    ping_seconds: float = 30.0
    websockets_max: int = 256
    notices_max: int = 1_024
    notice_bytes_max: int = 2**24
    connections: ConnectionLimits = ConnectionLimits()
    switches: Path | None = None
    may_leave_loopback: bool = False


class RpcServer:
    """Answers requests about one node. `sockets` are the open WebSockets."""

    def __init__(
        self, view: VenueView, config: RpcConfig, clock: Clock, methods: Methods = METHODS
    ) -> None:
        self.view = view
        self.config = config
        self.clock = clock
        self.methods = methods
        self.hub = Hub(view, clock)
        self.sockets: set[web.WebSocketResponse] = set()
        self.switches = switches_of(view, clock, config.switches)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """One HTTP request: a WebSocket's beginning, or a body to answer."""
        await until_taken(request.transport)
        await take_turns(request.transport)
        headers: dict[str, str] = {}
        try:
            check_names(request, self.config.hosts)
            headers = headers_for(request.headers.get("Origin"), request.headers)
            check_form(request)
            if request.method == "OPTIONS":
                return web.Response(status=204, headers=headers)
            if request.method == "GET":
                return await self._websocket(request)
            body = await body_of(request, self.config.body_seconds)
        except Refused as refused:
            # Whose page is welcome gets to read why, too.
            refused.response.headers.update(headers)
            return refused.response
        context = Context(self.view, self.clock, switches=self.switches)
        reply = await answer(body, self.methods, context, read_calls)
        if reply is None:
            return web.Response(status=204, headers=headers)
        return web.Response(body=reply, content_type="application/json", headers=headers)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        if len(self.sockets) >= self.config.websockets_max:
            raise Refused.too_many(f"{self.config.websockets_max} WebSockets are open already")
        socket = web.WebSocketResponse(
            heartbeat=self.config.ping_seconds,
            max_msg_size=self.config.body_bytes_max,
            timeout=self.config.send_seconds,
            compress=False,
            autoping=False,
        )
        # Counted before the handshake, which takes its time.
        self.sockets.add(socket)
        try:
            await socket.prepare(request)
            await self._serve_socket(socket, request.transport)
        finally:
            self.sockets.discard(socket)
        return socket

    async def _serve_socket(
        self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None
    ) -> None:
        subscriber = Subscriber(
            *(socket, transport, self.hub),
            send_seconds=self.config.send_seconds,
            notices_max=self.config.notices_max,
            bytes_max=self.config.notice_bytes_max,
        )
        assert isinstance(transport, asyncio.Transport)
        conversation = Conversation(
            *(socket, transport, subscriber),
            methods=self.methods,
            context=Context(self.view, self.clock, subscriber, self.switches),
            send_seconds=self.config.send_seconds,
        )
        try:
            await conversation.hold()
        except ConnectionError:
            log.debug("websocket_lost")
        finally:
            if self.switches is not None:
                self.switches.connection_ended(subscriber)
            await subscriber.close()

    async def submit_switches(self, _app: web.Application) -> AsyncIterator[None]:
        """Submit what is due, for as long as the application runs."""
        if self.switches is None:
            yield
            return
        submitting = asyncio.create_task(self.switches.run())
        yield
        submitting.cancel()
        await asyncio.gather(submitting, return_exceptions=True)

    async def close_sockets(self, _app: web.Application) -> None:
        """Tell every WebSocket that the node is going away."""
        closing = [
            socket.close(code=WSCloseCode.GOING_AWAY, message=b"the node is stopping")
            for socket in list(self.sockets)
        ]
        await asyncio.gather(*closing, return_exceptions=True)


def create_app(
    view: VenueView, config: RpcConfig | None = None, clock: Clock | None = None
) -> web.Application:
    """The application that serves `view` at every path."""
    config = config or RpcConfig()
    server = RpcServer(view, config, clock or SystemClock())
    app = web.Application(client_max_size=config.body_bytes_max)
    app.router.add_route("*", "/{path:.*}", server.receive)
    app.on_shutdown.append(server.close_sockets)
    app.cleanup_ctx.append(server.submit_switches)
    return app


def switches_of(view: VenueView, clock: Clock, path: Path | None) -> Switches | None:
    """Those of a node that takes transactions. Halt where the file cannot be read."""
    return Switches(cast(VenueWriter, view), clock, path) if hasattr(view, "submit") else None


class RunningServer:
    """A server that listens. `port` is the one it got where 0 was asked for."""

    def __init__(self, runner: web.AppRunner, site: LimitedSite, host: str, port: int) -> None:
        self._runner = runner
        self.connections = site.connections
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def close(self) -> None:
        """Stop listening, close WebSockets, let requests under way end."""
        await self._runner.cleanup()


async def serve(
    view: VenueView,
    host: str = "127.0.0.1",
    port: int = 0,
    config: RpcConfig | None = None,
    clock: Clock | None = None,
) -> RunningServer:
    """Listen at `host`:`port`. ValueError for an address that is not this machine's own."""
    config = config or RpcConfig()
    if not config.may_leave_loopback and not is_loopback(host):
        raise ValueError(
            f"refusing to listen on {host}: the JSON-RPC has no authentication; listen on "
            "127.0.0.1, or set may_leave_loopback if something in front of it has"
        )
    runner = web.AppRunner(
        create_app(view, config, clock),
        access_log=None,
        logger=http_log(),
        auto_decompress=False,
        keepalive_timeout=config.idle_seconds,
        lingering_time=config.linger_seconds,
        shutdown_timeout=config.send_seconds,
    )
    await runner.setup()
    site = LimitedSite(runner, host, port, limits=config.connections, turned_away=TURNED_AWAY)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    running = RunningServer(runner, site, host, runner.addresses[0][1])
    log.info("rpc_listening", url=running.url, role=view.role)
    return running


def is_loopback(host: str) -> bool:
    """Whether nothing but this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
