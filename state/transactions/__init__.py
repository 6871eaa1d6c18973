"""Everything that can happen to the state, one file per kind."""

from collections.abc import Callable

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


def encode_transaction(tx: Transaction) -> tuple[Kind, bytes]:
    """Kind and row. OverflowError where a field does not fit its width."""
    match tx:
        case Header():
            return Kind.HEADER, encode_header(tx)
        case SignedPrice():
            return Kind.PRICE, encode_price(tx)
        case NewOrder():
            return Kind.ORDER, encode_new_order(tx)
        case Cancel():
            return Kind.CANCEL, encode_cancel(tx)
        case Withdraw():
            return Kind.WITHDRAW, encode_withdraw(tx)
        case Transfer():
            return Kind.TRANSFER, encode_transfer(tx)
        case CancelAll():
            return Kind.CANCEL_ALL, encode_cancel_all(tx)
        case Amend():
            return Kind.AMEND, encode_amend(tx)
        case AddKey():
            return Kind.ADD_KEY, encode_add_key(tx)
        case RevokeKey():
            return Kind.REVOKE_KEY, encode_revoke_key(tx)
        case BlockTrade():
            return Kind.BLOCK_TRADE, encode_block_trade(tx)


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
