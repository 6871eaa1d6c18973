"""The story of a lie: told on L1 under bond, contradicted, taken apart, and paid for.

The liar, the challenger, the sequencer and the follower are processes of their own. What is
checked in the end is read off L1: claims, balances, credits.
"""

import asyncio

from msgspec.structs import replace

from contracts import views
from node.clock import Clock
from node.devnet.outcome import StoryFailed
from node.devnet.people import CHALLENGER, CLAIMANT, LIAR, person
from node.devnet.story import Narrator
from node.devnet.supervisor import Supervisor
from node.devnet.venue import RunningVenue
from node.evil.cast import Cast
from node.evil.kinds import IN_WORDS, LYING_SEQUENCER, Kind
from node.evil.onlooker import Onlooker
from node.evil.outcome import EvilOutcome
from node.evil.reckoning import Reckoning
from node.evil.watching import Watcher
from node.l1.client import L1Client
from node.rpc.amounts import usdc
from node.rpc.client import VenueClient

WITHDRAWAL = 1_000 * 10**6


class EvilStory:
    """Plays on a running venue whose claimant has not been started; a challenger runs already."""

    def __init__(
        self,
        venue: RunningVenue,
        kind: Kind,
        *,
        supervisor: Supervisor,
        sequencer: VenueClient,
        follower: VenueClient,
        l1: L1Client,
        clock: Clock,
        narrator: Narrator,
        jumps: bool,
    ) -> None:
        self.kind = kind
        self.cast = Cast(venue, sequencer, l1, clock)
        self.onlooker = Onlooker(self.cast.reader, kind=kind, liar=person(LIAR).address)
        self.watcher = Watcher(self.onlooker, clock, narrator, kind=kind, jumps=jumps)
        self._venue = venue
        self._supervisor = supervisor
        self._follower = follower
        self._l1 = l1
        self._clock = clock
        self._narrator = narrator
        self._first_block = 0
        self._before = 0
        self._withdrawal = 0
        self._has_claimant = False
        self._last = 0
        """The last batch that is waited for."""

    async def play(self) -> EvilOutcome:
        """The whole story. StoryFailed at the first thing that does not hold."""
        began = self._clock.monotonic()
        await self.set_the_scene()
        await self.lie()
        await self.dispute()
        return await self.reckoning(began)

    async def stand(self) -> None:
        """The trade and the lie, and then whatever becomes of it, told until cancelled."""
        await self.set_the_scene()
        await self.lie()
        try:
            await self._look_on()
        except StoryFailed as failed:
            self._narrator.step(f"{failed}: nobody contradicted it in time")
            # What stands on L1 can still be looked at.
            await asyncio.Event().wait()

    async def _look_on(self) -> None:
        while True:
            await self.watcher.look_on()
            lie, head = self.onlooker.lie, await self.cast.reader.read(views.CONFIRMED_HEAD)
            is_over = lie is not None and head.batch >= lie.batch
            if is_over and head.claim == self.onlooker.true.claim_on(head.batch):
                await self._start_claimant()

    # --- the trade, and the lie ---

    async def set_the_scene(self) -> None:
        """Deposits, a trade, and money that alice wants back."""
        await self.onlooker.open()
        self._first_block = await self._l1.block_number()
        self._before = await self._l1.balance(person(CHALLENGER).address)
        await self.cast.pay_in()
        batch = await self.cast.trade()
        self._narrator.step("alice, bob and carol pay in on L1, and trade; judy pays in 100 USDC")
        if self.kind in LYING_SEQUENCER:
            await self._ask_for_money()
            batch = self._last
        await self._until_posted(batch)

    async def _ask_for_money(self) -> None:
        self._withdrawal, self._last = await self.cast.withdraw(WITHDRAWAL)
        self._narrator.step(f"alice withdraws {usdc(WITHDRAWAL)} USDC, in batch {self._last}")

    async def _until_posted(self, batch: int) -> None:
        async def is_posted() -> bool:
            return (await self.cast.sequencer.status()).safe >= batch

        await self.cast.until(f"batch {batch} on L1", is_posted)

    async def lie(self) -> None:
        """The liar takes the claimant's place, and finds something to lie about."""
        self._narrator.step(f"judy claims from now on; her lie: {IN_WORDS[self.kind]}")
        if self.kind in LYING_SEQUENCER:
            rows = await self.cast.signed(self.kind)
            await self._take_over()
            first = (await self.cast.reader.read(views.HEAD)).number + 1
            await self._start_liar(first)
            self._last = await self.cast.post(self.kind, rows)
            return
        await self._ask_for_money()
        await self._start_liar(self._last)
        baited = await self.cast.bait(self.kind)
        self._last = max(self._last, baited or 0)

    async def _take_over(self) -> None:
        """The sequencer falls silent, and judy has its key."""
        await self._supervisor.end("bots")
        status = await self.cast.sequencer.status()
        await self._until_posted(status.unsafe)
        await self._supervisor.end("sequencer")
        self._narrator.detail("the sequencer falls silent; whoever posts now has its key")

    async def _start_liar(self, first: int) -> None:
        self.onlooker.suspect(first)
        place = ("--l1", self._venue.l1, "--rollup", self._venue.rollup, "--from", LIAR)
        words = ("propose-evil", *place, "--kind", self.kind.value, "--from-batch", str(first))
        await self._supervisor.ready(await self._supervisor.start("evil-proposer", words))

    # --- the dispute ---

    async def dispute(self) -> None:
        """From the wrong claim to the right one's confirmation, and everybody's money."""

        async def is_claimed() -> bool:
            lie = self.onlooker.lie
            return lie is not None and any(one.claim == lie.claim for one in self.onlooker.claims)

        await self.watcher.until("the lie", is_claimed)
        lie = self.onlooker.lie
        assert lie is not None
        self._last = max(self._last, lie.batch)
        self._narrator.step(f"batch {lie.batch} is claimed wrongly, from step {lie.first_wrong} on")
        await self._rest()

        async def is_decided() -> bool:
            return await self._confirmed() >= lie.batch

        await self.watcher.until(f"the end of the dispute over batch {lie.batch}", is_decided)
        await self.watcher.look()
        self._narrator.step(f"the right claim on batch {lie.batch} is confirmed")

    async def _rest(self) -> None:
        """Nothing more is traded, so that L1's clock can be moved on."""
        running = {child.name for child in self._supervisor.children}
        if "bots" in running:
            await self._supervisor.end("bots")
            await self._until_posted((await self.cast.sequencer.status()).unsafe)
            await self._supervisor.end("sequencer")

    async def _confirmed(self) -> int:
        return (await self.cast.reader.read(views.CONFIRMED_HEAD)).batch

    async def _start_claimant(self) -> None:
        if self._has_claimant:
            return
        self._has_claimant = True
        data = str(self._venue.directory / "claimant")
        place = ("--l1", self._venue.l1, "--rollup", self._venue.rollup, "--data", data)
        await self._supervisor.start("claimant", ("claim", *place, "--from", CLAIMANT))
        self._narrator.step("an honest claimant goes on where the liar left")

    # --- the end ---

    async def reckoning(self, began: float) -> EvilOutcome:
        """An honest claimant goes on where the liar left, and everything is counted."""
        last = (await self.cast.reader.read(views.HEAD)).number
        if await self._confirmed() < last:
            await self._start_claimant()
        reckoning = Reckoning(
            self._venue,
            self.kind,
            onlooker=self.onlooker,
            watcher=self.watcher,
            narrator=self._narrator,
            first_block=self._first_block,
            before=self._before,
        )

        async def is_settled() -> bool:
            return await self._confirmed() >= last and await reckoning.is_paid_out(last)

        await self.watcher.until("the last claim and the last bond", is_settled)
        outcome = await reckoning.outcome(
            last,
            liar=self.cast.senders[LIAR],
            payer=self.cast.senders["bob"],
            follower=self._follower,
            withdrawal=self._withdrawal,
        )
        seconds = self._clock.monotonic() - began
        return replace(outcome, seconds=round(seconds, 2))
