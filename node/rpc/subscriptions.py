"""Subscriptions of one WebSocket: who asks for what, and what waits to be sent.

Every notice has a number without gaps. A reader who cannot keep up is dropped with close
code 1013 and a reason, never served with holes.
"""

import asyncio
from collections import deque
from itertools import count

from aiohttp import WSCloseCode, web

from node.rpc.context import Context
from node.rpc.errors import Code, InvalidParams, RpcError
from node.rpc.params import SubscribeParams, UnsubscribeParams
from node.rpc.streams.hub import Hub, Subscription
from node.rpc.streams.topic import Wanted
from node.rpc.views.lookup import find_account, find_market

SUBSCRIPTIONS_MAX = 64
SLOW_READER = b"too slow: notices were waiting; subscribe again, it begins with a snapshot"
OUR_FAULT = b"the node failed to go on with a stream; subscribe again"

NEEDED: dict[str, tuple[str, ...]] = {
    "book": ("market",),
    "bbo": ("market",),
    "trades": ("market",),
    "candles": ("market", "interval"),
    "account": ("account",),
    "orders": ("account",),
    "batches": (),
    "fills": (),
}
"""What a channel is about."""

TAKEN: dict[str, tuple[str, ...]] = NEEDED | {"fills": ("market", "account")}


def subscribe(context: Context, params: SubscribeParams) -> str:
    """The name of a new subscription; the first notification is a snapshot."""
    if context.connection is None:
        raise RpcError(
            *(Code.NEEDS_WEBSOCKET, "needs_websocket", "Subscriptions need a WebSocket"),
            "open a WebSocket at the same address and subscribe there",
        )
    _check_fields(params)
    market = None
    if params.market is not None:
        market = find_market(context.view, params.market)[0].market
    if params.account is not None:
        find_account(context.view, params.account)
    account = None if params.account is None else int(params.account)
    return context.connection.subscribe(Wanted(params.channel, market, account, params.interval))


def unsubscribe(context: Context, params: UnsubscribeParams) -> bool:
    """Whether there was such a subscription on this connection."""
    return context.connection is not None and context.connection.unsubscribe(params.subscription)


def _check_fields(params: SubscribeParams) -> None:
    channel = params.channel
    for name in ("market", "account", "interval"):
        is_given = getattr(params, name) is not None
        if name in NEEDED[channel] and not is_given:
            raise InvalidParams(
                *("missing_field", f"the channel {channel} needs {name}"),
                f"say which {name} it is to be about",
                expected=list(NEEDED[channel]),
            )
        if is_given and name not in TAKEN[channel]:
            raise InvalidParams(
                *("unknown_field", f"the channel {channel} takes no {name}"),
                f"leave out {name}",
                expected=list(TAKEN[channel]),
            )


class Subscriber:
    """One WebSocket and its subscriptions. `send_seconds` is how long a send may wait,
    `notices_max` how many notifications may, and `bytes_max` how much they may come to; one
    that is larger may wait alone.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.BaseTransport | None,
        hub: Hub,
        *,
        send_seconds: float,
        notices_max: int,
        bytes_max: int,
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._hub = hub
        self._send_seconds = send_seconds
        self._notices_max = notices_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._names = count(1)
        self._subscriptions: dict[str, Subscription] = {}
        self._notices: deque[str] = deque()
        self._wake = asyncio.Event()
        self._closing: tuple[int, bytes] | None = None
        self._sender: asyncio.Task[None] | None = None

    def subscribe(self, wanted: Wanted) -> str:
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            raise RpcError(
                *(Code.TOO_MANY, "too_many_subscriptions", "Too many subscriptions"),
                "unsubscribe from one, or open another WebSocket",
                expected=f"at most {SUBSCRIPTIONS_MAX} on one connection",
            )
        subscription = Subscription(f"0x{next(self._names):x}", wanted, self)
        # Before the reply is sent, so nothing after the reply is missed.
        self._hub.enter(subscription)
        self._subscriptions[subscription.name] = subscription
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_notices())
        return subscription.name

    def unsubscribe(self, name: str) -> bool:
        subscription = self._subscriptions.pop(name, None)
        if subscription is not None:
            self._hub.leave(subscription)
        return subscription is not None

    def hand_on(self, notice: str) -> None:
        """Queue a notification; a reader for whom too many wait is dropped."""
        too_much = self._notices and self._bytes + len(notice) > self._bytes_max
        if too_much or len(self._notices) >= self._notices_max:
            self._end(WSCloseCode.TRY_AGAIN_LATER, SLOW_READER)
        else:
            self._notices.append(notice)
            self._bytes += len(notice)
            self._wake.set()

    def fail(self) -> None:
        """A stream cannot go on; one that has ended must not look like a quiet one."""
        self._end(WSCloseCode.INTERNAL_ERROR, OUR_FAULT)

    async def drop(self) -> None:
        """Close with the reason; the reader sees it after what was already on its way."""
        await self._close(WSCloseCode.TRY_AGAIN_LATER, SLOW_READER)

    async def close(self) -> None:
        """End every subscription and wait for their last words."""
        self._leave_all()
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)

    def _end(self, code: int, reason: bytes) -> None:
        self._leave_all()
        self._notices.clear()
        self._bytes = 0
        self._closing = self._closing or (code, reason)
        self._wake.set()

    def _leave_all(self) -> None:
        for subscription in self._subscriptions.values():
            self._hub.leave(subscription)
        self._subscriptions.clear()

    async def _send_notices(self) -> None:
        try:
            while self._closing is None:
                await self._wake.wait()
                self._wake.clear()
                while self._notices:
                    notice = self._notices.popleft()
                    self._bytes -= len(notice)
                    await self._send(notice)
            await self._close(*self._closing)
        except ConnectionError:
            self._leave_all()

    async def _send(self, notice: str) -> None:
        """Send, or drop a reader who takes nothing for `send_seconds`."""
        try:
            async with asyncio.timeout(self._send_seconds):
                await self._socket.send_str(notice)
        except TimeoutError:
            await self.drop()
            raise ConnectionError("the reader was too slow") from None

    async def _close(self, code: int, reason: bytes) -> None:
        try:
            async with asyncio.timeout(self._send_seconds):
                await self._socket.close(code=code, message=reason)
        except TimeoutError:
            # The reason could not be told either: the reader takes no byte.
            if isinstance(self._transport, asyncio.WriteTransport):
                self._transport.abort()
