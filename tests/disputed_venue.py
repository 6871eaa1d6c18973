"""A venue on L1 that decides between claims: a liar, challengers, and time that jumps."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from l1_venue import CLAIMANT, PARAMETERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import views
from contracts.disputes import DisputeParameters
from contracts.views import ClaimRecord, ClaimStatus
from node.artifacts import cache_directory, cached_artifact
from node.challenger import ChallengerConfig, ChallengerService
from node.claimant import ClaimantConfig, ClaimantService
from node.deploy import Contracts
from node.disputes import reading
from node.disputes.defended import DefendedTrace
from node.disputes.player import Played, Player
from node.disputes.reading import DisputeReader, Seen
from node.follower import FollowerConfig
from node.rollup_events import Contested
from node.snapshot_policy import SnapshotPolicy
from state.batch import decode_output, encode_output
from state.commitment import state_root
from state.crypto import keccak

CHALLENGER, STRANGER = "dave", "carol"

# A height of 6 is enough for these batches, and makes for short matches.
TERMS = DisputeParameters(
    height=6,
    clock=3_600,
    move_time=600,
    entry_window=2 * PARAMETERS.claim_window,
    entry_bond=10**18,
    base_fee_cap=10**11,
    published_steps=0,
)


ROUNDS_MAX = 60


def lying(right: DefendedTrace, step: int, seed: bytes = b"\x66") -> DefendedTrace:
    """A trace that leaves the right one at `step`, counted from 1, and the claim that it ends in:
    another tree of accounts, so that L1 finds no fault with the claim by itself.
    """
    roots = (seed * 32, *right.roots[1:])
    end = state_root(*roots, keccak(right.machine))
    leaves = [
        *right.leaves[: step - 1],
        *(keccak(leaf) for leaf in right.leaves[step - 1 : -1]),
        end,
    ]
    output = replace(decode_output(right.output), state_root=end)
    return DefendedTrace(
        grandparent=right.grandparent,
        parent_output=right.parent_output,
        output=encode_output(output),
        machine=right.machine,
        roots=roots,
        leaves=leaves,
        height=right.height,
    )


def smearing(right: DefendedTrace, step: int) -> DefendedTrace:
    """A wrong trace for the right claim: it wants that claim to lose with it."""
    leaves = list(right.leaves)
    leaves[step - 1] = keccak(leaves[step - 1])
    return DefendedTrace(
        grandparent=right.grandparent,
        parent_output=right.parent_output,
        output=right.output,
        machine=right.machine,
        roots=right.roots,
        leaves=leaves,
        height=right.height,
    )


@dataclass
class DisputedVenue:
    """The venue, the contract of disputes, and liars who defend what they claim."""

    venue: L1Venue
    reader: DisputeReader
    directory: Path

    @asynccontextmanager
    async def taken_back(self, directory: Path) -> AsyncIterator[None]:
        """What happens within is no more afterwards; challengers keep their data here."""
        venue, self.directory = self.venue, directory
        snapshot, state = await venue.snapshot(), venue.state.snapshot()
        batches = len(venue.executed)
        await venue.client.request("evm_mine")
        try:
            yield
        finally:
            await venue.revert(snapshot)
            venue.rewind(state, batches=batches)

    # --- challengers ---

    @asynccontextmanager
    async def challenging(
        self,
        name: str = CHALLENGER,
        folder: str = "challenger",
        policy: SnapshotPolicy | None = None,
    ) -> AsyncIterator[ChallengerService]:
        """A challenger that was opened; it moves when the test says so."""
        follower = FollowerConfig(
            l1_url=self.venue.server.url,
            rollup=self.venue.deployment.rollup,
            data_directory=self.directory / folder,
            snapshot_policy=policy or SnapshotPolicy(),
        )
        config = ChallengerConfig(follower, person(name).private)
        service = ChallengerService(config, self.venue.clock)
        try:
            await service.open()
            yield service
        finally:
            await service.close()

    @asynccontextmanager
    async def claiming(self) -> AsyncIterator[ClaimantService]:
        """A claimant that was opened; it moves when the test says so."""
        follower = FollowerConfig(
            l1_url=self.venue.server.url,
            rollup=self.venue.deployment.rollup,
            data_directory=self.directory / "claimant",
        )
        config = ClaimantConfig(follower, person(CLAIMANT).private)
        service = ClaimantService(config, self.venue.clock)
        try:
            await service.open()
            yield service
        finally:
            await service.close()

    # --- claims ---

    async def right_trace(self, service: ChallengerService, batch: int) -> DefendedTrace:
        while not await service.follower.attempt():
            pass
        return await service.challenge.traces.trace(batch)

    async def claim(self, name: str, trace: DefendedTrace, batch: int) -> None:
        header = self.venue.executed[batch - 1].header
        output = decode_output(trace.output)
        await self.venue.claim(name, output, trace.parent, header)

    async def record(self, claim: bytes) -> ClaimRecord:
        return await self.venue.reader.read(views.CLAIM_RECORD, claim)

    async def status(self, claim: bytes) -> ClaimStatus:
        return (await self.record(claim)).status

    async def confirmed(self) -> int:
        return (await self.venue.reader.read(views.CONFIRMED_HEAD)).batch

    async def settled(self, right: DefendedTrace, wrong: DefendedTrace) -> bool:
        """Whether the right one of two claims confirmed, and the other was rejected."""
        found = await self.status(right.claim), await self.status(wrong.claim)
        return found == (ClaimStatus.CONFIRMED, ClaimStatus.REJECTED)

    # --- disputes ---

    def player(self, name: str, trace: DefendedTrace) -> Player:
        return Player(self.venue.senders[name], self.reader.address, trace)

    async def contests(self) -> list[Contested]:
        first = self.venue.terms.deployed_at
        block = await self.venue.reader.block("latest")
        return await reading.contests(self.venue.reader, first, block)

    async def see(self, name: str, parent: bytes) -> Seen:
        """The dispute over the children of `parent`, as somebody sees it."""
        block = await self.venue.reader.block("latest")
        (contest,) = [one for one in await self.contests() if one.parent == parent]
        return await self.reader.see(contest, person(name).address, block)

    async def play(self, name: str, player: Player) -> list[Played]:
        """Every move of a liar that is due."""
        seen = await self.see(name, player.trace.parent)
        return await player.play(seen.standing, await self.venue.now() + 1)

    async def duel(self, service: ChallengerService, *liars: tuple[str, Player]) -> None:
        """In turns until nobody has a move left at this time."""
        for _ in range(ROUNDS_MAX):
            before = await self.venue.client.block_number()
            await act(service)
            for name, player in liars:
                await self.play(name, player)
            if await self.venue.client.block_number() == before:
                return
        raise AssertionError("the dispute does not come to rest")

    async def wait(self, service: ChallengerService, seconds: int) -> None:
        """Time passes, and the challenger sees what there is to do then."""
        await self.venue.mine(seconds)
        await act(service)


async def act(service: ChallengerService) -> None:
    """Every move of a challenger that is due."""
    while not await service.attempt():
        pass


async def settle(service: ClaimantService) -> None:
    """Every move of a claimant that is due."""
    while not await service.attempt():
        pass


def codes(service: ChallengerService) -> list[str]:
    """The reason codes of its problems."""
    return [problem.split(":")[0] for problem in service.problems()]


def contracts() -> Contracts:
    """All of them. Compiling takes a minute where the cache lacks them."""
    cache = cache_directory(os.environ)
    return Contracts.proving(lambda name: cached_artifact(name, cache))


@asynccontextmanager
async def disputed_venue(
    directory: Path, terms: DisputeParameters = TERMS
) -> AsyncIterator[DisputedVenue]:
    """Two batches that trade, of which nothing is claimed."""
    async with l1_venue(contracts=contracts(), disputes=terms) as venue:
        await venue.fund()
        await venue.trading_day(10)
        await venue.trading_day(20)
        yield DisputedVenue(venue, await DisputeReader.of(venue.reader), directory)
