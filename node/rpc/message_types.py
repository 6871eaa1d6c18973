"""The messages traders sign, field for field as EIP-712 shows them.

Their fields are those of `state.eip712`; the widths are the narrower ones of a
transaction's row, because what does not fit a row cannot be sequenced.
"""

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from node.rpc.wire import U16, U24, U32, U40, U48, U56, U64, U80, Address
from state import eip712
from state.limits import BLOCK_LEGS_MAX

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market"]
LifeName = Literal["GTC", "IOC", "FOK", "post-only"]
SelfTradeName = Literal["cancel-resting", "cancel-taking", "cancel-both"]
Kind = Literal[
    "order",
    "cancel",
    "withdraw",
    "transfer",
    "price",
    "cancelAll",
    "amend",
    "addKey",
    "revokeKey",
    "blockTrade",
]


class Message(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The message of EIP-712 typed data."""


class OrderMessage(Message, frozen=True):
    account: U32
    key_epoch: U32
    sequence: U64
    market: U16
    side: Side
    order_type: OrderType
    life: LifeName
    reduce_only: bool
    self_trade: SelfTradeName
    ticks: U24
    lots: U48
    expiry: U40


class CancelMessage(Message, frozen=True):
    account: U32
    key_epoch: U32
    sequence: U64
    order_key_epoch: U32
    order_sequence: U64
    expiry: U40


class WithdrawMessage(Message, frozen=True):
    account: U32
    sequence: U64
    recipient: Address
    amount: U64
    expiry: U40


class TransferMessage(Message, frozen=True):
    account: U32
    sequence: U64
    to_account: U32
    amount: U80
    expiry: U40


class PriceMessage(Message, frozen=True):
    market: U16
    price: U56
    time: U40


class CancelAllMessage(Message, frozen=True):
    """Where `every_market` is true, `market` says nothing."""

    account: U32
    key_epoch: U32
    sequence: U64
    every_market: bool
    market: U16
    expiry: U40


class AmendMessage(Message, frozen=True):
    """`lots` of the order shall be open from now on."""

    account: U32
    key_epoch: U32
    sequence: U64
    order_key_epoch: U32
    order_sequence: U64
    ticks: U24
    lots: U48
    expiry: U40


class AddKeyMessage(Message, frozen=True):
    account: U32
    sequence: U64
    key: Address
    key_expiry: U40
    may_trade: bool
    may_cancel: bool
    may_block_trade: bool
    expiry: U40


class RevokeKeyMessage(Message, frozen=True):
    account: U32
    sequence: U64
    key_epoch: U32
    expiry: U40


class LegMessage(Message, frozen=True):
    market: U16
    taker_side: Side
    ticks: U24
    lots: U48


class BlockTradeMessage(Message, frozen=True):
    maker: U32
    maker_key_epoch: U32
    maker_sequence: U64
    taker: U32
    taker_key_epoch: U32
    taker_sequence: U64
    legs: Annotated[list[LegMessage], Meta(min_length=1, max_length=BLOCK_LEGS_MAX)]
    expiry: U40


AnyMessage = (
    OrderMessage
    | CancelMessage
    | WithdrawMessage
    | TransferMessage
    | PriceMessage
    | CancelAllMessage
    | AmendMessage
    | AddKeyMessage
    | RevokeKeyMessage
    | BlockTradeMessage
)

MESSAGES: dict[Kind, type[AnyMessage]] = {
    "order": OrderMessage,
    "cancel": CancelMessage,
    "withdraw": WithdrawMessage,
    "transfer": TransferMessage,
    "price": PriceMessage,
    "cancelAll": CancelAllMessage,
    "amend": AmendMessage,
    "addKey": AddKeyMessage,
    "revokeKey": RevokeKeyMessage,
    "blockTrade": BlockTradeMessage,
}

TYPES: dict[Kind, str] = {
    "order": eip712.ORDER_TYPE,
    "cancel": eip712.CANCEL_TYPE,
    "withdraw": eip712.WITHDRAW_TYPE,
    "transfer": eip712.TRANSFER_TYPE,
    "price": eip712.PRICE_TYPE,
    "cancelAll": eip712.CANCEL_ALL_TYPE,
    "amend": eip712.AMEND_TYPE,
    "addKey": eip712.ADD_KEY_TYPE,
    "revokeKey": eip712.REVOKE_KEY_TYPE,
    "blockTrade": eip712.BLOCK_TRADE_TYPE,
}
"""The text of each message's type, which is what its type hash hashes."""

_STRUCT = re.compile(r"(\w+)\(([^)]*)\)")


def structs_of(text: str) -> dict[str, list[dict[str, str]]]:
    """The structs in the text of a type, the message's first, as EIP-712 lists them.

    `Name(type name,type name)` is {"Name": [{"name": ..., "type": ...}, ...]}.
    """
    return {
        name: [
            {"name": field, "type": kind}
            for kind, field in (pair.split(" ") for pair in inside.split(","))
        ]
        for name, inside in _STRUCT.findall(text)
    }


def type_name(kind: Kind) -> str:
    """The name of a kind's struct: `Order` for order."""
    return next(iter(structs_of(TYPES[kind])))
