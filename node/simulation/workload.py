"""What people do at the venue: deposits, prices, orders of every life, cancels, withdrawals."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from random import Random

from contracts import calls, views
from node.errors import L1Error, Retry
from node.l1.sender import TransactionReverted, TransactionSender
from node.simulation.clients import GAS, Client
from node.simulation.deployment import DOLLAR_MICRO, MARK, TICKS
from node.simulation.faults import Faults
from node.simulation.l1 import SimulatedL1
from node.simulation.trace import Trace
from state.orders import Flags, Life, SelfTrade, encode_flags
from state.transactions import Cancel, NewOrder, SignedPrice, Transfer, Withdraw

DOLLAR = 10**9
RECENT = 12
"""Orders that a trader remembers, to cancel them."""


class Market:
    """Where prices are, as everybody in the story sees it."""

    def __init__(self) -> None:
        self.marks = [MARK, MARK]

    def move(self, market: int, random: Random) -> int:
        """The next price of a market: mostly near the last."""
        change = random.choice((1, 1, 3, 9)) * random.randint(-10, 10)
        self.marks[market] = max(10_000, self.marks[market] * (1_000 + change) // 1_000)
        return self.marks[market]


class Trader:
    """One owner with one or two accounts, who acts until told to stop."""

    def __init__(
        self,
        client: Client,
        l1: SimulatedL1,
        sender: TransactionSender,
        market: Market,
        faults: Faults,
        trace: Trace,
    ) -> None:
        self.client = client
        self.sequences = count(1)
        self._l1 = l1
        self._sender = sender
        self._market = market
        self._trace = trace
        self._random = faults.random(f"trader {client.name}")
        self._pause = self._random.choice((1.0, 3.0, 6.0))
        self._orders: deque[int] = deque(maxlen=RECENT)

    async def run(self, stop: asyncio.Event) -> None:
        """Deposit, then do one thing after the other."""
        await self.deposit()
        actions: list[Callable[[], Awaitable[None]]] = [
            *[self.order] * 14,
            *[self.burst] * 2,
            *[self.cancel] * 3,
            *[self.withdraw] * 2,
            self.transfer,
            self.deposit,
            partial(self.deposit, 1),
        ]
        while not stop.is_set():
            await self._random.choice(actions)()
            await asyncio.sleep(self._random.uniform(0.0, 2 * self._pause))

    async def account(self, subaccount: int = 0) -> int:
        """The number that L1 gave this owner; zero while it has none (any more)."""
        try:
            owner = await self._l1.reader.read(views.OWNER_NUMBERS, self.client.address)
        except (Retry, L1Error):
            return 0
        return owner << 8 | subaccount if owner else 0

    async def deposit(self, subaccount: int = 0) -> None:
        """To an account of one's own; that one is open once it has been paid into."""
        dollars = self._random.choice((20, 300, 2_000, 50_000))
        data = calls.deposit(amount=dollars * DOLLAR_MICRO, subaccount=subaccount)
        try:
            await asyncio.wait_for(
                self._sender.send(self._l1.reader.address, data, gas=GAS),
                self._random.uniform(5, 60),
            )
        except (Retry, L1Error, TransactionReverted, TimeoutError) as error:
            self._trace.add(self.client.name, "no deposit", why=type(error).__name__)
        else:
            self._trace.add(self.client.name, "deposited", dollars=dollars)

    async def order(self) -> None:
        account = await self.account(self._random.choice((0, 0, 0, 1)))
        if account:
            await self.client.submit(self.new_order(account))

    async def burst(self) -> None:
        """Several at once, which may overtake each other."""
        account = await self.account()
        if account:
            orders = [self.new_order(account) for _ in range(self._random.randint(2, 6))]
            await asyncio.gather(*(self.client.submit(order) for order in orders))

    def new_order(self, account: int) -> NewOrder:
        """Near the mark, one half of them crossing; sizes from dust to too much."""
        r = self._random
        market, side = r.choice((0, 0, 1)), r.randrange(2)
        around = self._market.marks[market] // TICKS[market]
        ticks = max(1, around + r.randint(-around // 100, around // 100))
        lots = r.randint(1, r.choice((10, 1_000, 4_000) if market else (1_000, 20_000, 500_000)))
        is_market = r.random() < 0.15
        life = r.choice((Life.IOC, Life.FOK) if is_market else (*Life, Life.GTC, Life.GTC))
        flags = Flags(side, is_market, life, r.random() < 0.15, r.choice(tuple(SelfTrade)))
        sequence = next(self.sequences)
        self._orders.append(sequence)
        expiry = self._l1.timestamp + r.choice((20, 90, 600, 600, 3_600))
        return NewOrder(
            *(account, 0, sequence, market),
            *(encode_flags(flags), 0 if is_market else ticks, lots, expiry),
        )

    async def cancel(self) -> None:
        account = await self.account()
        if account and self._orders:
            target = self._random.choice(self._orders)
            expiry = self._l1.timestamp + 600
            await self.client.submit(Cancel(account, 0, next(self.sequences), 0, target, expiry))

    async def withdraw(self) -> None:
        account = await self.account()
        if account:
            micro = self._random.choice((1, 5, 40, 700)) * DOLLAR_MICRO
            expiry = self._l1.timestamp + 600
            await self.client.submit(
                Withdraw(account, next(self.sequences), self.client.address, micro, expiry)
            )

    async def transfer(self) -> None:
        account = await self.account()
        if account:
            nano = self._random.randint(1, 90 * DOLLAR)
            expiry = self._l1.timestamp + 600
            await self.client.submit(
                Transfer(account, next(self.sequences), account + 1, nano, expiry)
            )


class Publisher:
    """Signs what the markets cost, at a time of L1 that the sequencer should know by now."""

    LAG = 5

    def __init__(self, client: Client, l1: SimulatedL1, market: Market, faults: Faults) -> None:
        self.client = client
        self._l1 = l1
        self._market = market
        self._random = faults.random("publisher")

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for market in (0, 1):
                await self.publish(market)
            await asyncio.sleep(self._random.uniform(4.0, 16.0))

    async def publish(self, market: int) -> bool:
        """Whether the venue took it."""
        price = self._market.move(market, self._random)
        seen = self._l1.timestamp - self.LAG
        receipt = await self.client.submit(SignedPrice(market, price, seen), tries=2)
        return receipt is not None and bool(receipt.steps)
