"""What goes wrong around a challenger is no reason to lose: clocks, L1's answers, many disputes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from disputed_venue import (
    CHALLENGER,
    STRANGER,
    TERMS,
    DisputedVenue,
    act,
    codes,
    contracts,
    disputed_venue,
    lying,
)
from l1_venue import CLAIMANT, LIAR, l1_venue, person
from msgspec import structs

from contracts.dispute_views import ResultStatus
from contracts.views import ClaimStatus
from node.challenger import ChallengerConfig, ChallengerService
from node.clock import Clock
from node.disputes import reading, traces
from node.disputes.reading import Seen
from node.disputes.traces import Begun
from node.errors import Halt, Retry
from node.follower import FollowerConfig

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class FastClock:
    """Shows an hour that is still to come."""

    clock: Clock
    ahead: float

    def now(self) -> float:
        return self.clock.now() + self.ahead

    def monotonic(self) -> float:
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DisputedVenue]:
    async with disputed_venue(tmp_path_factory.mktemp("troubled")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def world(deployed: DisputedVenue, tmp_path: Path) -> AsyncIterator[DisputedVenue]:
    async with deployed.taken_back(tmp_path):
        yield deployed


def set_clock(challenger: ChallengerService, clock: Clock) -> None:
    challenger.clock = challenger.follower.clock = clock
    challenger.challenge._clock = clock


async def test_a_clock_that_runs_ahead_keeps_nobody_from_moving_in_time(
    world: DisputedVenue,
) -> None:
    async with world.challenging() as challenger:
        set_clock(challenger, FastClock(world.venue.clock, ahead=10 * 86_400))
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        seen = await world.see(CHALLENGER, right.parent)
        assert (seen.standing.dispute.entries, seen.standing.dispute.alive) == (2, 1)
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie) and challenger.problems() == []


async def test_a_confirmation_that_l1_takes_back_is_made_again(world: DisputedVenue) -> None:
    """The new branch is longer by the time it is seen, as it is on any L1."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        await world.venue.mine(TERMS.entry_window + 1)
        snapshot = await world.venue.snapshot()
        await act(challenger)
        assert await world.settled(right, lie)
        await act(challenger)

        height = await world.venue.client.block_number()
        await world.venue.revert(snapshot)
        while await world.venue.client.block_number() < height + 2:
            await world.venue.mine(1)
        assert await world.status(right.claim) == ClaimStatus.PENDING
        await act(challenger)
        assert await world.settled(right, lie) and challenger.problems() == []


async def test_costs_that_cannot_be_read_hold_no_move_back(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)

        async def lost(*_: object) -> None:
            raise Retry("L1 has no transaction any more")

        monkeypatch.setattr(challenger._cost_reader, "cost", lost)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        seen = await world.see(CHALLENGER, right.parent)
        assert (seen.standing.dispute.entries, seen.standing.dispute.alive) == (2, 1)
        assert codes(challenger) == ["WRONG_CLAIM", "COST_UNKNOWN"]


@pytest.mark.parametrize(
    ("place", "told"), [("see", "CHALLENGE_FAILED"), ("play", "MOVE_NOT_TAKEN")]
)
async def test_a_dispute_that_cannot_be_read_or_played_holds_no_other_back(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch, place: str, told: str
) -> None:
    async with world.challenging() as challenger:
        first, second = [await world.right_trace(challenger, batch) for batch in (1, 2)]
        lies = lying(first, 9), lying(second, 4)
        await world.claim(CLAIMANT, first, 1)
        await world.claim(CLAIMANT, second, 2)
        for batch, lie in enumerate(lies, 1):
            await world.claim(LIAR, lie, batch)
        owner = await challenger.challenge.reader() if place == "see" else challenger.challenge
        working = getattr(owner, place)

        async def failing(*given: Any) -> Any:
            found = given[0] if place == "see" else given[1].contest
            if found.parent == first.parent:
                raise Retry("L1 does not show this one")
            return await working(*given)

        monkeypatch.setattr(owner, place, failing)
        await act(challenger)
        entries = [
            (await world.see(CHALLENGER, one.parent)).standing.dispute.entries
            for one in (first, second)
        ]
        assert entries == [0, 1]
        assert told in codes(challenger)


