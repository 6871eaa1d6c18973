"""From the messages traders sign to the transactions of the rules, and back."""

from functools import cache
from typing import assert_never

from node.rpc import wire
from node.rpc.message_types import (
    AddKeyMessage,
    AmendMessage,
    AnyMessage,
    BlockTradeMessage,
    CancelAllMessage,
    CancelMessage,
    Kind,
    LegMessage,
    OrderMessage,
    PriceMessage,
    RevokeKeyMessage,
    TransferMessage,
    WithdrawMessage,
)
from node.rpc.wire import U16, U24, U32, U40, U48, U56, U64, U80, Address
from state.accounts import PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE
from state.eip712 import LIVES, ORDER_TYPES, SELF_TRADES, SIDES, Domain
from state.legs import Leg, legs_of
from state.orders import BUY, SELL, Flags, Life, SelfTrade, decode_flags, encode_flags
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transfer,
    Withdraw,
)
from state.transactions.add_key import add_key_digest
from state.transactions.amend import amend_digest
from state.transactions.block_trade import block_trade_digest
from state.transactions.cancel import cancel_digest
from state.transactions.cancel_all import cancel_all_digest
from state.transactions.order import order_digest
from state.transactions.price import price_digest
from state.transactions.revoke_key import revoke_key_digest
from state.transactions.transfer import transfer_digest
from state.transactions.withdraw import withdraw_digest

OneSigner = NewOrder | Cancel | Withdraw | Transfer | CancelAll | Amend | AddKey | RevokeKey
"""What one account signs."""

Signed = OneSigner | BlockTrade | SignedPrice
"""A transaction that carries a signature, or two."""

_LIVES: dict[str, Life] = {name: life for life, name in LIVES.items()}
_SELF_TRADES: dict[str, SelfTrade] = {name: value for value, name in SELF_TRADES.items()}


def transaction_of(message: AnyMessage) -> Signed:
    """The transaction a message speaks of."""
    # Plain integers, as the state holds them: those of the wire stay at the door.
    match message:
        case OrderMessage() as m:
            words = (m.side, m.order_type, m.life, m.reduce_only, m.self_trade)
            head = (m.account, m.key_epoch, m.sequence, m.market, flags_byte(*words))
            return NewOrder(*map(int, (*head, m.ticks, m.lots, m.expiry)))
        case CancelMessage() as m:
            order = (m.order_key_epoch, m.order_sequence)
            return Cancel(*map(int, (m.account, m.key_epoch, m.sequence, *order, m.expiry)))
        case CancelAllMessage() as m:
            which = (m.every_market, m.market)
            return CancelAll(*map(int, (m.account, m.key_epoch, m.sequence, *which, m.expiry)))
        case AmendMessage() as m:
            order = (m.order_key_epoch, m.order_sequence)
            terms = (*order, m.ticks, m.lots, m.expiry)
            return Amend(*map(int, (m.account, m.key_epoch, m.sequence, *terms)))
        case WithdrawMessage() as m:
            return Withdraw(
                *(int(m.account), int(m.sequence), bytes(m.recipient)),
                *(int(m.amount), int(m.expiry)),
            )
        case TransferMessage() as m:
            return Transfer(*map(int, (m.account, m.sequence, m.to_account, m.amount, m.expiry)))
        case AddKeyMessage() as m:
            return AddKey(
                *(int(m.account), int(m.sequence), bytes(m.key), int(m.key_expiry)),
                *(_permissions(m), int(m.expiry)),
            )
        case RevokeKeyMessage() as m:
            return RevokeKey(*map(int, (m.account, m.sequence, m.key_epoch, m.expiry)))
        case BlockTradeMessage() as m:
            return _block_trade(m)
        case PriceMessage() as m:
            return SignedPrice(*map(int, (m.market, m.price, m.time)))
        case _:
            assert_never(message)


