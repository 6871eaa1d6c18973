"""Every method of a node as a typed coroutine: what has been signed goes in, results come out."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from node.errors import Retry
from node.rpc import results as r
from node.rpc import rollup_results as rollup_r
from node.rpc import tape_results as past
from node.rpc import wire
from node.rpc.channel import Channel, Fills
from node.rpc.conservation_results import BatchClaims
from node.rpc.cost_results import FeeSchedule, FundingSummary
from node.rpc.message_types import AnyMessage, Kind, Side
from node.rpc.order_results import BatchItem, OrderStanding
from node.rpc.params import Interval, MarketName, PreviewKind
from node.rpc.preview_results import Preview
from node.rpc.switch_results import SwitchStanding
from node.rpc.tape_params import OrderStatus
from node.rpc.wire import Hex


class VenueRequests:
    """Raises VenueError for an error the node tells, node.errors.Retry where there is no answer."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._channel = Channel(url, timeout_seconds=timeout_seconds)

    async def close(self) -> None:
        await self._channel.close()

    async def request(self, method: str, **params: Any) -> Any:
        """Any method, its result as decoded JSON."""
        return await self._channel.request(method, params)

    async def _typed(self, result: type[wire.T], method: str, /, **params: Any) -> wire.T:
        answer = await self._channel.request(method, params)
        try:
            return wire.convert(answer, result)
        except msgspec.ValidationError as fault:
            raise Retry(f"{method} answered with something else: {fault}") from None

    # --- the venue ---

    async def markets(self) -> list[r.MarketSummary]:
        return await self._typed(list[r.MarketSummary], "venue_markets")

    async def market(self, market: MarketName) -> r.MarketSummary:
        return await self._typed(r.MarketSummary, "venue_market", market=market)

    async def book(self, market: MarketName, depth: int | None = None) -> r.BookDepth:
        return await self._typed(r.BookDepth, "venue_book", market=market, depth=depth)

    async def account(self, account: int) -> r.AccountSummary:
        return await self._typed(r.AccountSummary, "venue_account", account=account)

    async def accounts(self, owner: bytes) -> list[r.AccountSummary]:
        return await self._typed(list[r.AccountSummary], "venue_accounts", owner=Hex(owner))

    async def typed_data(self, /, kind: Kind, **fields: Any) -> r.TypedData:
        """What a wallet signs; `fields` are named as on the wire."""
        return await self._typed(r.TypedData, "venue_typedData", kind=kind, fields=fields)

    async def preview(self, /, kind: PreviewKind, **fields: Any) -> Preview:
        """What would become of it; `fields` are those of `typed_data`."""
        return await self._typed(Preview, "venue_preview", kind=kind, fields=fields)

    async def preview_message(
        self, kind: PreviewKind, message: AnyMessage | dict[str, Any]
    ) -> Preview:
        """What would become of a message if it were signed and sent."""
        return await self._typed(Preview, "venue_preview", kind=kind, message=message)

    async def fees(self, market: MarketName | None = None) -> FeeSchedule:
        return await self._typed(FeeSchedule, "venue_fees", market=market)

    async def funding(self, market: MarketName) -> FundingSummary:
        return await self._typed(FundingSummary, "venue_funding", market=market)

    async def dead_man_switch(
        self, message: AnyMessage | dict[str, Any], signature: bytes, seconds: int
    ) -> SwitchStanding:
        """Submit a signed cancelAll after `seconds` unless this is called again; 0 ends it."""
        return await self._typed(
            *(SwitchStanding, "venue_deadManSwitch"),
            message=message,
            signature=Hex(signature),
            seconds=seconds,
        )

    def cancel_on_disconnect(
        self, message: AnyMessage | dict[str, Any], signature: bytes
    ) -> AbstractAsyncContextManager[SwitchStanding]:
        """`async with`: a WebSocket of its own; when it ends, the signed cancelAll is submitted."""
        params = {"message": message, "signature": Hex(signature)}
        return self._channel.held("venue_cancelOnDisconnect", params, SwitchStanding)

    async def submit(
        self,
        kind: Kind,
        message: AnyMessage | dict[str, Any],
        signature: bytes,
        client_order_id: str | None = None,
    ) -> r.SubmitReceipt:
        """Send a signed message, 64 or 65 bytes of signature beside it."""
        return await self._typed(
            *(r.SubmitReceipt, "venue_submit"),
            kind=kind,
            message=message,
            signature=Hex(signature),
            clientOrderId=client_order_id,
        )

    async def submit_block_trade(
        self,
        message: AnyMessage | dict[str, Any],
        maker_signature: bytes,
        taker_signature: bytes,
    ) -> r.SubmitReceipt:
        """Send a block trade that both parties signed."""
        return await self._typed(
            *(r.SubmitReceipt, "venue_submit"),
            kind="blockTrade",
            message=message,
            makerSignature=Hex(maker_signature),
            takerSignature=Hex(taker_signature),
        )

    async def submit_batch(
        self, items: Sequence[dict[str, Any]], *, stop_on_error: bool = False
    ) -> list[BatchItem]:
        """Send several, each with the params of venue_submit; what became of each."""
        return await self._typed(
            *(list[BatchItem], "venue_submitBatch"), items=items, stopOnError=stop_on_error
        )

    async def order(
        self,
        account: int,
        order: r.OrderId | None = None,
        *,
        client_order_id: str | None = None,
    ) -> OrderStanding:
        """Where an order stands, by its name or by the id its client gave it."""
        return await self._typed(
            *(OrderStanding, "venue_order"),
            account=account,
            order=order,
            clientOrderId=client_order_id,
        )

    async def cancel(
        self, message: AnyMessage | dict[str, Any], signature: bytes
    ) -> r.SubmitReceipt:
        return await self._typed(
            r.SubmitReceipt, "venue_cancel", message=message, signature=Hex(signature)
        )

    async def submit_price(
        self, market: MarketName, price: int, time: int, signature: bytes
    ) -> r.SubmitReceipt:
        """A publisher's price in nano-USD per lot."""
        return await self._typed(
            *(r.SubmitReceipt, "venue_submitPrice"),
            market=market,
            price=price,
            time=time,
            signature=Hex(signature),
        )

    def fills(
        self, *, market: MarketName | None = None, account: int | None = None
    ) -> AbstractAsyncContextManager[Fills]:
        """`async with client.fills() as fills`, then `async for notice in fills`."""
        return self._channel.fills({"market": market, "account": account})

    # --- what happened: pages, the newest first ---

    async def trades(
        self, market: MarketName, *, before: int | None = None, count: int | None = None
    ) -> past.TradePage:
        """Trades numbered under `before`."""
        return await self._typed(
            past.TradePage, "venue_trades", market=market, before=before, count=count
        )

    async def candles(
        self,
        market: MarketName,
        interval: Interval,
        *,
        before: int | None = None,
        count: int | None = None,
    ) -> past.CandlePage:
        """Candles that start before the time `before`."""
        place = {"before": before, "count": count}
        return await self._typed(
            past.CandlePage, "venue_candles", market=market, interval=interval, **place
        )

    async def account_fills(
        self,
        account: int,
        *,
        market: MarketName | None = None,
        before: int | None = None,
        count: int | None = None,
    ) -> past.FillPage:
        """Fills of an account, numbered under `before`."""
        place = {"before": before, "count": count}
        return await self._typed(
            past.FillPage, "venue_fills", account=account, market=market, **place
        )

    async def account_orders(
        self,
        account: int,
        *,
        market: MarketName | None = None,
        status: OrderStatus | None = None,
        before: int | None = None,
        count: int | None = None,
    ) -> past.OrderPage:
        """Orders of an account, numbered under `before`."""
        wanted = {"market": market, "status": status, "before": before, "count": count}
        return await self._typed(past.OrderPage, "venue_orders", account=account, **wanted)

    async def positions(self, account: int) -> past.PositionPage:
        return await self._typed(past.PositionPage, "venue_positions", account=account)

    # --- the rollup ---

    async def status(self) -> rollup_r.SyncStatus:
        return await self._typed(rollup_r.SyncStatus, "rollup_syncStatus")

    async def config(self) -> rollup_r.RollupConfig:
        return await self._typed(rollup_r.RollupConfig, "rollup_config")

    async def batch(self, number: int) -> rollup_r.BatchSummary:
        return await self._typed(rollup_r.BatchSummary, "rollup_batch", number=number)

    async def batches(
        self, first: int | None = None, count: int | None = None
    ) -> list[rollup_r.BatchSummary]:
        return await self._typed(
            list[rollup_r.BatchSummary], "rollup_batches", **{"from": first, "count": count}
        )

    async def claims(self, number: int) -> BatchClaims:
        """Every claim on batch `number`, beside what the node executed."""
        return await self._typed(BatchClaims, "rollup_claims", number=number)

    async def account_proof(self, account: int) -> rollup_r.AccountProof:
        return await self._typed(rollup_r.AccountProof, "rollup_accountProof", account=account)

    async def best_order_proof(self, market: MarketName, side: Side) -> rollup_r.BestOrderProof:
        return await self._typed(
            rollup_r.BestOrderProof, "rollup_bestOrderProof", market=market, side=side
        )

    async def withdrawal(self, index: int) -> rollup_r.WithdrawalStatus:
        return await self._typed(rollup_r.WithdrawalStatus, "rollup_withdrawal", index=index)

    async def withdrawal_proof(
        self, index: int, batch: int | None = None
    ) -> rollup_r.WithdrawalProof:
        return await self._typed(
            rollup_r.WithdrawalProof, "rollup_withdrawalProof", index=index, batch=batch
        )