async def test_the_dispute_whose_time_ends_first_is_played_first(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both wait for our move, and the one that was contested later has waited longer."""
    async with world.challenging() as challenger:
        rights = [await world.right_trace(challenger, batch) for batch in (1, 2)]
        liars = [world.player(LIAR, lying(right, 9)) for right in rights]
        for batch, (right, liar) in enumerate(zip(rights, liars, strict=True), 1):
            await world.claim(CLAIMANT, right, batch)
            await world.claim(LIAR, liar.trace, batch)
        await act(challenger)
        for liar in liars:
            await world.play(LIAR, liar)
        await act(challenger)
        await world.venue.mine(TERMS.entry_window + 1)
        for liar in reversed(liars):
            await world.play(LIAR, liar)
            await world.venue.mine(100)
        played: list[int] = []
        play = challenger.challenge.play

        async def noted(look: Any, seen: Seen, move: Any) -> Any:
            played.append(seen.contest.batch)
            return await play(look, seen, move)

        monkeypatch.setattr(challenger.challenge, "play", noted)
        await act(challenger)
        assert played == [2, 1]


async def test_more_disputes_than_states_are_kept_need_no_trace_twice(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "STATES_KEPT", 1)
    traced: list[int] = []
    trace = Begun.trace

    def noted(begun: Begun) -> Any:
        traced.append(begun.derived.batch.header.number)
        return trace(begun)

    monkeypatch.setattr(Begun, "trace", noted)
    async with world.challenging() as challenger:
        first, second = [await world.right_trace(challenger, batch) for batch in (1, 2)]
        for right, batch in ((first, 1), (second, 2), (first, 1)):
            assert (await challenger.challenge.traces.trace(batch)) is right
            shown = await challenger.challenge.traces.step(batch, 3)
            assert shown.root_after == right.leaves[2]
    assert traced == [1, 2]


async def test_a_dispute_of_many_is_read_in_parts(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An L1 takes so many topics at once, and answers so many questions in time."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie, other = lying(right, 9), lying(right, 5, seed=b"\x77")
        await world.claim(LIAR, lie, 1)
        await world.claim(STRANGER, other, 1)
        for name, wrong in ((LIAR, lie), (STRANGER, other)):
            await world.duel(challenger, (name, world.player(name, wrong)))
        whole = await world.see(CHALLENGER, right.parent)
        assert len(whole.standing.matches) == 2
        asked: list[int] = []
        logs = world.reader.client.logs

        async def counted(*, topics: Sequence[Any], **more: Any) -> Any:
            asked.append(len(topics[-1]) if isinstance(topics[-1], list) else 1)
            return await logs(topics=topics, **more)

        monkeypatch.setattr(reading, "AT_ONCE", 1)
        monkeypatch.setattr(world.reader.client, "logs", counted)
        parts = await world.see(CHALLENGER, right.parent)
        assert parts.standing == whole.standing and parts.events == whole.events
        assert max(asked) == 1 and whole.result.status == ResultStatus.OPEN


async def test_an_l1_that_is_away_at_the_start_is_waited_for_however_long(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(method: str, *_: object) -> Any:
        raise Retry(f"L1 did not answer {method} in time")

    async with world.challenging() as challenger:
        with monkeypatch.context() as patched:
            patched.setattr(challenger.follower.client, "request", away)
            for _ in range(100):
                assert await challenger.attempt(), "it rests before it looks again"
                assert codes(challenger) == ["L1_AWAY"]
        right = await world.right_trace(challenger, 1)
        await world.claim(LIAR, lying(right, 9), 1)
        await act(challenger)
        assert await world.status(right.claim) == ClaimStatus.PENDING
        assert codes(challenger) == ["WRONG_CLAIM"]


async def test_a_key_that_is_not_for_this_chain_signs_nothing(world: DisputedVenue) -> None:
    def refuse(chain_id: int) -> None:
        raise Halt(f"no key for chain {chain_id}")

    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        await world.claim(LIAR, lying(right, 9), 1)
        before = await world.venue.client.block_number()
        # One whose L1 is read anew, and one that knows the chain from what it kept.
        for _ in range(2):
            other = ChallengerService(
                replace(
                    challenger.config,
                    follower=structs.replace(
                        challenger.config.follower, data_directory=world.directory / "other"
                    ),
                ),
                world.venue.clock,
                check_chain=refuse,
            )
            with pytest.raises(Halt, match="no key for chain 31337"):
                await other.run(asyncio.Event())
        assert await world.venue.client.block_number() == before


async def test_where_claims_are_proven_a_challenger_says_that_it_is_not_needed(
    tmp_path: Path,
) -> None:
    async with l1_venue(contracts=contracts(), attester=person(CLAIMANT).address) as venue:
        follower = FollowerConfig(
            l1_url=venue.server.url, rollup=venue.deployment.rollup, data_directory=tmp_path
        )
        config = ChallengerConfig(follower, person(CHALLENGER).private)
        challenger = ChallengerService(config, venue.clock)
        try:
            await challenger.open()
            with pytest.raises(Halt, match=r"^NO_DISPUTES: .* as where they are proven"):
                await act(challenger)
        finally:
            await challenger.close()
