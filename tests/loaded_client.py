"""Clients that never stop trading, and keep their own list of what they were told.

A client without an answer sends the same signed message again until it has one. If the first
had been taken, the answer is the one that got lost, or at least that its number is used.
"""

import asyncio
from dataclasses import dataclass
from random import Random

from killed_venue import DOLLAR_MICRO, KilledVenue

from node.clock import SystemClock
from node.devnet.people import PUBLISHER, TRADERS, person
from node.errors import Retry
from node.rpc.client import VenueClient, VenueError
from node.rpc.messages import Signed, digest_of, message_of
from node.settlement import deposit
from node.signatures import sign
from state.eip712 import Domain, domain
from state.orders import Flags, Life, SelfTrade, encode_flags
from state.transactions import (
    Amend,
    Cancel,
    CancelAll,
    NewOrder,
    SignedPrice,
    Transfer,
    Withdraw,
)

MARK_TICKS = 600_000
TICK = 100
SPREAD_TICKS = 40
LIFE_SECONDS = 3_600
RESTING_MAX = 40
PAUSE_SECONDS = 0.06
AGAIN_SECONDS = 0.1
LIVES = (*[Life.GTC] * 6, Life.IOC, Life.IOC, Life.FOK, Life.POST_ONLY)


@dataclass(frozen=True)
class Told:
    """What a client was told of a transaction: its status, and the lots it traded at once."""

    tx: Signed
    status: int
    filled: int


class Client:
    """One signer. `acknowledged` and `learned` are by signature.

    `learned` are the transactions whose answer got lost, and which turned out to be taken.
    """

    def __init__(self, venue: VenueClient, on: Domain, private_key: bytes, random: Random) -> None:
        self.venue = venue
        self.random = random
        self.acknowledged: dict[bytes, Told] = {}
        self.learned: dict[bytes, Signed] = {}
        self.resent = 0
        self._domain = on
        self._private_key = private_key
        self._clock = SystemClock()

    @property
    def expiry(self) -> int:
        return int(self._clock.now()) + LIFE_SECONDS

    async def send(self, tx: Signed) -> Told | None:
        """What the sequencer says in the end; None where the answer was lost."""
        signature = sign(digest_of(self._domain, tx), self._private_key)
        kind, message = message_of(tx)
        is_resent = False
        while True:
            try:
                receipt = await self.venue.submit(kind, message, signature)
            except Retry:
                is_resent = True
            except VenueError as error:
                if error.reason != "unavailable":
                    return self._refused(tx, signature, error, is_resent)
            else:
                told = Told(tx, receipt.status_number, receipt.filled_lots)
                self.acknowledged[signature] = told
                return told
            self.resent += 1
            await asyncio.sleep(AGAIN_SECONDS)

    def _refused(
        self, tx: Signed, signature: bytes, error: VenueError, is_resent: bool
    ) -> Told | None:
        if error.reason == "sequence_used" and is_resent:
            self.learned[signature] = tx
            return None
        if isinstance(tx, SignedPrice):
            return None
        # A refusal that used up the sequence number is sequenced like anything else.
        assert error.data.get("sequenceConsumed"), f"{tx}: {error}"
        told = Told(tx, int(error.data["status"]), 0)
        self.acknowledged[signature] = told
        return told


