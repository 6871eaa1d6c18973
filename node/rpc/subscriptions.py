"""Fills as they happen, over a WebSocket.

Every notice has a number without gaps. A reader who cannot keep up is dropped with close
code 1013 and a reason, never served with holes.
"""

import asyncio
from itertools import count

import structlog
from aiohttp import WSCloseCode, web

from node.rpc.context import Context, Filter
from node.rpc.envelope import notification
from node.rpc.errors import Code, RpcError
from node.rpc.params import SubscribeParams, UnsubscribeParams
from node.rpc.results import FillNotice
from node.rpc.views.fills import fill_summary
from node.rpc.views.lookup import find_account, find_market
from node.view import FeedEvent, VenueView

SUBSCRIPTIONS_MAX = 16
NOTICE = "venue_subscription"
SLOW_READER = b"too slow: notices were waiting; subscribe again, numbers show the gap"
OUR_FAULT = b"the node failed to tell a fill; subscribe again"

log = structlog.get_logger(__name__)


def subscribe(context: Context, params: SubscribeParams) -> str:
    """The name of a new subscription to fills, of one market or account where given."""
    if context.connection is None:
        raise RpcError(
            *(Code.NEEDS_WEBSOCKET, "needs_websocket", "Subscriptions need a WebSocket"),
            "open a WebSocket at the same address and subscribe there",
        )
    wanted = Filter()
    if params.market is not None:
        wanted = Filter(market=find_market(context.view, params.market)[0].market)
    if params.account is not None:
        find_account(context.view, params.account)
        wanted = Filter(wanted.market, params.account)
    return context.connection.subscribe(context.view, wanted)


def unsubscribe(context: Context, params: UnsubscribeParams) -> bool:
    """Whether there was such a subscription on this connection."""
    return context.connection is not None and context.connection.unsubscribe(params.subscription)


class Subscriber:
    """One WebSocket and its subscriptions. `send_seconds` is how long a send may wait."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.BaseTransport | None,
        send_seconds: float,
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._send_seconds = send_seconds
        self._names = count(1)
        self._pumps: dict[str, asyncio.Task[None]] = {}

    def subscribe(self, view: VenueView, wanted: Filter) -> str:
        if len(self._pumps) >= SUBSCRIPTIONS_MAX:
            raise RpcError(
                *(Code.TOO_MANY, "too_many_subscriptions", "Too many subscriptions"),
                "unsubscribe from one, or filter on your own side",
                expected=f"at most {SUBSCRIPTIONS_MAX} on one connection",
            )
        name = f"0x{next(self._names):x}"
        # Subscribed before the reply is sent, so no fill after the reply is missed.
        queue = view.fills.subscribe()
        self._pumps[name] = asyncio.create_task(self._pump(view, name, wanted, queue))
        return name

    def unsubscribe(self, name: str) -> bool:
        pump = self._pumps.pop(name, None)
        if pump is not None:
            pump.cancel()
        return pump is not None

    async def send(self, message: bytes) -> None:
        """Send, or drop a reader who takes nothing for `send_seconds`."""
        try:
            async with asyncio.timeout(self._send_seconds):
                await self._socket.send_str(message.decode())
        except TimeoutError:
            await self.drop()
            raise ConnectionError("the reader was too slow") from None

    async def drop(self) -> None:
        """Close with the reason; the reader sees it after what was already on its way."""
        try:
            async with asyncio.timeout(self._send_seconds):
                await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=SLOW_READER)
        except TimeoutError:
            # The reason could not be told either: the reader takes no byte.
            if isinstance(self._transport, asyncio.WriteTransport):
                self._transport.abort()

    async def close(self) -> None:
        """End every subscription and wait for their last words."""
        pumps = list(self._pumps.values())
        self._pumps.clear()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self,
        view: VenueView,
        name: str,
        wanted: Filter,
        queue: "asyncio.Queue[FeedEvent | None]",
    ) -> None:
        sequences = count(1)
        try:
            while (event := await queue.get()) is not None:
                if wanted.passes(event.fill):
                    notice = _notice(view, name, next(sequences), event)
                    await self.send(notification(NOTICE, notice))
            await self.drop()
        except ConnectionError:
            return
        except Exception:
            # A stream that has ended must not look like a quiet one.
            log.exception("subscription_failed", subscription=name)
            await self._socket.close(code=WSCloseCode.INTERNAL_ERROR, message=OUR_FAULT)
        finally:
            view.fills.unsubscribe(queue)


def _notice(view: VenueView, name: str, sequence: int, event: FeedEvent) -> FillNotice:
    return FillNotice(
        subscription=name,
        sequence=sequence,
        number=event.number,
        batch=event.batch,
        time=event.time,
        fill=fill_summary(view, event.fill),
    )
