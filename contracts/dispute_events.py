"""The logs of the contract of disputes, decoded: whoever has these and the views can play."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import msgspec

from contracts.dispute_views import MatchStatus
from contracts.events import Event


class How(IntEnum):
    """What ended a match, or an entry."""

    STEP = 1
    TIME = 2
    REFUTED = 3


class Why(IntEnum):
    """What a credit is for."""

    SETTLED = 1
    TIMED_OUT = 2
    REFUTED = 3
    MOVES = 4
    BOND = 5
    REJECTED = 6
    ENTERED = 7
    INSURANCE = 8


class EnteredLog(msgspec.Struct, frozen=True):
    """An entry with its first children and its first leaf: what pairs and refutes it later."""

    dispute: bytes
    entry: bytes
    parent: bytes
    claim: bytes
    trace_root: bytes
    owner: bytes
    left: bytes
    right: bytes
    first: bytes
    first_branch: tuple[bytes, ...]


class PublishedLog(msgspec.Struct, frozen=True):
    """All roots of an entry's trace end to end, without the padding."""

    dispute: bytes
    entry: bytes
    leaves: bytes


class MatchedLog(msgspec.Struct, frozen=True):
    """Two entries were paired; `one` waited and moves first."""

    dispute: bytes
    match: bytes
    one: bytes
    two: bytes


class AdvancedLog(msgspec.Struct, frozen=True):
    """`mover` moved for `side`, 1 or 2; height and index are those after the move."""

    match: bytes
    side: int
    mover: bytes
    height: int
    index: int


class EndedLog(msgspec.Struct, frozen=True):
    """A match is over."""

    dispute: bytes
    match: bytes
    status: MatchStatus
    how: How
    caller: bytes


class LostLog(msgspec.Struct, frozen=True):
    """An entry is out."""

    dispute: bytes
    entry: bytes
    how: How


class CreditedLog(msgspec.Struct, frozen=True):
    """`account` may withdraw `amount` wei more."""

    account: bytes
    amount: int
    why: Why


class WithdrawnLog(msgspec.Struct, frozen=True):
    """`amount` wei were sent to `account`."""

    account: bytes
    amount: int


DisputeLog = (
    EnteredLog
    | PublishedLog
    | MatchedLog
    | AdvancedLog
    | EndedLog
    | LostLog
    | CreditedLog
    | WithdrawnLog
)

ENTERED = Event(
    "Entered",
    (*("bytes32",) * 5, "address", *("bytes32",) * 3, "bytes32[]"),
    2,
    EnteredLog,
)
PUBLISHED = Event("Published", ("bytes32", "bytes32", "bytes"), 2, PublishedLog)
MATCHED = Event("Matched", ("bytes32",) * 4, 2, MatchedLog)
ADVANCED = Event("Advanced", ("bytes32", "uint8", "address", "uint8", "uint32"), 1, AdvancedLog)
ENDED = Event("Ended", ("bytes32", "bytes32", "uint8", "uint8", "address"), 2, EndedLog)
LOST = Event("Lost", ("bytes32", "bytes32", "uint8"), 2, LostLog)
CREDITED = Event("Credited", ("address", "uint256", "uint8"), 1, CreditedLog)
WITHDRAWN = Event("Withdrawn", ("address", "uint256"), 1, WithdrawnLog)

EVENTS: tuple[Event[Any], ...] = (
    ENTERED,
    PUBLISHED,
    MATCHED,
    ADVANCED,
    ENDED,
    LOST,
    CREDITED,
    WITHDRAWN,
)

_BY_TOPIC = {event.topic: event for event in EVENTS}


def decode_log(topics: Sequence[bytes], data: bytes) -> DisputeLog | None:
    """A log of the contract of disputes; None where the event is not one of its own."""
    event = _BY_TOPIC.get(topics[0]) if topics else None
    if event is None:
        return None
    found: DisputeLog = event.decode(topics, data)
    match found:
        case EndedLog(dispute, paired, status, how, caller):
            return EndedLog(dispute, paired, MatchStatus(status), How(how), caller)
        case LostLog(dispute, entry, how):
            return LostLog(dispute, entry, How(how))
        case CreditedLog(account, amount, why):
            return CreditedLog(account, amount, Why(why))
    return found
