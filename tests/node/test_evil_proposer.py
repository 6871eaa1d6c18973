"""Every lie is told to the real contracts, defended, and lost to a challenger."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from builders import MICRO_DOLLAR
from disputed_venue import CHALLENGER, TERMS, DisputedVenue, act, disputed_venue
from l1_venue import LIAR, PARAMETERS, TICKS, person

from contracts import dispute_views, token, views
from contracts.dispute_events import EndedLog, How
from contracts.views import ClaimStatus
from node.challenger import ChallengerService
from node.errors import Halt
from node.evil.kinds import Kind
from node.evil.pacing import claim_due, dispute_due
from node.evil.patience import LAST_SECONDS
from node.evil.proposer import EvilProposer, ProposerConfig
from node.l1.client import L1Client
from node.rollup_events import Claimed
from prover.dispute.views import EntryStatus, MatchStatus
from state.chunks import Row
from state.orders import BUY, SELL

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = 3
"""The batch that is lied about; two fair ones come before it."""

ROUNDS_MAX = 200
ENDED_BY = dict.fromkeys(Kind, How.STEP) | {Kind.CHUNK: How.REFUTED, Kind.STALL: How.TIME}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DisputedVenue]:
    async with disputed_venue(tmp_path_factory.mktemp("disputed")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def world(deployed: DisputedVenue, tmp_path: Path) -> AsyncIterator[DisputedVenue]:
    async with deployed.taken_back(tmp_path):
        yield deployed


async def bait(world: DisputedVenue, kind: Kind) -> None:
    """Batch FIRST: what such a lie needs, from people with money, the liar among them."""
    venue = world.venue
    judy = venue.senders[LIAR]
    purse = 100 * MICRO_DOLLAR
    await judy.send(venue.deployment.token, token.mint(to=judy.address, amount=purse))
    await judy.send(
        venue.deployment.token, token.approve(spender=venue.deployment.rollup, amount=purse)
    )
    await venue.deposit(LIAR, 100)
    venue.numbers[LIAR] = 4 << 8
    if kind == Kind.INBOX:
        await venue.deposit("bob", 50)
    now = await venue.now()
    flip = -1 if kind == Kind.CHUNK else None
    await venue.post([venue.opening(now), rows(world, kind, now)], flip=flip)


def rows(world: DisputedVenue, kind: Kind, now: int) -> list[Row]:
    venue = world.venue
    if kind == Kind.MARGIN:
        return [venue.withdraw(LIAR, 900, now)]
    asks = [
        venue.order("alice", SELL, 50, now, TICKS + 1),
        venue.order("carol", SELL, 50, now, TICKS),
    ]
    buy = venue.order("bob", BUY, 50, now, TICKS + 2)
    return [*asks, buy, *([buy] if kind == Kind.SEQUENCE else [])]


@dataclass
class Story:
    """A liar and a challenger who move in turns, and time that passes when neither can."""

    world: DisputedVenue
    kind: Kind
    liar: EvilProposer
    challenger: ChallengerService

    @property
    def lie(self) -> bytes:
        """The wrong claim."""
        assert self.liar.followed is not None and self.liar.followed.lie is not None
        return self.liar.followed.lie.claim

    async def play(self) -> None:
        """Until the wrong claim is rejected."""
        for _ in range(ROUNDS_MAX):
            before = await self.world.venue.client.block_number()
            await self.liar.turn()
            await act(self.challenger)
            if await self.world.venue.client.block_number() > before:
                continue
            if await self.world.status(self.lie) == ClaimStatus.REJECTED:
                return
            await self.pass_time()
        raise AssertionError("the dispute does not end")

    async def pass_time(self) -> None:
        venue = self.world.venue
        now, due = await venue.now(), await self.due()
        await venue.mine(max(due - now, 1))

    async def due(self) -> int:
        """What a story waits for, by the same rules as on a devnet."""
        venue, parent = self.world.venue, venue_parent(self.world)
        if any(one.parent == parent for one in await self.world.contests()):
            seen = await self.world.see(CHALLENGER, parent)
            has_moved = self.liar.patience.advanced > 0
            liar = person(LIAR).address
            due = dispute_due(seen, liar, self.kind, has_moved=has_moved)
            assert due is not None, "an honest turn is never waited for"
            if due > await venue.now():
                return due
        events = await venue.reader.scan(0, await venue.client.block_number())
        claims = [event for event in events if isinstance(event, Claimed)]
        head = await venue.reader.read(views.CONFIRMED_HEAD)
        return claim_due(claims, head, PARAMETERS.claim_window) or 0


def venue_parent(world: DisputedVenue) -> bytes:
    """The right claim that the lie stands on."""
    return world.venue.executed[FIRST - 1].parent_claim


@pytest.mark.parametrize("kind", Kind)
async def test_every_lie_loses(world: DisputedVenue, kind: Kind) -> None:
    await bait(world, kind)
    config = ProposerConfig(
        rollup=world.venue.deployment.rollup,
        private_key=person(LIAR).private,
        kind=kind,
        first=FIRST,
    )
    liar = EvilProposer(config, world.venue.clock, world.venue.client)
    await liar.open()
    async with world.challenging() as challenger:
        story = Story(world, kind, liar, challenger)
        await story.play()
        assert challenger.problems() == []
    right = world.venue.executed[FIRST - 1]
    assert await world.status(right.claim) == ClaimStatus.CONFIRMED
    head = await world.venue.reader.read(views.CONFIRMED_HEAD)
    assert (head.batch, head.claim) == (FIRST, right.claim)
    await check_dispute(world, kind)


async def check_dispute(world: DisputedVenue, kind: Kind) -> None:
    """It ended as such a lie must, and what the liar put up is with others."""
    seen = await world.see(CHALLENGER, venue_parent(world))
    (ended,) = [event.log for event in seen.events if isinstance(event.log, EndedLog)]
    assert ended.how == ENDED_BY[kind] and ended.caller == person(CHALLENGER).address
    lost = {
        entry.owner for entry in seen.standing.entries.values() if entry.status == EntryStatus.LOST
    }
    assert lost == {person(LIAR).address}
    credited = await world.reader.read(dispute_views.CREDITS, person(LIAR).address)
    assert credited == 0
    insurance = await world.reader.read(dispute_views.INSURANCE)
    held = await world.venue.client.balance(world.reader.address)
    assert held == await world.reader.read(dispute_views.CREDITS, insurance)
    assert 0 < held <= TERMS.entry_bond + PARAMETERS.claim_bond


async def test_a_staller_moves_once_in_the_last_seconds_and_then_never(
    world: DisputedVenue,
) -> None:
    await bait(world, Kind.STALL)
    config = ProposerConfig(
        rollup=world.venue.deployment.rollup,
        private_key=person(LIAR).private,
        kind=Kind.STALL,
        first=FIRST,
    )
    liar = EvilProposer(config, world.venue.clock, world.venue.client)
    await liar.open()
    async with world.challenging() as challenger:
        for _ in range(6):
            await liar.turn()
            await act(challenger)
        seen = await world.see(CHALLENGER, venue_parent(world))
        (match,) = seen.standing.matches.values()
        assert match.status == MatchStatus.OPEN and liar.patience.advanced == 0
        end = seen.standing.turn_ends_at(match)
        await world.venue.mine(end - LAST_SECONDS - 5 - await world.venue.now())
        await liar.turn()
        assert liar.patience.advanced == 0
        await world.venue.mine(5)
        await liar.turn()
        assert liar.patience.advanced == 1
        assert await world.venue.now() <= end
        await act(challenger)
        await liar.turn()
        assert liar.patience.advanced == 1


async def test_nobody_lies_on_another_chain(world: DisputedVenue) -> None:
    class Elsewhere(L1Client):
        async def chain_id(self) -> int:
            return 1

    config = ProposerConfig(
        rollup=world.venue.deployment.rollup,
        private_key=person(LIAR).private,
        kind=Kind.ROOT,
        first=1,
    )
    async with Elsewhere(world.venue.server.url) as client:
        liar = EvilProposer(config, world.venue.clock, client)
        with pytest.raises(Halt, match=r"DEVNET_ONLY: lies are told on chain 31337 alone"):
            await liar.open()


async def test_a_liar_looks_on_once_it_is_found_out(world: DisputedVenue) -> None:
    await bait(world, Kind.ROOT)
    config = ProposerConfig(
        rollup=world.venue.deployment.rollup,
        private_key=person(LIAR).private,
        kind=Kind.ROOT,
        first=FIRST,
    )
    liar = EvilProposer(config, world.venue.clock, world.venue.client)
    await liar.open()
    async with world.challenging() as challenger:
        await Story(world, Kind.ROOT, liar, challenger).play()
    await world.venue.trading_day(5)
    nonce = await world.venue.client.nonce(liar.address)
    await liar.turn()
    assert await world.venue.client.nonce(liar.address) == nonce
