"""Messages of a venue from what a trader means, each under the sequence number it is given.

Amounts are decimal strings: money in USD, `price` in USD per coin, `size` in coin. What is off
the tick or the lot is InvalidParams and is never signed.
"""

from typing import TypedDict, Unpack

from node.rpc import drafting
from node.rpc import results as r
from node.rpc.amounts import Grid, decimal
from node.rpc.channel import VenueError
from node.rpc.errors import Code
from node.rpc.message_types import (
    AddKeyMessage,
    AmendMessage,
    CancelAllMessage,
    CancelMessage,
    LifeName,
    OrderMessage,
    RevokeKeyMessage,
    SelfTradeName,
    Side,
    TransferMessage,
    WithdrawMessage,
)
from node.rpc.params import (
    AddKeyFields,
    AmendFields,
    CancelAllFields,
    CancelFields,
    MarketName,
    OrderFields,
    OrderName,
    RevokeKeyFields,
    TransferFields,
    WithdrawFields,
)
from node.rpc.signing import SigningClient
from node.rpc.wire import U32, U40, U64, Address
from state.accounts import OWNER_KEY


class NotOpen(VenueError):
    """The account has no such open order, so there is nothing to amend."""

    def __init__(self, account: int, order: r.OrderId) -> None:
        mend = "venue_account lists the open orders; venue_order tells what became of one"
        super().__init__(
            *(Code.NOT_FOUND, "unknown_order"),
            f"account {account} has no open order {order.epoch}:{order.sequence}",
            {"mend": mend},
        )


class OrderOptions(TypedDict, total=False):
    """What an order may say beside market, side and size; without a price it is a market order."""

    price: str | None
    life: LifeName | None
    reduce_only: bool
    self_trade: SelfTradeName
    expiry: int | None


class DraftingClient(SigningClient):
    """Knows the markets' units and the time, which is all that a draft needs of a venue."""

    async def draft_order(
        self,
        account: int,
        market: MarketName,
        side: Side,
        size: str,
        *,
        sequence: int,
        key_epoch: int = OWNER_KEY,
        **options: Unpack[OrderOptions],
    ) -> OrderMessage:
        price, expiry = options.get("price"), options.get("expiry")
        fields = OrderFields(
            *(U32(account), market, side, decimal(size)),
            price=None if price is None else decimal(price),
            life=options.get("life"),
            reduce_only=options.get("reduce_only", False),
            self_trade=options.get("self_trade", "cancel-resting"),
            key_epoch=U32(key_epoch),
        )
        terms = await self._market(market)
        latest = drafting.order_expiry(
            self._now(), drafting.order_life(fields), terms.order_life_max
        )
        return drafting.order_message(
            Grid(terms.lot_exponent, terms.tick),
            terms.market,
            fields,
            sequence=sequence,
            expiry=latest if expiry is None else expiry,
        )

    def draft_cancel(
        self, account: int, order: r.OrderId, *, sequence: int, key_epoch: int = OWNER_KEY
    ) -> CancelMessage:
        return drafting.cancel_message(
            CancelFields(U32(account), _name(order), key_epoch=U32(key_epoch)),
            sequence=sequence,
            expiry=drafting.action_expiry(self._now()),
        )

    async def draft_cancel_all(
        self,
        account: int,
        *,
        sequence: int,
        market: MarketName | None = None,
        key_epoch: int = OWNER_KEY,
        expiry: int | None = None,
    ) -> CancelAllMessage:
        """Every open order of the account, or those of one market."""
        latest = drafting.action_expiry(self._now())
        return drafting.cancel_all_message(
            CancelAllFields(U32(account), key_epoch=U32(key_epoch)),
            None if market is None else (await self._market(market)).market,
            sequence=sequence,
            expiry=latest if expiry is None else expiry,
        )

    async def draft_amend(
        self,
        account: int,
        resting: r.OpenOrder,
        *,
        sequence: int,
        size: str | None = None,
        price: str | None = None,
        expiry: int | None = None,
        key_epoch: int = OWNER_KEY,
    ) -> AmendMessage:
        """What is not given stays as it rests; `size` is what shall be open."""
        fields = AmendFields(
            *(U32(account), _name(resting.id)),
            price=None if price is None else decimal(price),
            size=None if size is None else decimal(size),
            key_epoch=U32(key_epoch),
            expiry=None if expiry is None else U40(expiry),
        )
        terms = await self._market(resting.market)
        grid = Grid(terms.lot_exponent, terms.tick)
        standing = drafting.Standing(grid, resting.ticks, resting.lots, resting.expiry)
        return drafting.amend_message(fields, standing, sequence=sequence)

    async def open_order(self, account: int, order: r.OrderId) -> r.OpenOrder:
        """The order as it rests. NotOpen where it does not."""
        for found in (await self.account(account)).orders:
            if found.id == order:
                return found
        raise NotOpen(account, order)

    def draft_withdraw(
        self, account: int, *, sequence: int, amount: str, recipient: bytes
    ) -> WithdrawMessage:
        """`amount` USDC to an L1 address."""
        return drafting.withdraw_message(
            WithdrawFields(U32(account), decimal(amount), Address(recipient)),
            recipient,
            sequence=sequence,
            expiry=drafting.action_expiry(self._now()),
        )

    def draft_transfer(
        self, account: int, *, sequence: int, to_account: int, amount: str
    ) -> TransferMessage:
        """`amount` USD to another subaccount of the same owner."""
        return drafting.transfer_message(
            TransferFields(U32(account), U32(to_account), decimal(amount)),
            sequence=sequence,
            expiry=drafting.action_expiry(self._now()),
        )

    def draft_add_key(
        self,
        account: int,
        key: bytes,
        *,
        sequence: int,
        key_expiry: int | None = None,
        may_trade: bool = True,
        may_cancel: bool = True,
        may_block_trade: bool = False,
    ) -> AddKeyMessage:
        """Let the key of an address sign for the account; the owner signs this."""
        return drafting.add_key_message(
            AddKeyFields(
                *(U32(account), Address(key)),
                key_expiry=None if key_expiry is None else U40(key_expiry),
                may_trade=may_trade,
                may_cancel=may_cancel,
                may_block_trade=may_block_trade,
            ),
            now=self._now(),
            sequence=sequence,
            expiry=drafting.action_expiry(self._now()),
        )

    def draft_revoke_key(self, account: int, epoch: int, *, sequence: int) -> RevokeKeyMessage:
        """End a session key; its resting orders stay. The owner signs this."""
        return drafting.revoke_key_message(
            RevokeKeyFields(U32(account), U32(epoch)),
            sequence=sequence,
            expiry=drafting.action_expiry(self._now()),
        )


def _name(order: r.OrderId) -> OrderName:
    return OrderName(U32(order.epoch), U64(order.sequence))
