"""From what a trader means to the message that is signed: exact, or refused.

Server and client draft with the same functions, so a client need not trust a server with
what it signs.
"""

from itertools import pairwise

from msgspec import Struct

from node.rpc.amounts import MICRO_PLACES, NANO_PLACES, Grid, read_money
from node.rpc.errors import InvalidParams
from node.rpc.message_types import (
    AddKeyMessage,
    AmendMessage,
    BlockTradeMessage,
    CancelAllMessage,
    CancelMessage,
    LegMessage,
    LifeName,
    OrderMessage,
    OrderType,
    PriceMessage,
    RevokeKeyMessage,
    TransferMessage,
    WithdrawMessage,
)
from node.rpc.params import (
    AddKeyFields,
    AmendFields,
    BlockTradeFields,
    CancelAllFields,
    CancelFields,
    LegFields,
    OrderFields,
    PriceFields,
    RevokeKeyFields,
    TransferFields,
    WithdrawFields,
)
from node.rpc.wire import U16, U24, U32, U40, U48, U56, U64, U80, Address
from state.limits import AMOUNT_MICRO_MAX, TIME_MAX, TRANSFER_MAX

RESTING_LIFE_SECONDS = 86_400
"""How long an order that may rest is good for, unless its expiry is given."""

ACTION_LIFE_SECONDS = 600
"""How long anything else is: time to read it in a wallet, and no more."""

KEY_LIFE_SECONDS = 30 * 86_400
"""How long a session key is good for, unless its expiry is given."""


class Standing(Struct, frozen=True):
    """An open order as an amend finds it."""

    grid: Grid
    ticks: int
    lots: int
    expiry: int


def order_message(
    grid: Grid, market: int, fields: OrderFields, *, sequence: int, expiry: int
) -> OrderMessage:
    """The order in ticks and lots. InvalidParams off the tick or the lot."""
    order_type, life = _order_type(fields), order_life(fields)
    if order_type == "market" and life in ("GTC", "post-only"):
        raise InvalidParams(
            "life_needs_a_price",
            f"a market order cannot be {life}: it has no price at which it could rest",
            "use life IOC or FOK, or give a price",
            expected=["IOC", "FOK"],
            got=life,
        )
    return OrderMessage(
        account=fields.account,
        key_epoch=fields.key_epoch or U32(0),
        sequence=U64(sequence),
        market=U16(market),
        side=fields.side,
        order_type=order_type,
        life=life,
        reduce_only=fields.reduce_only,
        self_trade=fields.self_trade,
        ticks=U24(0 if fields.price is None else grid.read_price(fields.price)),
        lots=U48(grid.read_size(fields.size)),
        expiry=U40(expiry),
    )


def _order_type(fields: OrderFields) -> OrderType:
    implied: OrderType = "market" if fields.price is None else "limit"
    if fields.type in (None, implied):
        return implied
    has = "no price" if fields.price is None else "a price"
    raise InvalidParams(
        "type_and_price_disagree",
        f"a {fields.type} order with {has}",
        "give a price to limit orders, and none to market orders",
        expected=implied,
        got=fields.type,
    )


def order_life(fields: OrderFields) -> LifeName:
    """As given; else a limit order is GTC and a market order IOC."""
    if fields.life is not None:
        return fields.life
    return "IOC" if fields.price is None else "GTC"


def order_expiry(now: int, life: LifeName, order_life_max: int) -> int:
    """When an order runs out unless it says so itself, within what its market allows."""
    seconds = RESTING_LIFE_SECONDS if life in ("GTC", "post-only") else ACTION_LIFE_SECONDS
    return min(now + min(seconds, order_life_max), TIME_MAX)


def action_expiry(now: int) -> int:
    """When anything but an order runs out unless it says so itself."""
    return min(now + ACTION_LIFE_SECONDS, TIME_MAX)


def cancel_message(fields: CancelFields, *, sequence: int, expiry: int) -> CancelMessage:
    return CancelMessage(
        account=fields.account,
        key_epoch=fields.key_epoch or U32(0),
        sequence=U64(sequence),
        order_key_epoch=fields.order.epoch,
        order_sequence=fields.order.sequence,
        expiry=U40(expiry),
    )


