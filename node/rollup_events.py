"""What happened to the rollup on L1, in the words of the venue.

Kept on disk as they are here, so a field may be added but never renamed.
"""

from msgspec import Struct

from state.inbox import InboxItem


class Logged(Struct, frozen=True, kw_only=True, tag=True):
    """Where on L1 it happened; (`block`, `log_index`) is its place in the order of all."""

    block: int
    log_index: int
    transaction: bytes


class ItemAdded(Logged, frozen=True, kw_only=True):
    """An item entered the inbox."""

    item: InboxItem


class BatchPosted(Logged, frozen=True, kw_only=True):
    """A batch: `payload` is its compressed chunks end to end."""

    number: int
    batch_hash: bytes
    header: bytes
    payload: bytes


class Claimed(Logged, frozen=True, kw_only=True):
    """Somebody claims that `batch` ends in `output`. `time` is L1's, in seconds."""

    batch: int
    claim: bytes
    parent: bytes
    claimant: bytes
    output: bytes
    time: int


class Confirmed(Logged, frozen=True, kw_only=True):
    """A claim settled."""

    batch: int
    claim: bytes


class WithdrawalPaid(Logged, frozen=True, kw_only=True):
    """Withdrawal `index` left the escrow; `amount` is in micro-USDC."""

    index: int
    account: int
    recipient: bytes
    amount: int


class Contested(Logged, frozen=True, kw_only=True):
    """The claims of `batch` on `parent` are rivals since `time`, in seconds of L1."""

    batch: int
    parent: bytes
    time: int


class Rejected(Logged, frozen=True, kw_only=True):
    """A claim was given up: it can never confirm."""

    batch: int
    claim: bytes


class BatchVoided(Logged, frozen=True, kw_only=True):
    """L1 knows that a batch is void by its chunk `chunk`, counted from 0."""

    number: int
    chunk: int


RollupEvent = (
    ItemAdded
    | BatchPosted
    | Claimed
    | Confirmed
    | WithdrawalPaid
    | Contested
    | Rejected
    | BatchVoided
)
