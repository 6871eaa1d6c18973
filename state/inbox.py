"""Inbox items: what L1 makes the venue do, in L1's order."""

from msgspec import Struct

from state.crypto import keccak
from state.packing import NotCanonical, u
from state.status import Status
from state.store import Changes
from state.transactions.deposit import apply_deposit, decode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import apply_list_market


class InboxItem(Struct, frozen=True):
    """One item as L1 hashed it. `time` and `sender` are L1's."""

    kind: int
    index: int
    time: int
    sender: bytes
    payload: bytes


def item_hash(item: InboxItem) -> bytes:
    """keccak(u8 kind | u64 index | u64 time | address sender | payload)."""
    head = u(item.kind, 8) + u(item.index, 64) + u(item.time, 64)
    return keccak(head + item.sender + item.payload)


def accumulate(accumulator: bytes, item: InboxItem) -> bytes:
    """The accumulator after `item`: keccak(accumulator | item hash)."""
    return keccak(accumulator + item_hash(item))


def apply_item(changes: Changes, item: InboxItem) -> Status:
    """One item. BAD_ITEM, and nothing else, for what the contract never makes."""
    if item.kind == InboxKind.LIST_MARKET:
        return apply_list_market(changes, item.payload)
    if item.kind != InboxKind.DEPOSIT:
        return Status.BAD_ITEM
    try:
        deposit = decode_deposit(item.payload)
    except NotCanonical:
        return Status.BAD_ITEM
    return apply_deposit(changes, deposit)
