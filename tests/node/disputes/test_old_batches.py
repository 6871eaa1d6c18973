"""A challenger that restarts late in a long dispute traces its batch without the whole history."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from disputed_venue import TERMS, DisputedVenue, act, disputed_venue, lying
from l1_venue import CLAIMANT, LIAR

from node import batch_before
from node.snapshot_policy import SnapshotPolicy
from prover.replay import UNDO_BATCHES_MAX, Replayer

POLICY = SnapshotPolicy(batches=4)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DisputedVenue]:
    async with disputed_venue(tmp_path) as running:
        yield running


async def test_a_challenger_that_restarts_far_behind_a_lie_wins_without_genesis(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue, lied_about = world.venue, 6
    async with world.challenging(policy=POLICY) as challenger:
        for lots in (30, 40, 50, 60):
            await venue.trading_day(lots)
            await act(challenger)
        for batch in range(1, lied_about):
            await world.claim(CLAIMANT, await world.right_trace(challenger, batch), batch)
        right = await world.right_trace(challenger, lied_about)
        await world.claim(LIAR, lying(right, 9), lied_about)
        for _ in range(UNDO_BATCHES_MAX + 4):
            await venue.post([venue.opening(await venue.now())])
            await challenger.follower.attempt()
    begun: list[int] = []

    class Counted(Replayer):
        """What begins with the earlier state, and how far it goes."""

        def apply(self, derived: Any) -> Any:
            begun.append(self.number + 1)
            return super().apply(derived)

    monkeypatch.setattr(batch_before, "Replayer", Counted)
    async with world.challenging(policy=POLICY) as challenger:
        again = await world.right_trace(challenger, lied_about)
        assert again.leaves == right.leaves and begun == [5], "only the one after a snapshot"
        lie = lying(right, 9)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        await world.wait(challenger, TERMS.entry_window + 1)
        await world.wait(challenger, 1)
        assert await world.settled(right, lie) and challenger.problems() == []
        assert set(begun) == {5}
