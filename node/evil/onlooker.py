"""Somebody who looks on: executes L1's batches truly, and also as the liar does."""

from node.evil.kinds import Kind
from node.evil.liar import Lie, LyingFollowed
from node.evil.telling import short
from node.followed import Followed
from node.proving.history import read_history
from node.proving.steps import NamedStep, trace_of
from node.proving.venue import RebuiltVenue, wrong
from node.rollup import RollupReader
from node.rollup_events import Claimed, RollupEvent
from node.scanner import L1Scanner
from state.batch import decode_output
from state.withdrawals import Withdrawal


class Onlooker:
    """Reads L1 to its end whenever asked, and judges claims."""

    def __init__(self, reader: RollupReader, *, kind: Kind, liar: bytes) -> None:
        self.reader = reader
        self.claims: list[Claimed] = []
        self._kind = kind
        self._liar = liar
        self._true: Followed | None = None
        self._lying: LyingFollowed | None = None
        self._scanner: L1Scanner | None = None

    async def open(self) -> None:
        """Know nothing yet, and no lie either: `suspect` says from which batch on."""
        terms = await self.reader.deployment()
        self._true = Followed(terms)
        self._lying = LyingFollowed(terms, kind=self._kind, liar=self._liar, first=2**32)
        self._scanner = L1Scanner(self.reader, first=terms.deployed_at)

    def suspect(self, first: int) -> None:
        """The liar lies in batch `first` or later."""
        self.lying.first = first

    @property
    def true(self) -> Followed:
        """What is."""
        assert self._true is not None, "`open` comes first"
        return self._true

    @property
    def lying(self) -> LyingFollowed:
        """What the liar says."""
        assert self._lying is not None, "`open` comes first"
        return self._lying

    @property
    def lie(self) -> Lie | None:
        """The wrong claim, once there is a batch for it."""
        return self.lying.lie

    async def look(self) -> list[RollupEvent]:
        """All that is new on L1, in its order."""
        assert self._scanner is not None, "`open` comes first"
        found: list[RollupEvent] = []
        while True:
            scan = await self._scanner.poll()
            for event in scan.events:
                self.true.take(event)
                self.lying.take(event)
                if isinstance(event, Claimed):
                    self.claims.append(event)
            found += scan.events
            if scan.is_caught_up:
                return found

    def is_right(self, claimed: Claimed) -> bool:
        """Whether the claim is what the batch led to."""
        batch = self.true.batch(claimed.batch)
        return batch is not None and batch.claim == claimed.claim

    def judged(self, claimed: Claimed) -> str:
        """A claim in words: right, or wrong in these fields."""
        batch = self.true.batch(claimed.batch)
        if batch is None or batch.claim == claimed.claim:
            return f"root {short(decode_output(claimed.output).state_root)}, which is right"
        found = wrong(claimed, batch.output, batch.parent_claim)
        return f"wrong in {', '.join(one.field for one in found)}"

    async def true_steps(self, number: int) -> tuple[NamedStep, ...]:
        """The steps of a batch by name."""
        venue = RebuiltVenue(await read_history(self.reader))
        while venue.number < number - 1:
            venue.advance()
        return trace_of(venue).steps

    def stolen(self) -> tuple[Withdrawal, list[bytes]] | None:
        """The last withdrawal of the lie and its branch, as the liar would prove it to L1; the
        liar's own where it has one.
        """
        if self.lie is None:
            return None
        replayer = self.lying.replayer
        record = self.lying.batches[self.lie.batch - 1].record
        there = replayer.state.withdrawals[: record.withdrawals]
        to_liar = [one for one in there if one.recipient == self._liar]
        if not there:
            return None
        last = (to_liar or there)[-1]
        return last, list(replayer.version(self.lie.batch).withdrawals.branch(last.index))
