"""What people do at the venue: deposits, prices, trades of every kind, keys, withdrawals."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from contracts import calls, views
from node.errors import L1Error, Retry
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from node.signatures import address_of
from node.simulation.clients import GAS, Client
from node.simulation.deployment import DOLLAR_MICRO
from node.simulation.drafts import Drafts, Market
from node.simulation.faults import Faults
from node.simulation.l1 import SimulatedL1
from node.simulation.referee import Referee
from node.simulation.trace import Trace
from state.crypto import keccak
from state.transactions import SignedPrice

Act = Callable[[], Awaitable[None]]


class Trader:
    """One owner with two accounts and a bot, who acts until told to stop."""

    def __init__(
        self,
        client: Client,
        l1: SimulatedL1,
        sender: TransactionSender,
        referee: Referee,
        market: Market,
        faults: Faults,
        trace: Trace,
    ) -> None:
        self.client = client
        self.peers: list[Trader] = []
        self._l1 = l1
        self._sender = sender
        self._referee = referee
        self._trace = trace
        self._random = faults.random(f"trader {client.name}")
        self._pause = self._random.choice((1.0, 3.0, 6.0))
        self._bot = keccak(f"the bot of {client.name}".encode())
        self.drafts = Drafts(self._random, market, lambda: l1.timestamp)

    async def run(self, stop: asyncio.Event) -> None:
        """Deposit, then do one thing after the other."""
        await self.deposit()
        actions: list[Act] = [
            *[self.order] * 12,
            *[self.burst] * 2,
            *[self.cancel] * 3,
            *[self.amend] * 2,
            *[self.withdraw] * 2,
            *[self.add_key, self.revoke_key, self.revoke_on_l1, self.trade_block],
            *[self.transfer, self.deposit],
            partial(self.deposit, 1),
        ]
        while not stop.is_set():
            await self._random.choice(actions)()
            await asyncio.sleep(self._random.uniform(0.0, 2 * self._pause))

    async def account(self, subaccount: int = 0) -> int:
        """The number that L1 gave this owner; zero while it has none (any more)."""
        owner = await self._l1.reader.read(views.OWNER_NUMBERS, self.client.address)
        return owner << 8 | subaccount if owner else 0

    # --- on L1 ---

    async def deposit(self, subaccount: int = 0) -> None:
        """To an account of one's own; that one is open once it has been paid into."""
        dollars = self._random.choice((20, 300, 2_000, 50_000))
        data = calls.deposit(amount=dollars * DOLLAR_MICRO, subaccount=subaccount)
        await self._send(data, "deposited")

    async def revoke_on_l1(self) -> None:
        """As one does whose sequencer would not listen."""
        account = await self.account()
        if account:
            epoch = self._random.randint(1, 3)
            await self._send(calls.revoke_key(account=account, key_epoch=epoch), "revoked")

    async def _send(self, data: bytes, what: str) -> None:
        try:
            await asyncio.wait_for(
                self._sender.send(self._l1.reader.address, data, gas=GAS),
                self._random.uniform(5, 60),
            )
        except (Retry, L1Error, TransactionReverted, TimeoutError) as error:
            self._trace.add(self.client.name, f"not {what}", why=type(error).__name__)
        else:
            self._trace.add(self.client.name, what)

    # --- at the venue ---

    async def order(self) -> None:
        account = await self.account(self._random.choice((0, 0, 0, 1)))
        if account:
            epoch, key = self._signer(account)
            await self.client.submit(self.drafts.order(account, epoch), key)

    async def burst(self) -> None:
        """Several at once, which may overtake each other."""
        account = await self.account()
        if account:
            orders = [self.drafts.order(account, 0) for _ in range(self._random.randint(2, 6))]
            await asyncio.gather(*(self.client.submit(order) for order in orders))

    async def cancel(self) -> None:
        account = await self.account()
        if account:
            epoch, key = self._signer(account)
            await self.client.submit(self.drafts.cancel(account, epoch), key)

    async def amend(self) -> None:
        account = await self.account()
        if account:
            epoch, key = self._signer(account)
            await self.client.submit(self.drafts.amend(account, epoch), key)

    async def withdraw(self) -> None:
        account = await self.account()
        if account:
            await self.client.submit(self.drafts.withdrawal(account, self.client.address))

    async def transfer(self) -> None:
        account = await self.account()
        if account:
            await self.client.submit(self.drafts.transfer(account))

    async def add_key(self) -> None:
        account = await self.account()
        if account:
            await self.client.submit(self.drafts.new_key(account, address_of(self._bot)))

    async def revoke_key(self) -> None:
        account = await self.account()
        if account:
            await self.client.submit(self.drafts.revocation(account))

    async def trade_block(self) -> None:
        """With another trader, whose consent comes with it."""
        peer = self._random.choice(self.peers)
        maker, taker = await self.account(), await peer.account()
        if maker and taker:
            epoch, key = self._signer(maker)
            trade = self.drafts.block(maker, epoch, taker, next(peer.drafts.sequences))
            await self.client.submit(trade, key + peer.client.key)

    def _signer(self, account: int) -> tuple[int, bytes]:
        """The owner, or now and then the bot, as L1 knows its keys."""
        keys = self._referee.followed.replayer.state.account(account).keys
        if not keys or self._random.random() < 0.4:
            return 0, self.client.key
        return self._random.choice(keys).epoch, self._bot


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
            published = [await self.publish(market) for market in (0, 1)]
            # Nobody can trade before the first price.
            await asyncio.sleep(self._random.uniform(4.0, 16.0) if all(published) else 1.0)

    async def publish(self, market: int) -> bool:
        """Whether the venue took it."""
        price = self._market.move(market, self._random)
        seen = self._l1.timestamp - self.LAG
        receipt = await self.client.submit(SignedPrice(market, price, seen), tries=2)
        return receipt is not None and bool(receipt.steps)
