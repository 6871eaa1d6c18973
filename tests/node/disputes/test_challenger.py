"""A challenger stands up for what was executed, and every liar loses to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from disputed_venue import (
    CHALLENGER,
    STRANGER,
    TERMS,
    DisputedVenue,
    act,
    codes,
    disputed_venue,
    lying,
    settle,
    smearing,
)
from l1_venue import CLAIMANT, LIAR, PARAMETERS, person

from contracts import calls, dispute_views, views
from contracts.dispute_events import EndedLog, EnteredLog, How
from contracts.views import ClaimStatus
from node.errors import Halt
from state.batch import decode_output, output_hash

pytestmark = pytest.mark.asyncio(loop_scope="module")
ME = person(CHALLENGER).address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DisputedVenue]:
    async with disputed_venue(tmp_path_factory.mktemp("disputed")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def world(deployed: DisputedVenue, tmp_path: Path) -> AsyncIterator[DisputedVenue]:
    async with deployed.taken_back(tmp_path):
        yield deployed


@pytest.mark.parametrize(
    ("step", "how"),
    [(1, How.REFUTED), (6, How.STEP), (15, How.STEP)],
    ids=["BOOT", "an item", "HALT"],
)
async def test_a_liar_loses_at_the_first_step_that_it_has_wrong(
    world: DisputedVenue, step: int, how: How
) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, step)
        await world.claim(LIAR, lie, 1)
        before = await world.venue.client.balance(ME)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        seen = await world.see(CHALLENGER, right.parent)
        (ended,) = [event.log for event in seen.events if isinstance(event.log, EndedLog)]
        assert ended.how == how and ended.caller == ME
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie) and challenger.problems() == []
        # Only gas is gone: moves and proof were paid for by the liar's bonds.
        spent = before - await world.venue.client.balance(ME)
        assert spent < sum(cost.wei for cost in challenger.costs.values()) + 10**16
    assert await world.venue.reader.read(views.CLAIM_BONDS, ME) == 0


async def test_a_wrong_trace_does_not_take_the_right_claim_down(world: DisputedVenue) -> None:
    """The liar enters the honest claim with another trace, and loses that entry alone."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie, smear = lying(right, 9), smearing(right, 7)
        await world.claim(LIAR, lie, 1)
        await act(challenger)
        assert (await world.play(LIAR, world.player(LIAR, smear)))[0].refusal == ""
        await world.duel(challenger, (LIAR, world.player(LIAR, smear)))
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie)


async def test_nothing_is_remembered_between_two_moves(world: DisputedVenue) -> None:
    """Each time another process with an empty folder goes on where L1 stands."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
    lie = lying(right, 9)
    await world.claim(LIAR, lie, 1)
    liar = world.player(LIAR, lie)
    for run in range(6):
        async with world.challenging(folder=f"run {run}") as restarted:
            await act(restarted)
            assert codes(restarted) == ["WRONG_CLAIM"]
        await world.play(LIAR, liar)
    await world.venue.mine(TERMS.entry_window + 1)
    async with world.challenging(folder="last") as restarted:
        await act(restarted)
    assert await world.settled(right, lie)


async def test_moves_that_l1_takes_back_are_made_again(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        snapshot = await world.venue.snapshot()
        liar = world.player(LIAR, lie)
        for _ in range(3):
            await act(challenger)
            await world.play(LIAR, liar)
        await world.venue.revert(snapshot)
        await world.venue.mine(seconds=50)
        assert await world.contests() == []
        await world.duel(challenger, (LIAR, liar))
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie) and challenger.problems() == []


async def test_a_liar_who_falls_silent_runs_out_of_time(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await act(challenger)
        await world.play(LIAR, world.player(LIAR, lie))
        await act(challenger)
        await world.wait(challenger, TERMS.entry_window + TERMS.clock - 60)
        assert (await world.see(CHALLENGER, right.parent)).standing.dispute.alive == 2
        await world.wait(challenger, 120)
        assert (await world.see(CHALLENGER, right.parent)).standing.dispute.alive == 1
        await world.wait(challenger, 1)
        assert await world.settled(right, lie)


async def test_liars_who_stall_one_another_are_timed_out(world: DisputedVenue) -> None:
    """Two wrong entries are paired and stand still; the right one waits for whoever is left."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie, other = lying(right, 9), lying(right, 5)
        await world.claim(LIAR, lie, 1)
        await world.claim(STRANGER, right, 1)
        for name, trace in ((LIAR, lie), (STRANGER, other)):
            await world.play(name, world.player(name, trace))
        await act(challenger)
        seen = await world.see(CHALLENGER, right.parent)
        assert seen.standing.dispute.entries == 3 and seen.standing.dispute.waiting != bytes(32)
        await world.wait(challenger, TERMS.entry_window + TERMS.clock + 1)
        await world.wait(challenger, TERMS.clock + 1)
        await world.wait(challenger, 1)
        assert await world.settled(right, lie)