def _permissions(m: AddKeyMessage) -> int:
    may_trade, may_cancel = PERMIT_TRADE * m.may_trade, PERMIT_CANCEL * m.may_cancel
    return may_trade | may_cancel | PERMIT_BLOCK * m.may_block_trade


def _block_trade(m: BlockTradeMessage) -> BlockTrade:
    legs = tuple(
        Leg(int(leg.market), SIDES.index(leg.taker_side), int(leg.ticks), int(leg.lots))
        for leg in m.legs
    )
    return BlockTrade(
        *(int(m.maker), int(m.maker_key_epoch), int(m.maker_sequence)),
        *(int(m.taker), int(m.taker_key_epoch), int(m.taker_sequence)),
        expiry=int(m.expiry),
        count=len(legs),
        legs=legs_of(*legs),
    )


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
        case CancelAll():
            return "cancelAll", CancelAllMessage(
                *(U32(tx.account), U32(tx.epoch), U64(tx.sequence), bool(tx.every_market)),
                *(U16(tx.market), U40(tx.expiry)),
            )
        case Amend():
            return "amend", AmendMessage(
                *(U32(tx.account), U32(tx.epoch), U64(tx.sequence), U32(tx.order_epoch)),
                *(U64(tx.order_sequence), U24(tx.ticks), U48(tx.lots), U40(tx.expiry)),
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
        case AddKey():
            return "addKey", AddKeyMessage(
                *(U32(tx.account), U64(tx.sequence), Address(tx.key), U40(tx.key_expiry)),
                *(bool(tx.permissions & PERMIT_TRADE), bool(tx.permissions & PERMIT_CANCEL)),
                *(bool(tx.permissions & PERMIT_BLOCK), U40(tx.expiry)),
            )
        case RevokeKey():
            return "revokeKey", RevokeKeyMessage(
                U32(tx.account), U64(tx.sequence), U32(tx.key_epoch), U40(tx.expiry)
            )
        case BlockTrade():
            return "blockTrade", _block_trade_message(tx)
        case SignedPrice():
            return "price", PriceMessage(U16(tx.market), U56(tx.price), U40(tx.time))


def _block_trade_message(tx: BlockTrade) -> BlockTradeMessage:
    return BlockTradeMessage(
        *(U32(tx.maker), U32(tx.maker_epoch), U64(tx.maker_sequence)),
        *(U32(tx.taker), U32(tx.taker_epoch), U64(tx.taker_sequence)),
        [
            LegMessage(
                *(U16(leg.market), "sell" if leg.taker_side else "buy"),
                *(U24(leg.ticks), U48(leg.lots)),
            )
            for leg in tx.legs[: tx.count]
        ],
        U40(tx.expiry),
    )


def digest_of(domain: Domain, tx: Signed) -> bytes:
    """What the signature of `tx` signs; of a block trade, both."""
    match tx:
        case NewOrder():
            return order_digest(domain, tx, flags_of(tx))
        case Cancel():
            return cancel_digest(domain, tx)
        case CancelAll():
            return cancel_all_digest(domain, tx)
        case Amend():
            return amend_digest(domain, tx)
        case Withdraw():
            return withdraw_digest(domain, tx)
        case Transfer():
            return transfer_digest(domain, tx)
        case AddKey():
            return add_key_digest(domain, tx)
        case RevokeKey():
            return revoke_key_digest(domain, tx)
        case BlockTrade():
            return block_trade_digest(domain, tx)
        case SignedPrice():
            return price_digest(domain, tx)


@cache
def flags_byte(side: str, order_type: str, life: str, reduce_only: bool, self_trade: str) -> int:
    """The flags of an order as its row has them, from the words of its message."""
    flags = Flags(
        side=BUY if side == "buy" else SELL,
        is_market=order_type == "market",
        life=_LIVES[life],
        reduce_only=reduce_only,
        self_trade=_SELF_TRADES[self_trade],
    )
    return encode_flags(flags)


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
