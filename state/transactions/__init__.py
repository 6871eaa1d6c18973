"""Everything that can happen to the state, one file per kind."""

from collections.abc import Callable
from typing import Any

from state.status import Status
from state.transactions.add_key import AddKey, decode_add_key, encode_add_key
from state.transactions.amend import Amend, decode_amend, encode_amend
from state.transactions.block_trade import BlockTrade, decode_block_trade, encode_block_trade
from state.transactions.cancel import Cancel, decode_cancel, encode_cancel
from state.transactions.cancel_all import CancelAll, decode_cancel_all, encode_cancel_all
from state.transactions.header import Header, decode_header, encode_header
from state.transactions.kinds import Kind
from state.transactions.order import NewOrder, decode_new_order, encode_new_order
from state.transactions.price import SignedPrice, decode_price, encode_price
from state.transactions.revoke_key import RevokeKey, decode_revoke_key, encode_revoke_key
from state.transactions.transfer import Transfer, decode_transfer, encode_transfer
from state.transactions.withdraw import Withdraw, decode_withdraw, encode_withdraw

Transaction = (
    Header
    | SignedPrice
    | NewOrder
    | Cancel
    | Withdraw
    | Transfer
    | CancelAll
    | Amend
    | AddKey
    | RevokeKey
    | BlockTrade
)
"""A sequenced transaction, its signature beside it."""

_DECODERS: dict[int, Callable[[bytes], Transaction]] = {
    Kind.HEADER: decode_header,
    Kind.PRICE: decode_price,
    Kind.ORDER: decode_new_order,
    Kind.CANCEL: decode_cancel,
    Kind.WITHDRAW: decode_withdraw,
    Kind.TRANSFER: decode_transfer,
    Kind.CANCEL_ALL: decode_cancel_all,
    Kind.AMEND: decode_amend,
    Kind.ADD_KEY: decode_add_key,
    Kind.REVOKE_KEY: decode_revoke_key,
    Kind.BLOCK_TRADE: decode_block_trade,
}


def decode_transaction(kind: int, row: bytes) -> Transaction:
    """The transaction in a row of its kind's width: every such row is one."""
    return _DECODERS[kind](row)


_ENCODERS: dict[type, tuple[Kind, Callable[[Any], bytes]]] = {
    Header: (Kind.HEADER, encode_header),
    SignedPrice: (Kind.PRICE, encode_price),
    NewOrder: (Kind.ORDER, encode_new_order),
    Cancel: (Kind.CANCEL, encode_cancel),
    Withdraw: (Kind.WITHDRAW, encode_withdraw),
    Transfer: (Kind.TRANSFER, encode_transfer),
    CancelAll: (Kind.CANCEL_ALL, encode_cancel_all),
    Amend: (Kind.AMEND, encode_amend),
    AddKey: (Kind.ADD_KEY, encode_add_key),
    RevokeKey: (Kind.REVOKE_KEY, encode_revoke_key),
    BlockTrade: (Kind.BLOCK_TRADE, encode_block_trade),
}


def encode_transaction(tx: Transaction) -> tuple[Kind, bytes]:
    """Kind and row. OverflowError where a field does not fit its width."""
    kind, encode = _ENCODERS[type(tx)]
    return kind, encode(tx)


__all__ = [
    "AddKey",
    "Amend",
    "BlockTrade",
    "Cancel",
    "CancelAll",
    "Header",
    "Kind",
    "NewOrder",
    "RevokeKey",
    "SignedPrice",
    "Status",
    "Transaction",
    "Transfer",
    "Withdraw",
    "decode_transaction",
    "encode_transaction",
]