def cancel_all_message(
    fields: CancelAllFields, market: int | None, *, sequence: int, expiry: int
) -> CancelAllMessage:
    """Of one market, or without it of every one."""
    return CancelAllMessage(
        account=fields.account,
        key_epoch=fields.key_epoch or U32(0),
        sequence=U64(sequence),
        every_market=market is None,
        market=U16(market or 0),
        expiry=U40(expiry),
    )


def amend_message(fields: AmendFields, order: Standing, *, sequence: int) -> AmendMessage:
    """What is not given stays; so less of the same price keeps its place in the queue."""
    ticks = order.ticks if fields.price is None else order.grid.read_price(fields.price)
    lots = order.lots if fields.size is None else order.grid.read_size(fields.size)
    return AmendMessage(
        account=fields.account,
        key_epoch=fields.key_epoch or U32(0),
        sequence=U64(sequence),
        order_key_epoch=fields.order.epoch,
        order_sequence=fields.order.sequence,
        ticks=U24(ticks),
        lots=U48(lots),
        expiry=U40(order.expiry if fields.expiry is None else fields.expiry),
    )


def add_key_message(fields: AddKeyFields, *, now: int, sequence: int, expiry: int) -> AddKeyMessage:
    key_expiry = min(now + KEY_LIFE_SECONDS, TIME_MAX)
    return AddKeyMessage(
        account=fields.account,
        sequence=U64(sequence),
        key=fields.key,
        key_expiry=U40(key_expiry if fields.key_expiry is None else fields.key_expiry),
        may_trade=fields.may_trade,
        may_cancel=fields.may_cancel,
        may_block_trade=fields.may_block_trade,
        expiry=U40(expiry),
    )


def revoke_key_message(fields: RevokeKeyFields, *, sequence: int, expiry: int) -> RevokeKeyMessage:
    return RevokeKeyMessage(
        account=fields.account,
        sequence=U64(sequence),
        key_epoch=fields.key_epoch,
        expiry=U40(expiry),
    )


def leg_message(grid: Grid, market: int, fields: LegFields) -> LegMessage:
    """The leg in ticks and lots. InvalidParams off the tick or the lot."""
    return LegMessage(
        market=U16(market),
        taker_side=fields.taker_side,
        ticks=U24(grid.read_price(fields.price)),
        lots=U48(grid.read_size(fields.size)),
    )


def block_trade_message(
    fields: BlockTradeFields,
    legs: list[LegMessage],
    *,
    maker_sequence: int,
    taker_sequence: int,
    expiry: int,
) -> BlockTradeMessage:
    """The legs by ascending market. InvalidParams where a market comes twice."""
    markets = sorted(leg.market for leg in legs)
    twice = [market for market, next_ in pairwise(markets) if market == next_]
    if twice:
        raise InvalidParams(
            "market_repeated",
            f"market {twice[0]} has two legs",
            "put what is traded in one market into one leg",
            expected="each market once",
            got=markets,
        )
    return BlockTradeMessage(
        maker=fields.maker,
        maker_key_epoch=fields.maker_key_epoch or U32(0),
        maker_sequence=U64(maker_sequence),
        taker=fields.taker,
        taker_key_epoch=fields.taker_key_epoch or U32(0),
        taker_sequence=U64(taker_sequence),
        legs=sorted(legs, key=lambda leg: leg.market),
        expiry=U40(expiry),
    )


def withdraw_message(
    fields: WithdrawFields, owner: bytes, *, sequence: int, expiry: int
) -> WithdrawMessage:
    """The amount in micro-USDC, which is all that L1 knows."""
    return WithdrawMessage(
        account=fields.account,
        sequence=U64(sequence),
        recipient=fields.recipient or Address(owner),
        amount=U64(read_money(fields.amount, MICRO_PLACES, AMOUNT_MICRO_MAX)),
        expiry=U40(expiry),
    )


def transfer_message(fields: TransferFields, *, sequence: int, expiry: int) -> TransferMessage:
    """The amount in nano-USD."""
    return TransferMessage(
        account=fields.account,
        sequence=U64(sequence),
        to_account=fields.to_account,
        amount=U80(read_money(fields.amount, NANO_PLACES, TRANSFER_MAX)),
        expiry=U40(expiry),
    )


def price_message(grid: Grid, market: int, fields: PriceFields) -> PriceMessage:
    """The price in nano-USD per lot."""
    return PriceMessage(
        market=U16(market), price=U56(grid.read_nano_price(fields.price)), time=fields.time
    )
