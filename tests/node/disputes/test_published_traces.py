"""Where small batches are entered with all their roots, one refutation ends a wrong trace."""

from pathlib import Path

from disputed_venue import CHALLENGER, TERMS, act, disputed_venue, lying
from l1_venue import LIAR
from msgspec.structs import replace

from contracts.dispute_events import AdvancedLog, EndedLog, How, PublishedLog
from prover.dispute.terms import ETHER

PUBLISHED = replace(TERMS, published_steps=100, entry_bond=ETHER)


async def test_a_published_lie_is_refuted_in_one_move(tmp_path: Path) -> None:
    async with disputed_venue(tmp_path, PUBLISHED) as world, world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 11)
        await world.claim(LIAR, lie, 1)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        seen = await world.see(CHALLENGER, right.parent)
        logs = [event.log for event in seen.events]
        published = [log for log in logs if isinstance(log, PublishedLog)]
        assert [len(log.leaves) for log in published] == [32 * len(right.leaves)] * 2
        (ended,) = [log for log in logs if isinstance(log, EndedLog)]
        assert ended.how == How.REFUTED
        assert not any(isinstance(log, AdvancedLog) for log in logs)
        await world.wait(challenger, PUBLISHED.entry_window + 1)
        await act(challenger)
        assert await world.settled(right, lie)
