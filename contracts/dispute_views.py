"""What can be read off the contract of disputes: a View gives calldata and shapes the answer."""

from enum import IntEnum

import msgspec

from contracts.abi import View


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
    """Where a match stands; `one` waited, `two` came to it."""

    UNKNOWN = 0
    OPEN = 1
    ONE_WON = 2
    TWO_WON = 3
    BOTH_LOST = 4


class DisputeResult(msgspec.Struct, frozen=True):
    """Who won, if anybody has: `claim` may be confirmed, `entry` names it."""

    status: ResultStatus
    claim: bytes
    entry: bytes


class DisputeRecord(msgspec.Struct, frozen=True):
    """What L1 keeps of a dispute; all zero before its first entry."""

    parent_root: bytes
    waiting: bytes
    batch: int
    ends_at: int
    entries: int
    alive: int
    paid: bool


class EntryRecord(msgspec.Struct, frozen=True):
    """What L1 keeps of an entry: a claim and a trace."""

    dispute: bytes
    claim: bytes
    trace_root: bytes
    match: bytes
    owner: bytes
    status: EntryStatus


class MatchRecord(msgspec.Struct, frozen=True):
    """What L1 keeps of a match.

    While it is open `other` is the mover's node, `left` and `right` the children of the other
    side's. Once sealed `height` is 0, `index` the first different leaf, `left` that of one and
    `right` that of two.
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


def _result(status: int, claim: bytes, entry: bytes) -> DisputeResult:
    return DisputeResult(ResultStatus(status), claim, entry)


def _entry(
    dispute: bytes, claim: bytes, trace_root: bytes, match: bytes, owner: bytes, status: int
) -> EntryRecord:
    return EntryRecord(dispute, claim, trace_root, match, owner, EntryStatus(status))


def _match(*values: object) -> MatchRecord:
    found = MatchRecord(*values)  # type: ignore[arg-type]
    return msgspec.structs.replace(found, status=MatchStatus(found.status))


RESULT = View("result", ("bytes32", "uint64"), ("uint8", "bytes32", "bytes32"), _result)
DISPUTE = View(
    "dispute",
    ("bytes32",),
    ("bytes32", "bytes32", "uint64", "uint64", "uint64", "uint64", "bool"),
    DisputeRecord,
)
ENTRY = View(
    "entry",
    ("bytes32",),
    ("bytes32", "bytes32", "bytes32", "bytes32", "address", "uint8"),
    _entry,
)
MATCH_OF = View(
    "match_of",
    ("bytes32",),
    (
        *("bytes32",) * 5,
        *("uint8", "uint32", "uint8", "uint64", "uint64", "uint64", "uint8"),
        *("uint256",) * 2,
    ),
    _match,
)
CREDITS = View("credits", ("address",), ("uint256",), int)
EARNED = View("earned", ("bytes32", "uint8", "address"), ("uint256",), int)
ROLLUP = View("ROLLUP", (), ("address",), bytes)
HEIGHT = View("HEIGHT", (), ("uint8",), int)
CLOCK = View("CLOCK", (), ("uint64",), int)
MOVE_TIME = View("MOVE_TIME", (), ("uint64",), int)
ENTRY_WINDOW = View("ENTRY_WINDOW", (), ("uint64",), int)
ENTRY_BOND = View("ENTRY_BOND", (), ("uint256",), int)
BASE_FEE_CAP = View("BASE_FEE_CAP", (), ("uint256",), int)
PUBLISHED_STEPS = View("PUBLISHED_STEPS", (), ("uint16",), int)
INSURANCE = View("INSURANCE", (), ("address",), bytes)

VIEWS = (
    RESULT,
    DISPUTE,
    ENTRY,
    MATCH_OF,
    CREDITS,
    EARNED,
    ROLLUP,
    HEIGHT,
    CLOCK,
    MOVE_TIME,
    ENTRY_WINDOW,
    ENTRY_BOND,
    BASE_FEE_CAP,
    PUBLISHED_STEPS,
    INSURANCE,
)