class Trader(Client):
    """Orders of every life, amends, cancels, transfers and withdrawals of one account."""

    def __init__(
        self,
        venue: VenueClient,
        on: Domain,
        *,
        name: str,
        account: int,
        sibling: int,
        random: Random,
    ) -> None:
        super().__init__(venue, on, person(name).private_key, random)
        self._account, self._sibling = account, sibling
        self._recipient = person(name).address
        self._sequence = 0
        self._resting: list[int] = []

    async def trade(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            tx = self._next()
            told = await self.send(tx)
            # What was not answered may rest: a cancel tells.
            if isinstance(tx, NewOrder) and (told is None or told.filled < tx.lots):
                self._resting.append(tx.sequence)
            await asyncio.sleep(self.random.uniform(0, PAUSE_SECONDS))

    def _next(self) -> Signed:
        self._sequence += 1
        chance = self.random.random()
        if len(self._resting) >= RESTING_MAX or (self._resting and chance < 0.15):
            return self._cancel()
        if self._resting and chance < 0.22:
            return self._amend()
        if chance < 0.23:
            return CancelAll(self._account, 0, self._sequence, 1, 0, self.expiry)
        if chance < 0.28:
            amount = self.random.randint(1, 10**12)
            return Transfer(self._account, self._sequence, self._sibling, amount, self.expiry)
        if chance < 0.31:
            micro = self.random.randint(1, 10 * DOLLAR_MICRO)
            return Withdraw(self._account, self._sequence, self._recipient, micro, self.expiry)
        return self._order()

    def _cancel(self) -> Cancel:
        order = self._resting.pop(self.random.randrange(len(self._resting)))
        return Cancel(self._account, 0, self._sequence, 0, order, self.expiry)

    def _amend(self) -> Amend:
        order = self.random.choice(self._resting)
        return Amend(
            *(self._account, 0, self._sequence, 0, order),
            *(self._ticks(), self.random.randint(100, 2_000), self.expiry),
        )

    def _ticks(self) -> int:
        return MARK_TICKS + self.random.randint(-SPREAD_TICKS, SPREAD_TICKS)

    def _order(self) -> NewOrder:
        flags = Flags(
            side=self.random.randrange(2),
            life=self.random.choice(LIVES),
            self_trade=self.random.choice(list(SelfTrade)),
        )
        return NewOrder(
            *(self._account, 0, self._sequence, 0),
            *(encode_flags(flags), self._ticks(), self.random.randint(100, 2_000), self.expiry),
        )


class Publisher(Client):
    """A price each time the venue's clock has moved."""

    async def publish(self, stop: asyncio.Event) -> None:
        last = 0
        while not stop.is_set():
            time = await self._time()
            if time > last:
                last = time
                ticks = MARK_TICKS + self.random.randint(-SPREAD_TICKS, SPREAD_TICKS)
                await self.send(SignedPrice(0, TICK * ticks, time))
            await asyncio.sleep(0.2)

    async def _time(self) -> int:
        try:
            return (await self.venue.status()).time
        except (Retry, VenueError):
            return 0


class Load:
    """All clients of a venue at work at once, each from its own stream of chance."""

    def __init__(self, venue: KilledVenue, client: VenueClient, seed: int) -> None:
        on = domain(venue.deployment.chain_id, venue.deployment.rollup)
        self.venue = venue
        self.traders = [
            Trader(
                client,
                on,
                name=name,
                account=number,
                sibling=venue.accounts[name, 1 - subaccount],
                random=Random(f"{seed} {number}"),  # noqa: S311  (a seed repeats the load)
            )
            for (name, subaccount), number in sorted(venue.accounts.items())
        ]
        key = person(PUBLISHER).private_key
        self.publisher = Publisher(client, on, key, Random(f"{seed} publisher"))  # noqa: S311
        self.random = Random(f"{seed} deposits")  # noqa: S311
        self.deposited = 0
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def acknowledged(self) -> dict[bytes, Told]:
        """Every trader's list; prices, which a later one may overtake, are not in it."""
        return {key: told for each in self.traders for key, told in each.acknowledged.items()}

    @property
    def learned(self) -> dict[bytes, Signed]:
        return {key: tx for each in self.traders for key, tx in each.learned.items()}

    async def start(self) -> None:
        """Begins with a price, without which no order is taken."""
        works = [self.publisher.publish(self._stop)]
        self._tasks = [asyncio.create_task(work) for work in works]
        while not self.publisher.acknowledged:
            self.check()
            await asyncio.sleep(AGAIN_SECONDS)
        works = [each.trade(self._stop) for each in self.traders]
        self._tasks += [asyncio.create_task(work) for work in (*works, self._pay_in())]

    def check(self) -> None:
        """Raise what ended a client."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Let every client have its last answer."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _pay_in(self) -> None:
        """Deposits on L1, so that there are inbox items between the transactions."""
        while not self._stop.is_set():
            name = self.random.choice(TRADERS)
            micro = self.random.randint(1, 100 * DOLLAR_MICRO)
            await deposit(self.venue.reader, self.venue.senders[name], micro)
            self.deposited += micro
            await asyncio.sleep(self.random.uniform(0, 3))
