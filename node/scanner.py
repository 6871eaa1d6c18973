"""Reading L1 to its end and staying there, also while L1 changes its mind."""

from collections.abc import Sequence

from msgspec import Struct

from node.errors import Halt, Retry
from node.l1.answers import L1Block
from node.rollup import RollupReader
from node.rollup_events import BatchPosted, RollupEvent

BLOCKS_MAX = 2_000
"""Blocks of one scan: an L1 provider refuses too many, and a node must get its turn."""

PORTION_FIRST = 256
"""Blocks of the first scan of a reader in portions."""

PORTION_BYTES = 2_000_000
"""Batches of one portion, compressed: about the 20,000 records after which a snapshot is due."""


class Mark(Struct, frozen=True):
    """A block up to which everything was read."""

    block: int
    hash: bytes


class Scan(Struct, frozen=True, kw_only=True):
    """What one look at L1 brought: new events up to `mark`, or a block to go back to.

    Where `rewound_to` is not None, everything after that block is void, and the next poll
    reads on from there; `mark` is then that block, if it was ever read. Otherwise `mark` is
    None where there was nothing to read.
    """

    head: int
    events: Sequence[RollupEvent] = ()
    mark: Mark | None = None
    rewound_to: int | None = None
    is_caught_up: bool = False


class L1Scanner:
    """Reads the rollup's events once and in order, and notices when L1 takes blocks back.

    `first` is the block to start from; `marks` are those of an earlier run. Blocks less
    than `confirmations` under the head are not read yet. Where there is a `base`, everything
    up to it was read before and is final: reading starts behind it. `final_block`, which the
    owner moves, is the last block that L1 called final, or -1.

    With `in_portions` a scan takes about as many blocks as hold PORTION_BYTES, going by the one
    before it: who catches up can stop between them for a snapshot.
    """

    MARKS_MAX = 1_024

    def __init__(
        self,
        reader: RollupReader,
        *,
        first: int,
        marks: Sequence[Mark] = (),
        confirmations: int = 0,
        base: Mark | None = None,
        in_portions: bool = False,
    ) -> None:
        self._reader = reader
        self._first = first if base is None else base.block + 1
        self._confirmations = confirmations
        self._base = base
        self._portion = PORTION_FIRST if in_portions else None
        self.final_block = -1
        self.marks = list(marks)
        if base is not None:
            self.marks = [base]

    @property
    def scanned(self) -> int:
        """The last block that was read."""
        return self.marks[-1].block if self.marks else self._first - 1

    def forget(self) -> None:
        """Read everything again from the first block."""
        self.marks = [] if self._base is None else [self._base]

    async def poll(self) -> Scan:
        """The next blocks, BLOCKS_MAX at most. Raises Retry where L1 moved under our feet."""
        head = await self._reader.block("latest")
        rewound_to = await self._rewind(head)
        if rewound_to is not None:
            kept = self.marks[-1] if self.marks else None
            return Scan(rewound_to=rewound_to, mark=kept, head=head.number)
        first = self.scanned + 1
        target = head.number - self._confirmations
        last = min(first + min(self._portion or BLOCKS_MAX, BLOCKS_MAX) - 1, target)
        if last < first:
            return Scan(head=head.number, is_caught_up=True)
        before = self.marks[-1] if self.marks else None
        mark = Mark(last, (await self._reader.block(last)).hash)
        events = await self._reader.scan(first, last)
        # The logs belong to the branch of both marks only if both still stand behind them.
        for known in (before, mark):
            if known is not None and not await self._stands(known):
                raise Retry(f"L1 reorganised around block {known.block} while it was read")
        self.marks = [*self.marks, mark][-self.MARKS_MAX :]
        if self._portion is not None:
            self._portion = _next_portion(self._portion, last - first + 1, events)
        return Scan(events=events, mark=mark, head=head.number, is_caught_up=last == target)

    async def _rewind(self, head: L1Block) -> int | None:
        """Drop the marks that L1 took back; the block that still stands, if any was dropped."""
        if not self.marks:
            return None
        newest = self.marks[-1]
        if newest == Mark(head.number, head.hash) or await self._stands(newest):
            return None
        low = await self._fallen()
        self._check_synced(low, head)
        if low == 0 and self._base is not None:
            await self._check_base(self._base, head)
            self.marks = [self._base]
        else:
            del self.marks[low:]
        return self.scanned

    async def check_synced(self) -> None:
        """Retry where L1 only lacks what it called final, and contradicts nothing."""
        head = await self._reader.block("latest")
        if head.number < self.final_block:
            self._check_synced(await self._fallen(), head)

    async def _fallen(self) -> int:
        """The index of the first mark that does not stand; the number of marks if all do."""
        # Blocks that stand come before those that do not, so the border can be bisected.
        low, high = 0, len(self.marks)
        while low < high:
            middle = (low + high) // 2
            if await self._stands(self.marks[middle]):
                low = middle + 1
            else:
                high = middle
        return low

    def _check_synced(self, fallen: int, head: L1Block) -> None:
        """An endpoint that is still syncing takes nothing back: what is final comes again."""
        contradicted = self.marks[fallen : fallen + 1]
        if head.number < self.final_block and all(
            mark.block > head.number for mark in contradicted
        ):
            raise Retry(
                f"L1 is at block {head.number} and has not seen block {self.final_block}, which "
                "was final: wait until that endpoint is synced, or point the node at another"
            )

    async def _check_base(self, base: Mark, head: L1Block) -> None:
        """Halt where `base` is another block now, Retry where this L1 has not come so far."""
        if await self._stands(base):
            return
        if head.number < base.block:
            raise Retry(
                f"L1 is at block {head.number} and has not seen block {base.block}, which was "
                "final: it is behind, or another chain"
            )
        raise Halt(
            f"L1 contradicts what it had called final: block {base.block} is not "
            f"0x{base.hash.hex()} any more. Point the node at an L1 endpoint on the "
            "canonical chain"
        )

    async def _stands(self, mark: Mark) -> bool:
        found = await self._reader.client.block(mark.block)
        return found is not None and found.hash == mark.hash


def _next_portion(portion: int, blocks: int, events: Sequence[RollupEvent]) -> int:
    """The blocks that hold PORTION_BYTES if they are like these `blocks`; at most twice as many
    as in this portion.
    """
    size = sum(len(event.payload) for event in events if isinstance(event, BatchPosted))
    return max(1, min(2 * portion, BLOCKS_MAX, PORTION_BYTES * blocks // max(size, 1)))
