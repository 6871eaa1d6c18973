"""What L1 shows of the rollup: inbox, batches, settled claims; shorter again after a reorg."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from node.errors import Rewind
from node.l1.answers import L1Block
from node.rollup import Counts
from node.rollup_events import BatchPosted, Confirmed, ItemAdded, RollupEvent
from node.scanner import Mark, Scan
from state.crypto import ZERO_HASH
from state.inbox import InboxItem, accumulate


class L1Base(Struct, frozen=True):
    """What L1 showed up to a block that is final, so that reading can begin behind it.

    Of the batches' logs only what names them is kept. Items before `first_item` ran in them;
    `accumulator` is the one before it, `items` are those from there on.
    """

    mark: Mark
    batches: Sequence[BatchPosted]
    first_item: int
    accumulator: bytes
    items: Sequence[ItemAdded]
    confirmed: int

    @property
    def read_to(self) -> Mark | None:
        """The block behind which reading begins; None where nothing was read."""
        return self.mark if self.mark.block >= 0 else None


GENESIS = L1Base(Mark(-1, ZERO_HASH), (), 0, ZERO_HASH, (), 0)
"""Before anything was read."""


class L1View:
    """Fed by scans, in order. Raises Rewind where they do not fit together.

    `mark` is the block up to which it was read, `rewinds` counts how often it went back and
    `version` how often it moved. Whoever finds that it contradicts itself sets `is_void`: it
    must be read anew.
    """

    def __init__(self, base: L1Base = GENESIS) -> None:
        self._base = base
        self.head: L1Block | None = None
        self.mark: Mark | None = None
        self.rewinds = self.version = 0
        self.finalized_block = 0
        self.is_caught_up = False
        self.is_void = False
        self.batches = list(base.batches)
        self._items = list(base.items)
        self._accumulators = [base.accumulator]
        for added in base.items:
            self._accumulators.append(accumulate(self._accumulators[-1], added.item))
        self._confirmed: list[Confirmed] = []

    # --- what it shows ---

    @property
    def scanned(self) -> int:
        """The block up to which L1 was read; -1 where that must be found out again."""
        return -1 if self.mark is None else self.mark.block

    @property
    def inbox_size(self) -> int:
        return self._base.first_item + len(self._items)

    def items(self, start: int, end: int | None = None) -> list[InboxItem]:
        """Inbox items from index `start`, up to `end` or to the last."""
        first = self._base.first_item
        assert start >= first, "items of final batches are not asked for again"
        found = self._items[start - first : None if end is None else end - first]
        return [added.item for added in found]

    def has_items(self, inbox_to: int, accumulator: bytes) -> bool:
        """Whether L1's first `inbox_to` items are the ones that accumulate to this."""
        at = inbox_to - self._base.first_item
        return 0 <= at <= len(self._items) and self._accumulators[at] == accumulator

    def batches_until(self, block: int) -> int:
        """How many batches were posted up to `block`."""
        return bisect_right(self.batches, block, key=lambda posted: posted.block)

    @property
    def confirmed(self) -> int:
        """The last batch whose claim is settled."""
        return self._confirmed[-1].batch if self._confirmed else self._base.confirmed

    @property
    def counts(self) -> Counts:
        """What the contract must count too."""
        return Counts(items=self.inbox_size, batches=len(self.batches), confirmed=self.confirmed)

    def base_at(self, mark: Mark, accumulator_after: Callable[[int], tuple[int, bytes]]) -> L1Base:
        """Everything up to `mark`, a block that is final and was read.

        `accumulator_after` says of a batch how many items ran up to it, and what they
        accumulate to.
        """
        batches = [
            replace(posted, header=b"", payload=b"")
            for posted in self.batches[: self.batches_until(mark.block)]
        ]
        first_item, accumulator = accumulator_after(len(batches))
        items = _until(self._items, mark.block)[first_item - self._base.first_item :]
        settled = _until(self._confirmed, mark.block)
        confirmed = settled[-1].batch if settled else self._base.confirmed
        return L1Base(mark, batches, first_item, accumulator, items, confirmed)

    # --- what it is told ---

    def take(self, scan: Scan) -> None:
        """Move with one scan."""
        self.version += 1
        if scan.rewound_to is not None:
            self._drop_after(scan.rewound_to)
        for event in scan.events:
            self._add(event)
        if scan.mark is not None:
            self.mark = scan.mark
        self.is_caught_up = scan.is_caught_up

    def clear(self) -> None:
        """Before anything was read that may still change."""
        self.version += 1
        self._drop_after(self._base.mark.block)
        self.is_caught_up = self.is_void = False

    def strip(self, number: int) -> None:
        """Batch `number` was compared with ours; its payload is not needed again."""
        self.batches[number - 1] = replace(self.batches[number - 1], payload=b"")

    def _add(self, event: RollupEvent) -> None:
        match event:
            case ItemAdded(item=item):
                _check_next("inbox item", item.index, self.inbox_size)
                self._items.append(event)
                self._accumulators.append(accumulate(self._accumulators[-1], item))
            case BatchPosted(number=number):
                _check_next("batch", number, len(self.batches) + 1)
                self.batches.append(event)
            case Confirmed():
                self._confirmed.append(event)

    def _drop_after(self, block: int) -> None:
        self.mark = None
        self.rewinds += 1
        self._items = _until(self._items, block)
        self.batches = _until(self.batches, block)
        self._confirmed = _until(self._confirmed, block)
        del self._accumulators[len(self._items) + 1 :]


Event = TypeVar("Event", ItemAdded, BatchPosted, Confirmed)


def _until(events: list[Event], block: int) -> list[Event]:
    return events[: bisect_right(events, block, key=lambda event: event.block)]


def _check_next(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise Rewind(f"L1 showed {what} {found} where {expected} is next; it is read again")