async def test_a_batch_that_is_none_is_proven_void_before_anything_is_entered(
    world: DisputedVenue,
) -> None:
    venue = world.venue
    now = await venue.now()
    await venue.post([venue.opening(now)], flip=4)
    async with world.challenging() as challenger:
        for batch in (1, 2):
            await world.claim(CLAIMANT, await world.right_trace(challenger, batch), batch)
        right = await world.right_trace(challenger, 3)
        assert len(right.leaves) == 2
        lie = lying(right, 1)
        await world.claim(LIAR, lie, 3)
        assert not await venue.reader.read(views.VOID_BATCHES, 3)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        assert await venue.reader.read(views.VOID_BATCHES, 3)
        followed = challenger.follower.followed
        assert followed is not None
        seen = await world.see(CHALLENGER, right.parent)
        entered = [
            event.block
            for event in seen.events
            if isinstance(event.log, EnteredLog) and event.log.owner == ME
        ]
        assert followed.voided[3].block < entered[0]
        await world.wait(challenger, TERMS.entry_window + 1)
        await world.wait(challenger, 1)
        assert await world.settled(right, lie) and await world.confirmed() == 3


async def test_two_disputes_are_played_at_once_and_none_under_a_wrong_parent(
    world: DisputedVenue,
) -> None:
    async with world.challenging() as challenger:
        first, second = [await world.right_trace(challenger, batch) for batch in (1, 2)]
        lies = lying(first, 9), lying(second, 4)
        await world.claim(LIAR, lies[0], 1)
        await act(challenger)
        await world.claim(LIAR, lies[1], 2)
        # Two rivals whose parent is the wrong claim: they fall with it.
        header = world.venue.executed[1].header
        children = [decode_output(trace.output) for trace in (second, lies[1])]
        for output in children:
            await world.venue.claim(LIAR, output, lies[0].claim, header)
        await world.duel(challenger, *((LIAR, world.player(LIAR, lie)) for lie in lies))
        under_the_lie = await world.see(CHALLENGER, lies[0].claim)
        assert under_the_lie.standing.dispute.entries == 0
        await world.wait(challenger, TERMS.entry_window + 1)
        await world.wait(challenger, 1)
        assert await world.confirmed() == 2
        assert await world.settled(first, lies[0]) and await world.settled(second, lies[1])
        assert challenger.problems() == []


async def test_what_fell_with_a_lie_is_no_trouble(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        right, second = [await world.right_trace(challenger, batch) for batch in (1, 2)]
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        header = world.venue.executed[1].header
        await world.venue.claim(LIAR, decode_output(second.output), lie.claim, header)
        await act(challenger)
        assert codes(challenger) == ["WRONG_CLAIM", "WRONG_CLAIM"]
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie) and await world.confirmed() == 1
        followed = challenger.follower.followed
        assert followed is not None and len(followed.fallen()) == 1
        assert challenger.problems() == [] and followed.standing_lies() == []


