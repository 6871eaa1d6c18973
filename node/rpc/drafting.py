"""From what a trader means to the message that is signed: exact, or refused.

Server and client draft with the same functions, so a client need not trust a server with
what it signs.
"""

from node.rpc.amounts import MICRO_PLACES, NANO_PLACES, Grid, read_money
from node.rpc.errors import InvalidParams
from node.rpc.messages import (
    CancelMessage,
    LifeName,
    OrderMessage,
    OrderType,
    PriceMessage,
    TransferMessage,
    WithdrawMessage,
)
from node.rpc.params import CancelFields, OrderFields, PriceFields, TransferFields, WithdrawFields
from node.rpc.wire import U16, U24, U32, U40, U48, U56, U64, U80, Address
from state.limits import AMOUNT_MICRO_MAX, TIME_MAX, TRANSFER_MAX

RESTING_LIFE_SECONDS = 86_400
"""How long an order that may rest is good for, unless its expiry is given."""

ACTION_LIFE_SECONDS = 600
"""How long anything else is: time to read it in a wallet, and no more."""


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
