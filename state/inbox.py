"""Inbox items: what L1 makes the venue do, in L1's order."""

from msgspec import Struct

from state.crypto import keccak
from state.packing import Reader, u
from state.status import Status
from state.store import Changes
from state.transactions.deposit import apply_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import apply_list_market
from state.transactions.revoke_key import apply_key_revocation
from state.transactions.rotate_owner import apply_rotate_owner
from state.transactions.set_parameters import apply_set_parameters


class InboxItem(Struct, frozen=True):
    """One item as L1 hashed it. `time` and `sender` are L1's."""

    kind: int
    index: int
    time: int
    sender: bytes
    payload: bytes


def encode_item(item: InboxItem) -> bytes:
    """u8 kind | u64 index | u64 time | address sender | payload."""
    head = u(item.kind, 8) + u(item.index, 64) + u(item.time, 64)
    return head + item.sender + item.payload


def decode_item(data: bytes) -> InboxItem:
    """The item of these bytes; any payload is one. NotCanonical where they end before it."""
    r = Reader(data)
    return InboxItem(r.u(8), r.u(64), r.u(64), r.raw(20), data[r.offset :])


def item_hash(item: InboxItem) -> bytes:
    """keccak of the item's bytes."""
    return keccak(encode_item(item))


def accumulate(accumulator: bytes, item: InboxItem) -> bytes:
    """The accumulator after `item`: keccak(accumulator | item hash)."""
    return keccak(accumulator + item_hash(item))


def apply_item(changes: Changes, item: InboxItem) -> Status:
    """One item. BAD_ITEM, and nothing else, for what the contract never makes."""
    match item.kind:
        case InboxKind.DEPOSIT:
            return apply_deposit(changes, item.payload)
        case InboxKind.LIST_MARKET:
            return apply_list_market(changes, item.payload)
        case InboxKind.REVOKE_KEY:
            return apply_key_revocation(changes, item.payload, item.sender)
        case InboxKind.ROTATE_OWNER:
            return apply_rotate_owner(changes, item.payload)
        case InboxKind.SET_PARAMETERS:
            return apply_set_parameters(changes, item.payload)
        case _:
            return Status.BAD_ITEM
