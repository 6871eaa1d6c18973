"""A node's JSON-RPC for the command line, bots and tests.

Orders are drafted and signed here, from amounts as decimal strings, so a client signs what
it meant and not what a server says it meant. Every `sign_and_...` asks for the next sequence
number first; whoever has several messages under way uses `node.client.Trader`.
"""

from typing import Unpack

from node.rpc import drafting
from node.rpc import results as r
from node.rpc.amounts import Grid, decimal
from node.rpc.channel import Fills, VenueError
from node.rpc.drafts import DraftingClient, NotOpen, OrderOptions
from node.rpc.message_types import AnyMessage, BlockTradeMessage, Side
from node.rpc.messages import transaction_of
from node.rpc.params import BlockTradeFields, MarketName, PriceFields
from node.rpc.wire import U40
from state.accounts import OWNER_KEY

__all__ = ["Fills", "NotOpen", "VenueClient", "VenueError"]


class VenueClient(DraftingClient):
    """Drafting and signing for a private key beside the methods of a node."""

    async def _send(
        self, private_key: bytes, message: AnyMessage, client_order_id: str | None = None
    ) -> r.SubmitReceipt:
        return await self.sign_and_submit(private_key, transaction_of(message), client_order_id)

    async def sign_and_submit_order(
        self,
        private_key: bytes,
        *,
        account: int,
        market: MarketName,
        side: Side,
        size: str,
        key_epoch: int = OWNER_KEY,
        sequence: int | None = None,
        client_order_id: str | None = None,
        **options: Unpack[OrderOptions],
    ) -> r.SubmitReceipt:
        """`size` in coin, `price` in USD per coin; without a price, a market order."""
        number = await self._sequence(account, key_epoch, sequence)
        where = (account, market, side, size)
        message = await self.draft_order(*where, sequence=number, key_epoch=key_epoch, **options)
        return await self._send(private_key, message, client_order_id)

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
        message = await self.draft_amend(
            *(account, await self.open_order(account, order)),
            sequence=await self._sequence(account, key_epoch, None),
            size=size,
            price=price,
            expiry=expiry,
            key_epoch=key_epoch,
        )
        return await self._send(private_key, message, client_order_id)

    async def sign_and_cancel(
        self,
        private_key: bytes,
        *,
        account: int,
        order: r.OrderId,
        key_epoch: int = OWNER_KEY,
        sequence: int | None = None,
    ) -> r.SubmitReceipt:
        number = await self._sequence(account, key_epoch, sequence)
        message = self.draft_cancel(account, order, sequence=number, key_epoch=key_epoch)
        return await self._send(private_key, message)

    async def sign_and_cancel_all(
        self,
        private_key: bytes,
        *,
        account: int,
        market: MarketName | None = None,
        key_epoch: int = OWNER_KEY,
    ) -> r.SubmitReceipt:
        """Every open order of the account, or those of one market."""
        number = await self._sequence(account, key_epoch, None)
        message = await self.draft_cancel_all(
            account, sequence=number, market=market, key_epoch=key_epoch
        )
        return await self._send(private_key, message)

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
        message = self.draft_add_key(
            *(account, key),
            sequence=await self._sequence(account, OWNER_KEY, None),
            key_expiry=key_expiry,
            may_trade=may_trade,
            may_cancel=may_cancel,
            may_block_trade=may_block_trade,
        )
        return await self._send(private_key, message)

    async def sign_and_revoke_key(
        self, private_key: bytes, *, account: int, key_epoch: int
    ) -> r.SubmitReceipt:
        """End a session key; its resting orders stay. The owner signs this."""
        number = await self._sequence(account, OWNER_KEY, None)
        return await self._send(
            private_key, self.draft_revoke_key(account, key_epoch, sequence=number)
        )

    async def sign_and_withdraw(
        self, private_key: bytes, *, account: int, amount: str, recipient: bytes
    ) -> r.SubmitReceipt:
        """`amount` USDC to an L1 address."""
        number = await self._sequence(account, OWNER_KEY, None)
        message = self.draft_withdraw(account, sequence=number, amount=amount, recipient=recipient)
        return await self._send(private_key, message)

    async def sign_and_transfer(
        self, private_key: bytes, *, account: int, to_account: int, amount: str
    ) -> r.SubmitReceipt:
        """`amount` USD to another subaccount of the same owner."""
        number = await self._sequence(account, OWNER_KEY, None)
        message = self.draft_transfer(
            account, sequence=number, to_account=to_account, amount=amount
        )
        return await self._send(private_key, message)

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
        return await self._send(private_key, message)
