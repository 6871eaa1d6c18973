"""All that happened to a rollup, read once: also where L1 changes its mind, or leaves logs out."""

from dataclasses import dataclass

import pytest
from l1_venue import CLAIMANT, L1Venue, l1_venue

from node import scanner
from node.errors import Halt
from node.l1.answers import L1Block
from node.proving.history import read_history
from node.proving.venue import RebuiltVenue
from node.rollup import RollupReader
from node.rollup_events import BatchPosted, RollupEvent


async def traded(venue: L1Venue, days: int) -> None:
    await venue.fund()
    for _ in range(days):
        await venue.trading_day()
        await venue.mine(60)


async def test_everything_is_read_and_leads_to_the_venue() -> None:
    async with l1_venue() as venue:
        await traded(venue, 2)
        first = venue.executed[0]
        await venue.claim(CLAIMANT, first.output, first.parent_claim, first.header)
        seen: list[int] = []
        history = await read_history(venue.reader, seen.append)
        assert [posted.number for posted in history.batches] == [1, 2]
        assert [claim.claim for claim in history.claims] == [first.claim]
        assert history.confirmed == frozenset() and len(history.items) == len(venue.items)
        assert seen == [await venue.client.block_number()]
        rebuilt = RebuiltVenue(history)
        for executed in venue.executed:
            assert rebuilt.advance().output == executed.output


async def test_a_rollup_in_which_nothing_happened_has_no_batch() -> None:
    async with l1_venue() as venue:
        history = await read_history(venue.reader)
        assert history.batches == () and history.claims == ()
        with pytest.raises(Halt, match="NO_SUCH_BATCH: L1 has no batch 1; it has none yet"):
            RebuiltVenue(history).check_number(1)


@dataclass
class TakenBack(RollupReader):
    """L1 takes back what came after a snapshot, and other blocks come, once that was read."""

    venue: L1Venue
    snapshot: str
    snapshot_block: int
    was_read: bool = False
    was_reverted: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.venue.client, self.venue.deployment.rollup)

    async def scan(self, from_block: int, to_block: int) -> list[RollupEvent]:
        self.was_read = to_block > self.snapshot_block
        return await super().scan(from_block, to_block)

    async def block(self, which: int | str | bytes) -> L1Block:
        if which == "latest" and self.was_read and not self.was_reverted:
            self.was_reverted = True
            await self.venue.revert(self.snapshot)
            await self.venue.mine(7, blocks=3)
        return await super().block(which)


async def test_what_l1_takes_back_meanwhile_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "BLOCKS_MAX", 4)
    async with l1_venue() as venue:
        await traded(venue, 1)
        number = await venue.client.block_number()
        snapshot = await venue.snapshot()
        await venue.trading_day()
        await venue.mine(60, blocks=8)
        reader = TakenBack(venue, snapshot, number)
        history = await read_history(reader)
        assert reader.was_reverted
        assert [posted.number for posted in history.batches] == [1]
        assert history == await read_history(venue.reader)


class Forgetful(RollupReader):
    """An endpoint that leaves out the last batch's log without a word."""

    async def scan(self, from_block: int, to_block: int) -> list[RollupEvent]:
        events = await super().scan(from_block, to_block)
        last = max(event.number for event in events if isinstance(event, BatchPosted))
        return [e for e in events if not isinstance(e, BatchPosted) or e.number != last]


async def test_logs_that_are_left_out_are_noticed() -> None:
    async with l1_venue() as venue:
        await traded(venue, 2)
        reader = Forgetful(venue.client, venue.deployment.rollup)
        with pytest.raises(Halt, match="LOGS_MISSING: L1 counts 2 batches, its logs told of 1"):
            await read_history(reader)


async def test_logs_that_do_not_fit_together_are_told() -> None:
    async with l1_venue() as venue:
        await traded(venue, 2)
        history = await read_history(venue.reader)
        crossed = type(history)(
            terms=history.terms,
            items=history.items[1:],
            batches=history.batches,
            claims=(),
            confirmed=frozenset(),
        )
        with pytest.raises(Halt, match="L1_INCONSISTENT: "):
            RebuiltVenue(crossed).advance()
