"""The rollup's logs, decoded: whoever has these has the venue.

The first topic is the hash of the event's signature; indexed values are the other
topics, the rest is in the data.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from contracts.abi import UnexpectedAnswer, decode_values, keccak

T = TypeVar("T")


class InboxItemLog(msgspec.Struct, frozen=True):
    """An item entered the inbox; these are all the fields of its hash."""

    index: int
    kind: int
    time: int
    sender: bytes
    payload: bytes


class DepositedLog(msgspec.Struct, frozen=True):
    """`amount` micro-USDC came in for `account`, as inbox item `index`."""

    index: int
    account: int
    owner: bytes
    amount: int


class OwnerRotatedLog(msgspec.Struct, frozen=True):
    """An owner number went from `previous` to `owner`."""

    number: int
    previous: bytes
    owner: bytes


class ChangeScheduledLog(msgspec.Struct, frozen=True):
    """`listing` may be appended as an item of `kind` for `market` from `ready_at`, in seconds."""

    market: int
    kind: int
    ready_at: int
    listing: bytes


class ChangeCancelledLog(msgspec.Struct, frozen=True):
    """What was scheduled for `market` is void."""

    market: int


class WithdrawalPaidLog(msgspec.Struct, frozen=True):
    """Withdrawal `index` left: `amount` micro-USDC."""

    index: int
    account: int
    recipient: bytes
    amount: int


class BatchPostedLog(msgspec.Struct, frozen=True):
    """A batch: `payload` is its compressed chunks end to end, `header` says where they part."""

    number: int
    batch_hash: bytes
    header: bytes
    payload: bytes


class ClaimedLog(msgspec.Struct, frozen=True):
    """A claim on `batch`, made of `parent` and the hash of `output`."""

    batch: int
    claim: bytes
    parent: bytes
    claimant: bytes
    output: bytes


class ConfirmedLog(msgspec.Struct, frozen=True):
    """A claim settled."""

    batch: int
    claim: bytes


class ContestedLog(msgspec.Struct, frozen=True):
    """The claims of `batch` on `parent` are rivals since `time`, in seconds."""

    batch: int
    parent: bytes
    time: int


class RejectedLog(msgspec.Struct, frozen=True):
    """A claim will never confirm."""

    batch: int
    claim: bytes


class ProvenLog(msgspec.Struct, frozen=True):
    """A claim confirmed at once, by a proof that the deployment's `proof_system` took."""

    batch: int
    claim: bytes
    proof_system: str


class ClaimBondWithdrawnLog(msgspec.Struct, frozen=True):
    """`amount` wei of bonds went back to `claimant`."""

    claimant: bytes
    amount: int


class BatchVoidedLog(msgspec.Struct, frozen=True):
    """Batch `number` is void: `by` proved that its chunk `chunk` is none.

    `reason` is that of the codec, 1 to 14 or 20 to 28.
    """

    number: int
    chunk: int
    reason: int
    by: bytes


RollupLog = (
    InboxItemLog
    | DepositedLog
    | OwnerRotatedLog
    | ChangeScheduledLog
    | ChangeCancelledLog
    | WithdrawalPaidLog
    | BatchPostedLog
    | ClaimedLog
    | ConfirmedLog
    | ContestedLog
    | RejectedLog
    | ProvenLog
    | ClaimBondWithdrawnLog
    | BatchVoidedLog
)


class Event(Generic[T]):
    """An event's name, its types, how many of the first are indexed, and its shape."""

    def __init__(self, name: str, types: Sequence[str], indexed: int, shape: type[T]) -> None:
        self.name = name
        self.types = tuple(types)
        self.indexed = indexed
        self.shape = shape

    @property
    def signature(self) -> str:
        """`Name(type,type)`, what the first topic is the hash of."""
        return f"{self.name}({','.join(self.types)})"

    @cached_property
    def topic(self) -> bytes:
        """keccak(signature)"""
        return keccak(self.signature.encode())

    def decode(self, topics: Sequence[bytes], data: bytes) -> T:
        """The log of this event. UnexpectedAnswer where it is not one."""
        if not topics or topics[0] != self.topic or len(topics) != 1 + self.indexed:
            raise UnexpectedAnswer(
                f"{self.signature}: expected its topic and {self.indexed} indexed values, "
                f"found {len(topics)} topics"
            )
        values: list[Any] = []
        for kind, topic in zip(self.types[: self.indexed], topics[1:], strict=True):
            values += decode_values((kind,), topic, self.signature)
        values += decode_values(self.types[self.indexed :], data, self.signature)
        return self.shape(*values)


INBOX_ITEM = Event("InboxItem", ("uint64", "uint8", "uint64", "address", "bytes"), 1, InboxItemLog)
DEPOSITED = Event("Deposited", ("uint64", "uint32", "address", "uint64"), 3, DepositedLog)
OWNER_ROTATED = Event("OwnerRotated", ("uint32", "address", "address"), 3, OwnerRotatedLog)
CHANGE_SCHEDULED = Event(
    "ChangeScheduled", ("uint16", "uint8", "uint64", "bytes"), 1, ChangeScheduledLog
)
CHANGE_CANCELLED = Event("ChangeCancelled", ("uint16",), 1, ChangeCancelledLog)
WITHDRAWAL_PAID = Event(
    "WithdrawalPaid", ("uint32", "uint32", "address", "uint64"), 3, WithdrawalPaidLog
)
BATCH_POSTED = Event("BatchPosted", ("uint64", "bytes32", "bytes", "bytes"), 2, BatchPostedLog)
CLAIMED = Event("Claimed", ("uint64", "bytes32", "bytes32", "address", "bytes"), 2, ClaimedLog)
CONFIRMED = Event("Confirmed", ("uint64", "bytes32"), 2, ConfirmedLog)
CONTESTED = Event("Contested", ("uint64", "bytes32", "uint64"), 2, ContestedLog)
REJECTED = Event("Rejected", ("uint64", "bytes32"), 2, RejectedLog)
PROVEN = Event("Proven", ("uint64", "bytes32", "string"), 2, ProvenLog)
CLAIM_BOND_WITHDRAWN = Event("ClaimBondWithdrawn", ("address", "uint256"), 1, ClaimBondWithdrawnLog)
BATCH_VOIDED = Event("BatchVoided", ("uint64", "uint8", "uint8", "address"), 1, BatchVoidedLog)

EVENTS: tuple[Event[Any], ...] = (
    INBOX_ITEM,
    DEPOSITED,
    OWNER_ROTATED,
    CHANGE_SCHEDULED,
    CHANGE_CANCELLED,
    WITHDRAWAL_PAID,
    BATCH_POSTED,
    CLAIMED,
    CONFIRMED,
    CONTESTED,
    REJECTED,
    PROVEN,
    CLAIM_BOND_WITHDRAWN,
    BATCH_VOIDED,
)

_BY_TOPIC = {event.topic: event for event in EVENTS}


def decode_log(topics: Sequence[bytes], data: bytes) -> RollupLog | None:
    """A log of the rollup; None where the event is not one of its own."""
    event = _BY_TOPIC.get(topics[0]) if topics else None
    if event is None:
        return None
    log: RollupLog = event.decode(topics, data)
    return log
