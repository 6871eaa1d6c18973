"""The messages traders sign, field for field as EIP-712 shows them, and back.

Their fields are those of `state.eip712`; the widths are the narrower ones of a
transaction's row, because what does not fit a row cannot be sequenced.
"""

from typing import Literal, assert_never

from msgspec import Struct

from node.rpc import wire
from node.rpc.wire import U16, U24, U32, U40, U48, U56, U64, U80, Address
from state import eip712
from state.eip712 import LIVES, ORDER_TYPES, SELF_TRADES, SIDES, Domain
from state.orders import BUY, SELL, Flags, Life, SelfTrade, decode_flags, encode_flags
from state.transactions import Cancel, NewOrder, SignedPrice, Transfer, Withdraw
from state.transactions.cancel import cancel_digest
from state.transactions.order import order_digest
from state.transactions.price import price_digest
from state.transactions.transfer import transfer_digest
from state.transactions.withdraw import withdraw_digest

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market"]
LifeName = Literal["GTC", "IOC", "FOK", "post-only"]
SelfTradeName = Literal["cancel-resting", "cancel-taking", "cancel-both"]
Kind = Literal["order", "cancel", "withdraw", "transfer", "price"]

Signed = NewOrder | Cancel | Withdraw | Transfer | SignedPrice
"""A transaction that carries a signature."""

_LIVES: dict[str, Life] = {name: life for life, name in LIVES.items()}
_SELF_TRADES: dict[str, SelfTrade] = {name: value for value, name in SELF_TRADES.items()}


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


AnyMessage = OrderMessage | CancelMessage | WithdrawMessage | TransferMessage | PriceMessage

MESSAGES: dict[Kind, type[AnyMessage]] = {
    "order": OrderMessage,
    "cancel": CancelMessage,
    "withdraw": WithdrawMessage,
    "transfer": TransferMessage,
    "price": PriceMessage,
}

TYPES: dict[Kind, str] = {
    "order": eip712.ORDER_TYPE,
    "cancel": eip712.CANCEL_TYPE,
    "withdraw": eip712.WITHDRAW_TYPE,
    "transfer": eip712.TRANSFER_TYPE,
    "price": eip712.PRICE_TYPE,
}
"""The text of each message's type, which is what its type hash hashes."""


def transaction_of(message: AnyMessage) -> Signed:
    """The transaction a message speaks of."""
    # Plain integers, as the state holds them: those of the wire stay at the door.
    match message:
        case OrderMessage() as m:
            head = (m.account, m.key_epoch, m.sequence, m.market, encode_flags(_flags(m)))
            return NewOrder(*map(int, (*head, m.ticks, m.lots, m.expiry)))
        case CancelMessage() as m:
            order = (m.order_key_epoch, m.order_sequence)
            return Cancel(*map(int, (m.account, m.key_epoch, m.sequence, *order, m.expiry)))
        case WithdrawMessage() as m:
            return Withdraw(
                *(int(m.account), int(m.sequence), bytes(m.recipient)),
                *(int(m.amount), int(m.expiry)),
            )
        case TransferMessage() as m:
            return Transfer(*map(int, (m.account, m.sequence, m.to_account, m.amount, m.expiry)))
        case PriceMessage() as m:
            return SignedPrice(*map(int, (m.market, m.price, m.time)))
        case _:
            assert_never(message)


def message_of(tx: Signed) -> tuple[Kind, AnyMessage]:
    """The message that was signed for `tx`, and its kind."""
    match tx:
        case NewOrder():
            return "order", _order_message(tx)
        case Cancel():
            return "cancel", CancelMessage(
                *(U32(tx.account), U32(tx.epoch), U64(tx.sequence), U32(tx.order_epoch)),
                *(U64(tx.order_sequence), U40(tx.expiry)),
            )
        case Withdraw():
            return "withdraw", WithdrawMessage(
                *(U32(tx.account), U64(tx.sequence), Address(tx.recipient)),
                *(U64(tx.amount), U40(tx.expiry)),
            )
        case Transfer():
            return "transfer", TransferMessage(
                *(U32(tx.account), U64(tx.sequence), U32(tx.to_account)),
                *(U80(tx.amount), U40(tx.expiry)),
            )
        case SignedPrice():
            return "price", PriceMessage(U16(tx.market), U56(tx.price), U40(tx.time))


def digest_of(domain: Domain, tx: Signed) -> bytes:
    """What the signature of `tx` signs."""
    match tx:
        case NewOrder():
            return order_digest(domain, tx, flags_of(tx))
        case Cancel():
            return cancel_digest(domain, tx)
        case Withdraw():
            return withdraw_digest(domain, tx)
        case Transfer():
            return transfer_digest(domain, tx)
        case SignedPrice():
            return price_digest(domain, tx)


def _flags(message: OrderMessage) -> Flags:
    return Flags(
        side=BUY if message.side == "buy" else SELL,
        is_market=message.order_type == "market",
        life=_LIVES[message.life],
        reduce_only=message.reduce_only,
        self_trade=_SELF_TRADES[message.self_trade],
    )


def flags_of(tx: NewOrder) -> Flags:
    """The flags of an order, also of a market order that could never rest."""
    known = decode_flags(tx.flags)
    if known is not None:
        return known
    byte = tx.flags
    return Flags(
        side=byte & 1,
        is_market=bool(byte >> 1 & 1),
        life=Life(byte >> 2 & 3),
        reduce_only=bool(byte >> 4 & 1),
        self_trade=SelfTrade(byte >> 5 & 3),
    )


def _order_message(tx: NewOrder) -> OrderMessage:
    flags = flags_of(tx)
    words = {
        "side": SIDES[flags.side],
        "orderType": ORDER_TYPES[flags.is_market],
        "life": LIVES[flags.life],
        "reduceOnly": flags.reduce_only,
        "selfTrade": SELF_TRADES[flags.self_trade],
    }
    numbers = {
        "account": tx.account,
        "keyEpoch": tx.epoch,
        "sequence": tx.sequence,
        "market": tx.market,
        "ticks": tx.ticks,
        "lots": tx.lots,
        "expiry": tx.expiry,
    }
    return wire.convert(numbers | words, OrderMessage)


def fields_of(kind: Kind) -> list[dict[str, str]]:
    """The fields of a kind as EIP-712 lists them: [{"name": ..., "type": ...}, ...]."""
    return type_fields(TYPES[kind])


def type_fields(text: str) -> list[dict[str, str]]:
    """The fields in the text of a type such as `Name(type name,type name)`."""
    inside = text[text.index("(") + 1 : -1]
    pairs = (field.split(" ") for field in inside.split(","))
    return [{"name": name, "type": kind} for kind, name in pairs]


def type_name(text: str) -> str:
    return text[: text.index("(")]
