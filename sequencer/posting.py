"""Whether a sealed batch can go to L1 as it is: what the contract will say, said beforehand."""

from msgspec import Struct

from sequencer.batches import SealedBatch
from state.inbox import InboxItem
from state.limits import INBOX_STEPS_MAX
from state.transactions.kinds import INBOX_WEIGHTS, InboxKind


class PostingLimits(Struct, frozen=True, kw_only=True):
    """What the deployment fixed, in seconds."""

    inbox_delay: int
    time_lag_max: int


class Post(Struct, frozen=True):
    """L1 will take it."""


class Wait(Struct, frozen=True):
    """L1 may take it later."""

    why: str


class Resequence(Struct, frozen=True):
    """L1 will never take it: its transactions must go into other batches, in the same order."""

    why: str


def posting_move(
    batch: SealedBatch, *, l1_time: int, next_item: InboxItem | None, limits: PostingLimits
) -> Post | Resequence:
    """What to do with the next batch in line, at the time of L1's last block.

    `next_item` is the first inbox item that the batch leaves out, if L1 has one already. That
    the batch may be ahead of L1's time, after L1 went back, is left to the contract: time
    moves with the very block that takes the batch.
    """
    content = batch.content
    if l1_time - content.time_min > limits.time_lag_max:
        late = l1_time - content.time_min
        return Resequence(f"its time is {late} s ago, L1 takes {limits.time_lag_max} s")
    if next_item is not None and l1_time - next_item.time > limits.inbox_delay:
        weight = sum(map(_weight, batch.items)) + _weight(next_item)
        if weight <= INBOX_STEPS_MAX:
            return Resequence(f"inbox item {next_item.index} is overdue and would fit")
    return Post()


def _weight(item: InboxItem) -> int:
    return INBOX_WEIGHTS[InboxKind(item.kind)]
