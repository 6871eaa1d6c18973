"""Who is on stage: three traders, a liar, and what they send for a lie to bite on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from node.clock import Clock
from node.devnet.acts import Stage, stage_of
from node.devnet.desk import Desk
from node.devnet.outcome import StoryFailed, expect
from node.devnet.people import LIAR, SEQUENCER, person
from node.devnet.venue import RunningVenue
from node.devnet.waiting import found_in_time
from node.evil.kinds import Kind
from node.evil.posting import post_rows
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rpc.client import VenueClient, VenueError
from node.rpc.messages import digest_of
from node.rpc.results import AccountSummary, SubmitReceipt
from node.settlement import deposit
from node.signatures import sign
from state.chunks import Row
from state.orders import BUY, SELL, Life
from state.transactions import NewOrder, Withdraw, encode_transaction

HONEST = ("alice", "bob", "carol")
DOLLAR = 10**6
DEPOSIT, STAKE = 25_000 * DOLLAR, 100 * DOLLAR
"""What an honest trader pays in, and what the liar does."""

BEYOND = 6_000 * DOLLAR
"""What the liar asks for who forgets about margin."""

PAID_IN_LATE = 5_000 * DOLLAR
PATIENCE_SECONDS = 90.0
TRIES = 10

Found = TypeVar("Found")


class Cast:
    """People with accounts on both layers of one venue."""

    def __init__(
        self, venue: RunningVenue, sequencer: VenueClient, l1: L1Client, clock: Clock
    ) -> None:
        self.reader = RollupReader(l1, venue.deployment.rollup)
        self.sequencer = sequencer
        self.desks: dict[str, Desk] = {}
        self._clock = clock
        self.senders = {
            name: TransactionSender(
                l1, person(name).private_key, clock, chain_id=venue.deployment.chain_id
            )
            for name in (*HONEST, SEQUENCER, LIAR)
        }

    async def pay_in(self) -> None:
        """Everybody deposits on L1 and finds an account on L2."""
        names = (*HONEST, LIAR)
        desks = await asyncio.gather(*(self._pay_in(name) for name in names))
        self.desks = dict(zip(names, desks, strict=True))

    async def _pay_in(self, name: str) -> Desk:
        amount = STAKE if name == LIAR else DEPOSIT
        done = await deposit(self.reader, self.senders[name], amount)
        account = await self.until(f"{name}'s deposit on L2", lambda: self._account(done.account))
        return Desk(
            *(name, self.sequencer, person(name).private_key, done.account, self._clock),
            sequence=account.next_sequence - 1,
        )

    async def _account(self, number: int) -> AccountSummary | None:
        try:
            return await self.sequencer.account(number)
        except VenueError:
            return None

    async def trade(self) -> int:
        """Alice and carol offer, carol for less, and bob buys what one of them offers.

        The batch that it is in.
        """
        for _ in range(TRIES):
            stage = await self.stage()
            asks = (("alice", 2), ("carol", 1))
            await asyncio.gather(*(self._offer(name, stage, above) for name, above in asks))
            bought = await self.desks["bob"].send(self._taker(stage))
            is_taken = isinstance(bought, SubmitReceipt) and bought.filled_lots == stage.lots
            if isinstance(bought, SubmitReceipt) and is_taken and bought.batch is not None:
                return bought.batch
        raise StoryFailed("bob could not buy what alice and carol offered: the market moved away")

    async def stage(self) -> Stage:
        """The first market, once it has a fresh price."""

        async def priced() -> Stage | None:
            market = (await self.sequencer.markets())[0]
            return stage_of(market) if market.price_age.fresh else None

        return await self.until("a price", priced)

    async def _offer(self, name: str, stage: Stage, above: int) -> None:
        desk = self.desks[name]
        ticks = stage.mark + above
        await desk.send(desk.draft(stage.number, SELL, ticks=ticks, lots=stage.lots))

    def _taker(self, stage: Stage) -> NewOrder:
        ticks = stage.mark + 3
        bob = self.desks["bob"]
        return bob.draft(stage.number, BUY, ticks=ticks, lots=stage.lots, life=Life.IOC)

    async def withdraw(self, amount: int) -> tuple[int, int]:
        """Alice asks for her own money; the withdrawal's index and its batch."""
        desk = self.desks["alice"]
        receipt = await self.sequencer.sign_and_submit(
            person("alice").private_key, self._withdrawal("alice", desk.next_sequence(), amount)
        )
        if receipt.withdrawal is None or receipt.batch is None:
            raise StoryFailed(f"alice's withdrawal came to {receipt.status}")
        return receipt.withdrawal, receipt.batch

    def _withdrawal(self, name: str, sequence: int, amount: int) -> Withdraw:
        desk = self.desks[name]
        return Withdraw(desk.account, sequence, person(name).address, amount, desk.expiry)

    async def bait(self, kind: Kind) -> int | None:
        """What such a lie needs, sent as anybody would; the last batch of it where that is known.

        Not for those that take a lying sequencer.
        """
        if kind == Kind.MARGIN:
            await self._ask_beyond_margin()
            return None
        if kind == Kind.INBOX:
            await deposit(self.reader, self.senders["carol"], PAID_IN_LATE)
            return None
        return await self.trade()

    async def _ask_beyond_margin(self) -> None:
        """The venue says no, and posts that it was asked: the sequence number is used."""
        desk = self.desks[LIAR]
        asked = self._withdrawal(LIAR, desk.next_sequence(), BEYOND)
        try:
            await self.sequencer.sign_and_submit(person(LIAR).private_key, asked)
        except VenueError as refusal:
            expect("what the venue says to the liar", refusal.reason, "margin_too_low")
        else:
            raise StoryFailed("the venue let the liar withdraw beyond margin")

    async def signed(self, kind: Kind) -> list[Row]:
        """Alice offers enough for two and bob buys one; for SEQUENCE his order comes twice."""
        stage = await self.stage()
        alice = self.desks["alice"]
        offer = alice.draft(stage.number, SELL, ticks=stage.mark + 1, lots=2 * stage.lots)
        rows = [await self._row("alice", offer), await self._row("bob", self._taker(stage))]
        return [*rows, *(rows[-1:] if kind == Kind.SEQUENCE else [])]

    async def post(self, kind: Kind, rows: list[Row]) -> int:
        """Post `rows` in the sequencer's place, for CHUNK in a chunk that is malformed."""
        sender = self.senders[SEQUENCER]
        return await post_rows(self.reader, sender, rows, is_sound=kind != Kind.CHUNK)

    async def _row(self, name: str, tx: NewOrder) -> Row:
        kind, row = encode_transaction(tx)
        digest = digest_of(await self.sequencer.domain(), tx)
        return Row(kind, row, sign(digest, person(name).private_key))

    async def until(self, what: str, look: Callable[[], Awaitable[Found | None]]) -> Found:
        """What `look` finds, asked again and again; StoryFailed after PATIENCE_SECONDS."""
        return await found_in_time(self._clock, PATIENCE_SECONDS, what, look)
