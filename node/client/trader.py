"""A key bound to an account: what a trader does, in a line each."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Unpack, assert_never

from msgspec import Struct

from node.client.guard import guard_of
from node.client.sending import Draft, Sender
from node.rpc.drafts import OrderOptions
from node.rpc.message_types import (
    AnyMessage,
    BlockTradeMessage,
    CancelAllMessage,
    LifeName,
    SelfTradeName,
    Side,
)
from node.rpc.order_results import BatchItem, OrderStanding
from node.rpc.params import MarketName
from node.rpc.preview_results import Preview
from node.rpc.results import AccountSummary, OrderId, SubmitReceipt
from node.rpc.switch_results import SwitchStanding
from node.rpc.tape_results import PositionPage

SWITCH_LIFE_SECONDS = 86_400
"""How long the message of a switch is good for, at least."""


class Order(Struct, frozen=True, kw_only=True):
    """An order of a batch: `size` in coin, `price` in USD per coin."""

    market: MarketName
    side: Side
    size: str
    price: str | None = None
    life: LifeName | None = None
    reduce_only: bool = False
    self_trade: SelfTradeName = "cancel-resting"
    expiry: int | None = None
    client_order_id: str | None = None


class Cancel(Struct, frozen=True):
    """A cancel of a batch."""

    order: OrderId


class CancelAll(Struct, frozen=True):
    """A cancel of a batch: every order, or those of one market."""

    market: MarketName | None = None


class Trader:
    """Signs for `account` with one key, and keeps the sequence numbers of that key.

    Calls may run side by side: they are executed in the order in which they were begun. Every
    one raises VenueError where it is refused, and node.errors.Retry where nobody knows what became
    of it. A key of which another process uses sequence numbers too works, and costs a round trip
    each time; a session key of one's own is better.
    """

    def __init__(self, sender: Sender, address: bytes) -> None:
        self._address = address
        self._sender = sender
        self._client = sender.client

    @property
    def address(self) -> bytes:
        """Of the key."""
        return self._address

    @property
    def account(self) -> int:
        return self._sender.account

    @property
    def key_epoch(self) -> int:
        """0 is the owner's own key."""
        return self._sender.key_epoch

    async def summary(self) -> AccountSummary:
        return await self._client.account(self.account)

    async def positions(self) -> PositionPage:
        """With entry prices and profit."""
        return await self._client.positions(self.account)

    async def order(
        self, order: OrderId | None = None, *, client_order_id: str | None = None
    ) -> OrderStanding:
        """Where an order stands."""
        return await self._client.order(self.account, order, client_order_id=client_order_id)

    # --- orders ---

    async def place(
        self,
        market: MarketName,
        side: Side,
        size: str,
        *,
        client_order_id: str | None = None,
        **options: Unpack[OrderOptions],
    ) -> SubmitReceipt:
        """`size` in coin, `price` in USD per coin; without a price, a market order."""

        async def draft(sequence: int) -> AnyMessage:
            return await self._client.draft_order(
                *(self.account, market, side, size),
                sequence=sequence,
                key_epoch=self.key_epoch,
                **options,
            )

        return await self._sender.send(draft, client_order_id)

    async def amend(
        self,
        order: OrderId,
        *,
        size: str | None = None,
        price: str | None = None,
        expiry: int | None = None,
        client_order_id: str | None = None,
    ) -> SubmitReceipt:
        """What is not given stays; `size` is what shall be open. NotOpen where it does not rest."""
        resting = await self._client.open_order(self.account, order)

        async def draft(sequence: int) -> AnyMessage:
            return await self._client.draft_amend(
                *(self.account, resting),
                sequence=sequence,
                size=size,
                price=price,
                expiry=expiry,
                key_epoch=self.key_epoch,
            )

        return await self._sender.send(draft, client_order_id)

    async def cancel(self, order: OrderId) -> SubmitReceipt:
        return await self._sender.send(self._draft_of(Cancel(order)))

    async def cancel_all(self, market: MarketName | None = None) -> SubmitReceipt:
        """Every open order of the account, or those of one market."""
        return await self._sender.send(self._draft_of(CancelAll(market)))

    async def batch(
        self, requests: Sequence[Order | Cancel | CancelAll], *, stop_on_error: bool = False
    ) -> list[BatchItem]:
        """1 to 100 at once, with nothing of others between them; `result` or `error` of each."""
        drafts = [
            (self._draft_of(one), one.client_order_id if isinstance(one, Order) else None)
            for one in requests
        ]
        return await self._sender.send_batch(drafts, stop_on_error=stop_on_error)

    async def preview(
        self, market: MarketName, side: Side, size: str, **options: Unpack[OrderOptions]
    ) -> Preview:
        """What an order would do to the margin; nothing is signed."""
        message = await self._client.draft_order(
            *(self.account, market, side, size),
            sequence=await self._sender.next_sequence(),
            key_epoch=self.key_epoch,
            **options,
        )
        return await self._client.preview_message("order", message)

    # --- money and keys: the owner signs these ---

    async def withdraw(self, amount: str, recipient: bytes | None = None) -> SubmitReceipt:
        """`amount` USDC to an L1 address, the key's own unless another is given."""

        async def draft(sequence: int) -> AnyMessage:
            return self._client.draft_withdraw(
                self.account, sequence=sequence, amount=amount, recipient=recipient or self.address
            )

        return await self._sender.send(draft)

    async def transfer(self, to_account: int, amount: str) -> SubmitReceipt:
        """`amount` USD to another subaccount of the same owner."""

        async def draft(sequence: int) -> AnyMessage:
            return self._client.draft_transfer(
                self.account, sequence=sequence, to_account=to_account, amount=amount
            )

        return await self._sender.send(draft)

    async def add_key(
        self,
        key: bytes,
        *,
        key_expiry: int | None = None,
        may_trade: bool = True,
        may_cancel: bool = True,
        may_block_trade: bool = False,
    ) -> SubmitReceipt:
        """Let the key of an address sign for the account; the receipt has its `key_epoch`."""

        async def draft(sequence: int) -> AnyMessage:
            return self._client.draft_add_key(
                *(self.account, key),
                sequence=sequence,
                key_expiry=key_expiry,
                may_trade=may_trade,
                may_cancel=may_cancel,
                may_block_trade=may_block_trade,
            )

        return await self._sender.send(draft)

    async def revoke_key(self, key_epoch: int) -> SubmitReceipt:
        """End a session key; its resting orders stay."""

        async def draft(sequence: int) -> AnyMessage:
            return self._client.draft_revoke_key(self.account, key_epoch, sequence=sequence)

        return await self._sender.send(draft)

    # --- block trades ---

    async def reserve_sequence(self) -> int:
        """A sequence number of this key to name in a block trade's draft."""
        return await self._sender.reserve()

    async def sign_block_trade(self, message: BlockTradeMessage) -> bytes:
        """This party's half. Read the legs first: they are traded as they stand.

        ValueError where the message does not name this account and key.
        """
        parties: dict[tuple[int, int], int] = {
            (message.maker, message.maker_key_epoch): message.maker_sequence,
            (message.taker, message.taker_key_epoch): message.taker_sequence,
        }
        sequence = parties.get((self.account, self.key_epoch))
        if sequence is None:
            raise ValueError(
                f"account {self.account} with key {self.key_epoch} is no party of this block "
                f"trade; expected one of {sorted(parties)}"
            )
        self._sender.used(int(sequence))
        return await self._sender.sign(message)

    # --- when one is gone ---

    async def dead_man_switch(
        self, seconds: int, market: MarketName | None = None
    ) -> SwitchStanding:
        """Cancel all orders in `seconds` unless this is called again before; 0 ends it.

        An owner's switch is signed with a key that may only cancel (`node.client.guard`), which
        the account is given at first use; that of a session key is used up by its next order.
        """
        message, signature = await self._held_back(market, seconds)
        return await self._client.dead_man_switch(message, signature, seconds)

    @asynccontextmanager
    async def cancel_on_disconnect(
        self, market: MarketName | None = None
    ) -> AsyncIterator[SwitchStanding]:
        """`async with trader.cancel_on_disconnect():` all orders are cancelled when it is left.

        The node sees to it, so also where this process dies. Signed as `dead_man_switch` is.
        """
        message, signature = await self._held_back(market, 0)
        async with self._client.cancel_on_disconnect(message, signature) as standing:
            yield standing

    async def _held_back(
        self, market: MarketName | None, seconds: int
    ) -> tuple[CancelAllMessage, bytes]:
        expiry = int(self._sender.clock.now()) + seconds + SWITCH_LIFE_SECONDS
        guard = await guard_of(self._sender, expiry)
        # The last one may have fired, which nobody told us.
        guard.forget_sequence()
        message = await self._client.draft_cancel_all(
            self.account,
            sequence=await guard.next_sequence(),
            market=market,
            key_epoch=guard.key_epoch,
            expiry=expiry,
        )
        return message, await guard.sign(message)

    def _draft_of(self, request: Order | Cancel | CancelAll) -> Draft:
        async def draft(sequence: int) -> AnyMessage:
            epoch = self.key_epoch
            match request:
                case Order() as o:
                    return await self._client.draft_order(
                        *(self.account, o.market, o.side, o.size),
                        sequence=sequence,
                        key_epoch=epoch,
                        price=o.price,
                        life=o.life,
                        reduce_only=o.reduce_only,
                        self_trade=o.self_trade,
                        expiry=o.expiry,
                    )
                case Cancel(order):
                    return self._client.draft_cancel(
                        self.account, order, sequence=sequence, key_epoch=epoch
                    )
                case CancelAll(market):
                    return await self._client.draft_cancel_all(
                        self.account, sequence=sequence, market=market, key_epoch=epoch
                    )
                case _:
                    assert_never(request)

        return draft
