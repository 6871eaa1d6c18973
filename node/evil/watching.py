"""Watching a dispute on L1: every event told in words, and time moved on where it must pass."""

import contextlib
from collections.abc import Awaitable, Callable

from contracts import views
from contracts.dispute_events import AdvancedLog
from node.clock import Clock
from node.devnet.outcome import StoryFailed
from node.devnet.people import LIAR, person
from node.devnet.story import Narrator
from node.disputes.course import player_of
from node.disputes.reading import DisputeEvent, DisputeReader, Seen
from node.errors import Retry
from node.evil.kinds import Kind
from node.evil.onlooker import Onlooker
from node.evil.outcome import Told
from node.evil.pacing import claim_due, dispute_due
from node.evil.telling import Left, left_at, name_of, short, words
from node.rollup import RollupReader
from node.rollup_events import BatchVoided, Claimed, Confirmed, Rejected, RollupEvent
from state.crypto import ZERO_ADDRESS

QUIET_SECONDS = 1.0
"""So long nothing must have happened on L1 before its clock is moved on."""

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 180.0


class Watcher:
    """Tells what happens on L1 around the first contested batch, and what each move cost."""

    def __init__(
        self, onlooker: Onlooker, clock: Clock, narrator: Narrator, *, kind: Kind, jumps: bool
    ) -> None:
        self.onlooker = onlooker
        self.told: list[Told] = []
        self.seen: Seen | None = None
        self.jumped = 0
        """Seconds that L1's clock was moved on."""
        self._reader: RollupReader = onlooker.reader
        self._clock = clock
        self._narrator = narrator
        self._kind = kind
        self._jumps = jumps
        self._disputes: DisputeReader | None = None
        self._count = 0
        self._changed = clock.monotonic()

    async def until(self, what: str, done: Callable[[], Awaitable[bool]]) -> None:
        """Tell and move time on until `done`; StoryFailed after PATIENCE_SECONDS without."""
        self._narrator.wait(f"waiting for {what}")
        deadline = self._clock.monotonic() + PATIENCE_SECONDS
        self._changed = self._clock.monotonic()
        while self._clock.monotonic() < deadline:
            await self.look_on()
            with contextlib.suppress(Retry):
                if await done():
                    return
                if self._jumps and self._clock.monotonic() - self._changed > QUIET_SECONDS:
                    await self._jump()
        raise StoryFailed(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}")

    async def look_on(self) -> None:
        """Tell what is new, and pause; an L1 that does not answer is asked again."""
        with contextlib.suppress(Retry):
            await self.look()
        await self._clock.sleep(POLL_SECONDS)

    async def look(self) -> None:
        """Tell what is new. StoryFailed where L1 has confirmed what is wrong."""
        for event in await self.onlooker.look():
            self._tell_of_claims(event)
        contested = self.onlooker.true.contests
        if not contested:
            return
        first = min(contest.batch for contest in contested)
        contest = [one for one in contested if one.batch == first][-1]
        block = await self._reader.block("latest")
        reader = await self.disputes()
        seen = await reader.see(contest, ZERO_ADDRESS, block)
        for logged in seen.events[self._count :]:
            await self._tell(logged, seen)
        self._count, self.seen = len(seen.events), seen

    async def disputes(self) -> DisputeReader:
        """The contract that the rollup names."""
        if self._disputes is None:
            self._disputes = await DisputeReader.of(self._reader)
        return self._disputes

    def _tell_of_claims(self, event: RollupEvent) -> None:
        line = self._claim_words(event)
        if line:
            self._narrator.detail(line)
            self._changed = self._clock.monotonic()

    def _claim_words(self, event: RollupEvent) -> str:
        match event:
            case Claimed():
                judged = self.onlooker.judged(event)
                return f"{name_of(event.claimant)} claims batch {event.batch}: {judged}"
            case BatchVoided():
                return f"L1 is shown that chunk {event.chunk} of batch {event.number} is malformed"
            case Confirmed():
                self._check(event)
                return f"the claim {short(event.claim)} on batch {event.batch} is confirmed"
            case Rejected():
                return f"the claim {short(event.claim)} on batch {event.batch} is rejected"
        return ""

    def _check(self, event: Confirmed) -> None:
        """The one thing that must never happen."""
        right = self.onlooker.true.batch(event.batch)
        if right is None or right.claim != event.claim:
            raise StoryFailed(f"L1 confirmed the wrong claim {short(event.claim)}")

    async def _tell(self, event: DisputeEvent, seen: Seen) -> None:
        owners = {name: name_of(one.owner) for name, one in seen.standing.entered.items()}
        batch = self.onlooker.true.batch(seen.contest.batch)
        line = words(event.log, batch.output.steps if batch else 0, owners)
        player = player_of(event.log)
        if player is not None:
            cost = await self._cost(event, name_of(player), line)
            self.told.append(cost)
            line = f"{line} ({cost.gas:,} gas)"
        if line:
            self._narrator.detail(line)
            self._changed = self._clock.monotonic()

    async def _cost(self, event: DisputeEvent, who: str, line: str) -> Told:
        receipt = await self._reader.client.receipt(event.transaction)
        gas, wei = (receipt.gas_used, receipt.wei) if receipt else (0, 0)
        log, left = event.log, Left(0, 0)
        if isinstance(log, AdvancedLog):
            left = left_at(log.height, log.index)
        return Told(who=who, what=line, first=left.first, last=left.last, gas=gas, wei=wei)

    async def _jump(self) -> None:
        """Move L1's clock to what is waited for next, if it is only time that is waited for."""
        now = (await self._reader.block("latest")).timestamp
        due = await self._due(now)
        if due is None or due <= now:
            return
        await self._reader.client.request("evm_increaseTime", due - now)
        await self._reader.client.request("evm_mine")
        self.jumped += due - now
        self._changed = self._clock.monotonic()
        self._narrator.detail(f"({due - now} s pass)")

    async def _due(self, now: int) -> int | None:
        """The next second that something waits for; None while somebody honest is to act: before
        the lie is contested time that passes would close its window.
        """
        lie, contests = self.onlooker.lie, self.onlooker.true.contests
        if lie is None or not any(contest.batch == lie.batch for contest in contests):
            return None
        if self.seen is not None:
            has_moved = any(told.who == LIAR and told.last for told in self.told)
            liar = person(LIAR).address
            due = dispute_due(self.seen, liar, self._kind, has_moved=has_moved)
            if due is None or due > now:
                return due
        head = await self._reader.read(views.CONFIRMED_HEAD)
        window = self.onlooker.true.terms.parameters.claim_window
        return claim_due(self.onlooker.claims, head, window)
