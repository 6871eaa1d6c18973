"""A node's JSON-RPC for the command line, bots and tests.

Orders are drafted and signed here, from amounts as decimal strings, so a client signs what
it meant and not what a server says it meant.
"""

from node.rpc import drafting
from node.rpc import results as r
from node.rpc.amounts import Grid, decimal
from node.rpc.channel import Fills, VenueError
from node.rpc.errors import Code
from node.rpc.message_types import (
    BlockTradeMessage,
    LifeName,
    SelfTradeName,
    Side,
)
from node.rpc.messages import transaction_of
from node.rpc.params import (
    AddKeyFields,
    AmendFields,
    BlockTradeFields,
    CancelAllFields,
    CancelFields,
    MarketName,
    OrderFields,
    OrderName,
    PriceFields,
    RevokeKeyFields,
    TransferFields,
    WithdrawFields,
)
from node.rpc.signing import SigningClient, next_sequence
from node.rpc.wire import U32, U40, U64, Address
from state.accounts import OWNER_KEY

__all__ = ["Fills", "NotOpen", "VenueClient", "VenueError"]


class NotOpen(VenueError):
    """The account has no such open order, so there is nothing to amend."""

    def __init__(self, account: int, order: r.OrderId) -> None:
        mend = "venue_account lists the open orders; venue_order tells what became of one"
        super().__init__(
            *(Code.NOT_FOUND, "unknown_order"),
            f"account {account} has no open order {order.epoch}:{order.sequence}",
            {"mend": mend},
        )


