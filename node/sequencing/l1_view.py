"""What L1 shows of the rollup: inbox, batches, settled claims; shorter again after a reorg."""

from bisect import bisect_right
from typing import TypeVar

from msgspec.structs import replace

from node.errors import Rewind
from node.l1.answers import L1Block
from node.rollup import Counts
from node.rollup_events import BatchPosted, Confirmed, ItemAdded, RollupEvent
from node.scanner import Mark, Scan
from state.crypto import ZERO_HASH
from state.inbox import InboxItem, accumulate


class L1View:
    """Fed by scans, in order. Raises Rewind where they do not fit together.

    `mark` is the block up to which it was read, `rewinds` counts how often it went back and
    `version` how often it moved. Whoever finds that it contradicts itself sets `is_void`: it
    must be read anew.
    """

    def __init__(self) -> None:
        self.head: L1Block | None = None
        self.mark: Mark | None = None
        self.rewinds = self.version = 0
        self.finalized_block = 0
        self.is_caught_up = False
        self.is_void = False
        self.batches: list[BatchPosted] = []
        self._items: list[ItemAdded] = []
        self._accumulators = [ZERO_HASH]
        self._confirmed: list[Confirmed] = []

    # --- what it shows ---

    @property
    def scanned(self) -> int:
        """The block up to which L1 was read; -1 where that must be found out again."""
        return -1 if self.mark is None else self.mark.block

    @property
    def inbox_size(self) -> int:
        return len(self._items)

    def items(self, start: int, end: int | None = None) -> list[InboxItem]:
        """Inbox items from index `start`, up to `end` or to the last."""
        return [added.item for added in self._items[start:end]]

    def has_items(self, inbox_to: int, accumulator: bytes) -> bool:
        """Whether L1's first `inbox_to` items are the ones that accumulate to this."""
        return inbox_to <= len(self._items) and self._accumulators[inbox_to] == accumulator

    def batches_until(self, block: int) -> int:
        """How many batches were posted up to `block`."""
        return bisect_right(self.batches, block, key=lambda posted: posted.block)

    @property
    def confirmed(self) -> int:
        """The last batch whose claim is settled."""
        return self._confirmed[-1].batch if self._confirmed else 0

    @property
    def counts(self) -> Counts:
        """What the contract must count too."""
        return Counts(items=len(self._items), batches=len(self.batches), confirmed=self.confirmed)

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
        """Before anything was read."""
        self.version += 1
        self._drop_after(-1)
        self.is_caught_up = self.is_void = False

    def strip(self, number: int) -> None:
        """Batch `number` was compared with ours; its payload is not needed again."""
        self.batches[number - 1] = replace(self.batches[number - 1], payload=b"")

    def _add(self, event: RollupEvent) -> None:
        match event:
            case ItemAdded(item=item):
                _check_next("inbox item", item.index, len(self._items))
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
