"""What L1 shows of a dispute, its entries and its matches; section 6 of docs/disputes.md."""

from enum import IntEnum

from msgspec import Struct

from state.crypto import keccak


class ResultStatus(IntEnum):
    """What a dispute has come to."""

    OPEN = 0
    WON = 1
    NOBODY_WON = 2


class EntryStatus(IntEnum):
    """Where an entry stands."""

    UNKNOWN = 0
    WAITING = 1
    IN_MATCH = 2
    LOST = 3
    REDEEMED = 4


class MatchStatus(IntEnum):
    """Where a match stands; side one waited, side two came to it."""

    UNKNOWN = 0
    OPEN = 1
    ONE_WON = 2
    TWO_WON = 3
    BOTH_LOST = 4


class How(IntEnum):
    """What ended a match, or an entry."""

    STEP = 1
    TIME = 2
    REFUTED = 3


class DisputeView(Struct, frozen=True, kw_only=True):
    """All zero before the first entry. `waiting` is the entry without a match, zero where there
    is none; `entries` counts all that came, `alive` those that have not lost.
    """

    parent_root: bytes
    waiting: bytes
    batch: int
    ends_at: int
    entries: int
    alive: int
    paid: bool


class EntryView(Struct, frozen=True, kw_only=True):
    """A claim and a trace; `match` is the one it plays, or played last."""

    dispute: bytes
    claim: bytes
    trace_root: bytes
    match: bytes
    owner: bytes
    status: EntryStatus


class MatchView(Struct, frozen=True, kw_only=True):
    """While it is open `other` is the mover's node at `height`, the `index`-th from the left;
    `left` and `right` are the children of the other side's. Once it is sealed `height` is 0,
    `index` the first different leaf, `left` that of one and `right` that of two.
    Clocks in seconds, `turn_at` in seconds of L1, what moves have earned in wei.
    """

    one: bytes
    two: bytes
    other: bytes
    left: bytes
    right: bytes
    height: int
    index: int
    mover: int
    clock_one: int
    clock_two: int
    turn_at: int
    status: MatchStatus
    earned_one: int
    earned_two: int


def dispute_id(parent: bytes, contested_at: int) -> bytes:
    """keccak(parent claim | u256 contested at)"""
    return keccak(parent + contested_at.to_bytes(32))


def entry_id(dispute: bytes, trace_root: bytes) -> bytes:
    """keccak(dispute | trace root)"""
    return keccak(dispute + trace_root)


def second_entry_id(entry: bytes, dispute: bytes) -> bytes:
    """keccak(entry | dispute): of a trace that has lost before its batch was proven void"""
    return keccak(entry + dispute)


def match_id(one: bytes, two: bytes) -> bytes:
    """keccak(entry one | entry two)"""
    return keccak(one + two)