class VenueClient(SigningClient):
    """Drafting and signing for a private key beside the methods of a node."""

    async def sign_and_submit_order(
        self,
        private_key: bytes,
        *,
        account: int,
        market: MarketName,
        side: Side,
        size: str,
        price: str | None = None,
        life: LifeName | None = None,
        reduce_only: bool = False,
        self_trade: SelfTradeName = "cancel-resting",
        key_epoch: int = OWNER_KEY,
        sequence: int | None = None,
        expiry: int | None = None,
        client_order_id: str | None = None,
    ) -> r.SubmitReceipt:
        """`size` in coin, `price` in USD per coin; without a price, a market order."""
        fields = OrderFields(
            *(U32(account), market, side, decimal(size)),
            price=None if price is None else decimal(price),
            life=life,
            reduce_only=reduce_only,
            self_trade=self_trade,
            key_epoch=U32(key_epoch),
        )
        terms = await self._market(market)
        latest = drafting.order_expiry(
            self._now(), drafting.order_life(fields), terms.order_life_max
        )
        message = drafting.order_message(
            Grid(terms.lot_exponent, terms.tick),
            terms.market,
            fields,
            sequence=await self._sequence(account, key_epoch, sequence),
            expiry=latest if expiry is None else expiry,
        )
        return await self.sign_and_submit(private_key, transaction_of(message), client_order_id)

    async def sign_and_amend(
        self,
        private_key: bytes,
        *,
        account: int,
        order: r.OrderId,
        size: str | None = None,
        price: str | None = None,
        expiry: int | None = None,
        key_epoch: int = OWNER_KEY,
        client_order_id: str | None = None,
    ) -> r.SubmitReceipt:
        """What is not given stays; `size` is what shall be open. NotOpen where it does not rest."""
        fields = AmendFields(
            *(U32(account), OrderName(U32(order.epoch), U64(order.sequence))),
            price=None if price is None else decimal(price),
            size=None if size is None else decimal(size),
            key_epoch=U32(key_epoch),
            expiry=None if expiry is None else U40(expiry),
        )
        summary = await self.account(account)
        resting = next((found for found in summary.orders if found.id == order), None)
        if resting is None:
            raise NotOpen(account, order)
        terms = await self._market(resting.market)
        grid = Grid(terms.lot_exponent, terms.tick)
        message = drafting.amend_message(
            fields,
            drafting.Standing(grid, resting.ticks, resting.lots, resting.expiry),
            sequence=next_sequence(summary, key_epoch),
        )
        return await self.sign_and_submit(private_key, transaction_of(message), client_order_id)

    async def sign_and_cancel_all(
        self,
        private_key: bytes,
        *,
        account: int,
        market: MarketName | None = None,
        key_epoch: int = OWNER_KEY,
    ) -> r.SubmitReceipt:
        """Every open order of the account, or those of one market."""
        message = drafting.cancel_all_message(
            CancelAllFields(U32(account), key_epoch=U32(key_epoch)),
            None if market is None else (await self._market(market)).market,
            sequence=await self._sequence(account, key_epoch, None),
            expiry=drafting.action_expiry(self._now()),
        )
        return await self.sign_and_submit(private_key, transaction_of(message))

    async def sign_and_add_key(
        self,
        private_key: bytes,
        *,
        account: int,
        key: bytes,
        key_expiry: int | None = None,
        may_trade: bool = True,
        may_cancel: bool = True,
        may_block_trade: bool = False,
    ) -> r.SubmitReceipt:
        """Let the key of an address sign for the account; the owner signs this."""
        message = drafting.add_key_message(
            AddKeyFields(
                *(U32(account), Address(key)),
                key_expiry=None if key_expiry is None else U40(key_expiry),
                may_trade=may_trade,
                may_cancel=may_cancel,
                may_block_trade=may_block_trade,
            ),
            now=self._now(),
            sequence=await self._sequence(account, OWNER_KEY, None),
            expiry=drafting.action_expiry(self._now()),
        )
        return await self.sign_and_submit(private_key, transaction_of(message))

    async def sign_and_revoke_key(
        self, private_key: bytes, *, account: int, key_epoch: int
    ) -> r.SubmitReceipt:
        """End a session key; its resting orders stay. The owner signs this."""
        message = drafting.revoke_key_message(
            RevokeKeyFields(U32(account), U32(key_epoch)),
            sequence=await self._sequence(account, OWNER_KEY, None),
            expiry=drafting.action_expiry(self._now()),
        )
        return await self.sign_and_submit(private_key, transaction_of(message))

    async def draft_block_trade(self, fields: BlockTradeFields) -> BlockTradeMessage:
        """What maker and taker sign, each with `sign`; then `submit_block_trade`."""
        legs = []
        for leg in fields.legs:
            terms = await self._market(leg.market)
            grid = Grid(terms.lot_exponent, terms.tick)
            legs.append(drafting.leg_message(grid, terms.market, leg))
        epochs = (fields.maker_key_epoch or OWNER_KEY, fields.taker_key_epoch or OWNER_KEY)
        maker = await self._sequence(fields.maker, epochs[0], fields.maker_sequence)
        taker = await self._sequence(fields.taker, epochs[1], fields.taker_sequence)
        latest = drafting.action_expiry(self._now())
        return drafting.block_trade_message(
            fields,
            legs,
            maker_sequence=maker,
            taker_sequence=taker,
            expiry=latest if fields.expiry is None else fields.expiry,
        )

    async def sign_and_cancel(
        self,
        private_key: bytes,
        *,
        account: int,
        order: r.OrderId,
        key_epoch: int = OWNER_KEY,
        sequence: int | None = None,
    ) -> r.SubmitReceipt:
        message = drafting.cancel_message(
            CancelFields(
                *(U32(account), OrderName(U32(order.epoch), U64(order.sequence))),
                key_epoch=U32(key_epoch),
            ),
            sequence=await self._sequence(account, key_epoch, sequence),
            expiry=drafting.action_expiry(self._now()),
        )
        return await self.sign_and_submit(private_key, transaction_of(message))

    async def sign_and_withdraw(
        self, private_key: bytes, *, account: int, amount: str, recipient: bytes
    ) -> r.SubmitReceipt:
        """`amount` USDC to an L1 address."""
        message = drafting.withdraw_message(
            WithdrawFields(U32(account), decimal(amount), Address(recipient)),
            recipient,
            sequence=await self._sequence(account, OWNER_KEY, None),
            expiry=drafting.action_expiry(self._now()),
        )
        return await self.sign_and_submit(private_key, transaction_of(message))

    async def sign_and_transfer(
        self, private_key: bytes, *, account: int, to_account: int, amount: str
    ) -> r.SubmitReceipt:
        """`amount` USD to another subaccount of the same owner."""
        message = drafting.transfer_message(
            TransferFields(U32(account), U32(to_account), decimal(amount)),
            sequence=await self._sequence(account, OWNER_KEY, None),
            expiry=drafting.action_expiry(self._now()),
        )
        return await self.sign_and_submit(private_key, transaction_of(message))

    async def sign_and_submit_price(
        self, private_key: bytes, *, market: MarketName, price: str, time: int
    ) -> r.SubmitReceipt:
        """A publisher's `price` in USD per coin, seen at `time`."""
        terms = await self._market(market)
        message = drafting.price_message(
            Grid(terms.lot_exponent, terms.tick),
            terms.market,
            PriceFields(market, decimal(price), U40(time)),
        )
        return await self.sign_and_submit(private_key, transaction_of(message))
