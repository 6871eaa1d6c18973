"""What the commands about disputes share: batches executed here, and what L1 shows."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import click
import structlog

from node.cli.asking import PATIENCE
from node.cli.bars import syncing
from node.cli.dispute_words import DecidedStep, WrongClaim
from node.cli.failures import Failure, told
from node.cli.options import deployment_option, json_option, l1_option, rollup_meant, rollup_option
from node.clock import SystemClock
from node.disputes.claims import right_contests
from node.disputes.costs import CostReader
from node.disputes.course import course
from node.disputes.reading import DisputeReader, Seen
from node.disputes.telling import DisputeFacts, dispute_facts, shown
from node.disputes.traces import Traces
from node.errors import Retry
from node.followed import Followed
from node.follower import FollowerConfig, FollowerService
from node.l1.client import L1Client
from node.proving.steps import pair_shown, rules_of, status_name
from node.rollup_events import Claimed, Contested
from prover.dispute.views import MatchStatus
from state.crypto import ZERO_ADDRESS

Command = TypeVar("Command", bound=Callable[..., object])
Answer = TypeVar("Answer")


def dispute_options(command: Command) -> Command:
    """--l1, --rollup or --deployment, --data, --json."""
    kept = click.option(
        "--data",
        type=click.Path(path_type=Path),
        help="Keep here what was read of L1, so that the next command begins where this one ends.",
    )
    return l1_option(rollup_option(deployment_option(kept(json_option(command)))))


@asynccontextmanager
async def executed(l1_url: str, rollup: bytes, data: Path | None) -> AsyncIterator[FollowerService]:
    """All batches of a rollup, executed from L1 alone; without `data`, kept nowhere."""
    # What is wrong with a claim is what these commands tell; a log would tell it twice.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        config = FollowerConfig(l1_url=l1_url, rollup=rollup, data_directory=data or Path(folder))
        clock = SystemClock()
        follower = FollowerService(
            config, clock, client=L1Client(l1_url, clock=clock, patience=PATIENCE)
        )
        try:
            await follower.open()
            async with syncing(follower, clock):
                await catch_up(follower)
            yield follower
        finally:
            await follower.close()


async def catch_up(follower: FollowerService) -> None:
    """Execute what is new. Retry where L1 does not answer."""
    while not await follower.attempt():
        pass
    if follower.is_behind:
        raise Retry("; ".join(follower.problems()))


def with_executed(
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path | None,
    work: Callable[[FollowerService], Awaitable[Answer]],
) -> Answer:
    """What `work` comes to with everything that L1 has, executed here."""

    async def run(address: bytes) -> Answer:
        async with executed(l1_url, address, data) as follower:
            return await work(follower)

    with told():
        return asyncio.run(run(rollup_meant(rollup, deployment)))


class Looking:
    """Reads disputes for somebody who only watches."""

    def __init__(self, follower: FollowerService, traces: Traces | None = None) -> None:
        self.follower = follower
        self._traces = traces or Traces(follower)
        self._costs = CostReader(follower.client)
        self._reader: DisputeReader | None = None

    @property
    def followed(self) -> Followed:
        """What was executed."""
        assert self.follower.followed is not None, "`executed` has read L1"
        return self.follower.followed

    def check_posted(self, batch: int) -> None:
        """Failure where L1 has no such batch."""
        if batch > self.followed.number:
            raise Failure(f"NO_SUCH_BATCH: L1 has batches 1 to {self.followed.number}")

    async def disputes(self) -> list[Seen]:
        """The last dispute over every parent, by batch."""
        latest: dict[bytes, Contested] = {one.parent: one for one in self.followed.contests}
        block = await self.follower.reader.block("latest")
        reader = await self.reader()
        found = [await reader.see(one, ZERO_ADDRESS, block) for one in latest.values()]
        return sorted(found, key=lambda seen: seen.contest.batch)

    async def reader(self) -> DisputeReader:
        """The contract of disputes. Halt where the rollup has none."""
        if self._reader is None:
            self._reader = await DisputeReader.of(self.follower.reader)
        return self._reader

    async def facts(self, seen: Seen) -> DisputeFacts:
        """A dispute in words and figures."""
        costs = await self._costs.costs(course(seen, self.followed))
        now = max(seen.block.timestamp, int(self.follower.clock.now()))
        return dispute_facts(seen, self.followed, now, costs)

    async def decided(self, seen: Seen) -> dict[str, DecidedStep]:
        """Of every match that came down to one step, which one that is."""
        found = {}
        is_right = seen.contest.batch <= self.followed.number and (
            seen.contest.parent == self.followed.claim_on(seen.contest.batch - 1)
        )
        for name, match in seen.standing.matches.items():
            if is_right and match.height == 0 and match.status != MatchStatus.UNKNOWN:
                found[shown(name)] = await self.step(seen.contest.batch, match.index + 1)
        return found

    async def step(self, batch: int, number: int) -> DecidedStep:
        """Step `number` of a batch in words; behind HALT nothing happens any more."""
        trace = await self._traces.trace(batch)
        if number > len(trace.leaves):
            return DecidedStep(step=number, kind="REST", status="", rules=())
        pair = pair_shown(await self._traces.step(batch, number))
        return DecidedStep(
            step=number, kind=str(pair[0]), status=status_name(pair), rules=rules_of(pair)
        )

    def to_open(self) -> int:
        """The batch to dispute where none is named. Failure where none can be."""
        wrong = disputable(self.followed)
        if not wrong:
            raise Failure(
                "NOTHING_WRONG: every claim that can still be disputed is right; tallystick "
                "dispute list has all that were not"
            )
        return wrong[0]

    def undisputed(self) -> int | None:
        """The first batch of those to dispute, as long as it is not contested."""
        contested = {contest.batch for contest in right_contests(self.followed)}
        return next(
            (batch for batch in disputable(self.followed)[:1] if batch not in contested), None
        )

    def in_dispute(self) -> int:
        """The batch to move on where none is named: the first unsettled one, else the last that was
        disputed. Failure where nothing ever was wrong.
        """
        contested = [contest.batch for contest in right_contests(self.followed)]
        unsettled = {batch for batch in contested if batch > self.followed.confirmed}
        unsettled.update(disputable(self.followed))
        if unsettled:
            return min(unsettled)
        if not contested:
            raise Failure("NOTHING_WRONG: every claim is right, and none was ever disputed")
        return contested[-1]

    def wrong_claims(self) -> list[WrongClaim]:
        """Every claim that is not what was executed here."""
        followed = self.followed
        fallen = followed.fallen()
        return [
            WrongClaim(
                batch=claim.batch,
                claim=shown(claim.claim),
                claimant=shown(claim.claimant),
                status=claim_status(followed, claim, fallen),
                difference=followed.difference(claim),
            )
            for claim in followed.wrong_claims
        ]


def disputable(followed: Followed) -> list[int]:
    """Every unsettled batch with a wrong claim on the right parent, in order.

    What descends from a wrong claim needs no dispute of its own: it falls with that.
    """
    return sorted(
        {
            claim.batch
            for claim in followed.wrong_claims
            if claim.batch > followed.confirmed
            and claim.claim not in followed.confirmations
            and claim.parent == followed.claim_on(claim.batch - 1)
        }
    )


def claim_status(followed: Followed, claim: Claimed, fallen: Set[bytes]) -> str:
    """confirmed, rejected, fallen (with the claim that it descends from), contested or pending"""
    if claim.claim in followed.confirmations:
        return "confirmed"
    if claim.claim in followed.rejections:
        return "rejected"
    if claim.claim in fallen:
        return "fallen"
    is_contested = any(contest.parent == claim.parent for contest in followed.contests)
    return "contested" if is_contested else "pending"
