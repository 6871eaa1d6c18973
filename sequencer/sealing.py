"""When a batch is sealed: a function of what it holds and of what waits for it."""

from enum import StrEnum

from msgspec import Struct


class SealReason(StrEnum):
    """Why a batch is sealed, in order of precedence."""

    FULL = "full"
    LARGE = "large"
    ITEMS = "items"
    AGE = "age"


class SealingPolicy(Struct, frozen=True, kw_only=True):
    """`age_max` and `item_wait_max` in seconds, `payload_bytes` as they would be on L1.

    L1 takes no batch whose first transaction is older than the deployment's time lag, so
    `age_max` must leave most of that lag for posting.
    """

    age_max: float = 2.0
    item_wait_max: float = 0.5
    payload_bytes: int = 100_000

    def is_within(self, time_lag_max: int) -> bool:
        """Whether batches of this policy can be posted in time: an eighth of the lag at most."""
        return 0 < self.age_max * 8 <= time_lag_max


class BatchFigures(Struct, frozen=True, kw_only=True):
    """An open batch as the policy sees it. `age` and `item_wait` in seconds.

    `item_wait` is how long the oldest inbox item has waited that the batch cannot take any
    more, because its transactions have begun; None where there is no such item.
    """

    age: float
    payload_bytes: int
    is_full: bool
    item_wait: float | None = None


def seal_reason(policy: SealingPolicy, batch: BatchFigures) -> SealReason | None:
    """Why this batch is sealed now, or None while it stays open. Empty ones never get here."""
    if batch.is_full:
        return SealReason.FULL
    if batch.payload_bytes >= policy.payload_bytes:
        return SealReason.LARGE
    if batch.item_wait is not None and batch.item_wait >= policy.item_wait_max:
        return SealReason.ITEMS
    if batch.age >= policy.age_max:
        return SealReason.AGE
    return None