async def test_what_another_does_rightly_is_not_done_again(world: DisputedVenue) -> None:
    """The right claim is somebody else's, and so is the entry; the moves are made all the same."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await world.claim(CLAIMANT, right, 1)
        await world.play(CLAIMANT, world.player(CLAIMANT, right))
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie)
        seen = await world.see(CLAIMANT, right.parent)
        owners = [event.log.owner for event in seen.events if isinstance(event.log, EnteredLog)]
        assert owners == [person(CLAIMANT).address, person(LIAR).address]
        assert (await world.record(right.claim)).claimant == person(CLAIMANT).address


async def test_two_challengers_are_in_nobodys_way(world: DisputedVenue) -> None:
    """Both look, one moves, the other comes late with the same moves: that is no trouble."""
    async with (
        world.challenging() as one,
        world.challenging(STRANGER, "other") as other,
    ):
        right = await world.right_trace(one, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await act(one)
        await act(other)
        liar = world.player(LIAR, lie)
        for _ in range(4):
            await world.play(LIAR, liar)
            followed = other.follower.followed
            assert followed is not None
            late = await other.challenge.look(followed)
            await act(one)
            for seen in late.seen:
                for move in await other.challenge.moves(late, seen):
                    assert (await other.challenge.play(late, seen, move)).refusal
            await act(other)
            assert codes(other) == ["WRONG_CLAIM"]
        await world.wait(one, TERMS.entry_window + 1)
        assert await world.settled(right, lie)


async def test_where_all_claims_are_right_a_challenger_does_nothing(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        for batch in (1, 2):
            await world.claim(CLAIMANT, await world.right_trace(challenger, batch), batch)
        before = await world.venue.client.block_number()
        await act(challenger)
        await world.wait(challenger, PARAMETERS.claim_window + 1)
        assert await world.venue.client.block_number() == before + 1
        assert challenger.problems() == []
    assert await world.venue.client.nonce(ME) == 0


async def test_a_challenger_without_money_says_what_it_lacks_and_goes_on(
    world: DisputedVenue,
) -> None:
    venue = world.venue
    await venue.client.request("hardhat_setBalance", "0x" + ME.hex(), hex(10**16))
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await act(challenger)
        assert codes(challenger) == ["WRONG_CLAIM", "BALANCE_LOW", "MOVE_NOT_TAKEN"]
        assert f"0x{ME.hex()} has {10**16} wei" in challenger.problems()[1]
        assert await world.status(right.claim) == ClaimStatus.UNKNOWN
        await venue.senders[CLAIMANT].send(ME, value=10**19)
        await act(challenger)
        assert codes(challenger) == ["WRONG_CLAIM"]
        assert await world.status(right.claim) == ClaimStatus.PENDING


async def test_a_dispute_that_nobody_won_is_opened_anew(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await world.claim(CLAIMANT, right, 1)
        await world.venue.mine(TERMS.entry_window + 1)
        await act(challenger)
        (reopened,) = await world.contests()
        seen = await world.see(CHALLENGER, right.parent)
        assert reopened.time > (await world.record(right.claim)).time
        assert seen.standing.dispute.entries == 1
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie)


async def test_a_challenger_stops_where_a_wrong_claim_was_confirmed(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await world.venue.mine(PARAMETERS.claim_window + 1)
        confirm = calls.confirm(
            parent_claim=lie.parent, output_hash=output_hash(decode_output(lie.output))
        )
        await world.venue.send(LIAR, confirm)
        with pytest.raises(Halt, match=r"^WRONG_CLAIM_CONFIRMED: L1 confirmed claim 0x"):
            await act(challenger)


async def test_an_older_batch_is_traced_from_the_events_that_are_kept(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.challenging() as challenger:
        recent = await world.right_trace(challenger, 2)
        followed = challenger.follower.followed
        assert followed is not None
    async with world.challenging() as challenger:
        while not await challenger.follower.attempt():
            pass
        assert challenger.follower.followed is not None
        monkeypatch.setattr(challenger.follower.followed.replayer, "state_after", lambda _: None)
        rebuilt = await challenger.challenge.traces.trace(2)
        assert (rebuilt.leaves, rebuilt.claim) == (recent.leaves, recent.claim)
        shown = await challenger.challenge.traces.step(2, 3)
        assert (shown.root_before, shown.root_after) == (recent.leaves[1], recent.leaves[2])


async def test_credits_are_left_where_sending_them_costs_more(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        block = await world.venue.reader.block("latest")
        credited = await world.reader.read(dispute_views.CREDITS, ME)
        assert credited <= 50_000 * block.base_fee


async def test_a_claimant_goes_on_beside_a_dispute_and_confirms_its_winner(
    world: DisputedVenue,
) -> None:
    async with world.challenging() as challenger, world.claiming() as claimant:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await settle(claimant)
        problems = [problem.split(":")[0] for problem in claimant.problems()]
        assert problems == ["WRONG_CLAIM", "RIVAL_CLAIMS"]
        assert "have a tallystick challenge running" in claimant.problems()[1]
        second = await world.right_trace(challenger, 2)
        assert await world.status(second.claim) == ClaimStatus.PENDING
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        await world.venue.mine(TERMS.entry_window + 1)
        await settle(claimant)
        assert await world.confirmed() == 2
        assert [problem.split(":")[0] for problem in claimant.problems()] == ["WRONG_CLAIM"]
        await act(challenger)
        assert await world.settled(right, lie)
        await settle(claimant)
        assert claimant.problems() == []


async def test_who_comes_when_a_wrong_claim_has_stood_for_its_window_says_so(
    world: DisputedVenue,
) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
    await world.claim(LIAR, lying(right, 9), 1)
    await world.venue.mine(PARAMETERS.claim_window + 1)
    async with world.challenging() as challenger:
        await act(challenger)
        late = [one for one in challenger.problems() if one.startswith("CLAIM_TOO_LATE")]
        assert len(late) == 1 and "one claim, which is wrong, and L1 takes no other;" in late[0]
        assert await world.status(right.claim) == ClaimStatus.UNKNOWN


async def test_who_comes_too_late_says_what_is_lost(world: DisputedVenue) -> None:
    """Two wrong claims contest one parent while no challenger runs, and one of them is defended."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
    lie, other = lying(right, 9), lying(right, 5, seed=b"\x77")
    for trace in (lie, other):
        await world.claim(LIAR, trace, 1)
    await world.play(LIAR, world.player(LIAR, lie))
    await world.venue.mine(PARAMETERS.claim_window + 1)
    async with world.challenging() as challenger:
        await act(challenger)
        assert "CLAIM_TOO_LATE" in codes(challenger)
        await world.wait(challenger, TERMS.entry_window)
        assert codes(challenger)[-1] == "WRONG_CLAIM_WON"
        assert await world.status(right.claim) == ClaimStatus.UNKNOWN
