"""Chance for the venue and the model alike: every kind of order, and every refusal.

Traders are thinly margined, markets are small and unlike, prices jump and go stale.
"""

from random import Random

from builders import FAR, NOW, PUBLISHER, key
from reference_driver import MARK, ZERO, Twins
from reference_margin import spare
from reference_markets import band_end, listings, near

from state.accounts import SessionKey
from state.transactions import Cancel, Header, NewOrder, SignedPrice, Transfer, Withdraw

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")


class RandomHistory:
    """Seven traders, some with two accounts, and chance from `seed` alone."""

    def __init__(self, seed: int) -> None:
        self.random = r = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        self.twins = Twins(seed, listings(r))
        self.accounts: list[tuple[str, int]] = []
        self.sequence = 10
        for name in NAMES:
            for subaccount in range(r.choice((1, 1, 2))):
                micro = r.choice((3, 50, 300, 2_000, 40_000)) * 10**6 + r.randrange(10**6)
                number = self.twins.deposit(name, subaccount, micro)
                self.accounts.append((name, number))
                self._delegate(name, number)
        if r.random() < 0.5:
            self.twins.number_orders_from(0, 2**40 - r.randint(5, 400))

    def run(self, count: int) -> None:
        """At least `count` operations."""
        actions = [
            *[self.order] * 60,
            *[self.quote] * 40,
            *[self.reduce] * 25,
            *[self.cancel] * 12,
            *[self.price] * 12,
            *[self.withdraw, self.transfer, self.wait] * 4,
            *[self.deposit, self.replay, self.noise, self.next_batch, self.few_steps],
        ]
        while len(self.twins.past) < count:
            if self.random.random() < 0.0004:
                self.crowd()
            if self.random.random() < 0.003:
                self.spread_out()
            self.random.choice(actions)()

    # --- orders ---

    def order(self) -> None:
        """Any order, most of them sensible and around the mark."""
        r = self.random
        (name, number), market = r.choice(self.accounts), self._market()
        life, is_market = r.choice((0, 0, 1, 1, 2, 2, 3)), r.random() < 0.15
        if is_market and r.random() < 0.95:
            life = r.choice((1, 2))
        lots = r.randint(1, r.choice((1, 50, 2_000, 40_000, 10**6, 10**6 + 1)))
        if r.random() < 0.5:
            lots = self._affordable(number)
        self._send(name, number, market, r.randrange(2), lots, life, is_market=is_market)

    def quote(self) -> None:
        """A resting order of some size close to the mark."""
        r = self.random
        name, number = r.choice(self.accounts)
        market, side, life = self._market(), r.randrange(2), r.choice((0, 0, 3))
        lots = max(1, self._affordable(number) // r.choice((1, 2, 8, 40)))
        ticks = None
        if r.random() < 0.15:
            # Far beyond the mark, where a quote's distance costs as much as its margin.
            markets = self.twins.model.markets
            ticks = band_end(r, markets[market], side)
            lots = max(
                1, spare(self.twins.model.ledger, markets, number) * r.randint(5, 19) // MARK
            )
        self._send(name, number, market, side, lots, life, reduce_only=False, ticks=ticks)

    def reduce(self) -> None:
        """A reduce-only order against a position: a part, the whole, or more than it."""
        r = self.random
        name, number = r.choice(self.accounts)
        held = [(m, x) for m, x in self.twins.model.ledger.holders[number].lots.items() if x]
        if not held:
            return self.quote()
        market, lots = r.choice(held)
        size = r.choice((abs(lots), abs(lots), 2 * abs(lots), max(1, abs(lots) // 3)))
        life = r.choice((0, 1, 2, 3))
        side = 1 if (lots > 0) == (r.random() < 0.95) else 0
        self._send(name, number, market, side, size, life, reduce_only=r.random() < 0.8)

    def crowd(self) -> None:
        """Hundreds of small orders of one side, then one that wants them all."""
        r = self.random
        markets = self.twins.model.markets.items()
        roomy = [m for m, terms in markets if not terms.min_notional and 1 < terms.tick < MARK]
        market, side = r.choice(roomy[:2] or [0]), r.randrange(2)
        terms = self.twins.model.markets[market]
        mark = terms.mark // terms.tick
        for name, number in self.accounts:
            self.twins.deposit(name, number & 255, 1_000 * 10**6)
            for _ in range(66):
                lots = r.randint(1, 3)
                ticks = mark + r.randint(1, 2) * (1 if side else -1)
                self._send(name, number, market, side, lots, 0, reduce_only=False, ticks=ticks)
        for life in (2, 0, 1, 1):
            name, number = r.choice(self.accounts)
            edge = band_end(r, terms, 1 - side)
            self._send(name, number, market, 1 - side, 900, life, reduce_only=False, ticks=edge)

    def spread_out(self) -> None:
        """One account asks for a place in every market."""
        name, number = self.random.choice(self.accounts)
        self.twins.deposit(name, number & 255, 1_000 * 10**6)
        for market in range(len(self.twins.markets)):
            self._send(name, number, market, self.random.randrange(2), 30, 0, reduce_only=False)

    def _affordable(self, number: int) -> int:
        """About what the account's cash is margin for."""
        cash = max(0, self.twins.model.ledger.holders[number].cash)
        return max(1, cash * self.random.randint(1, 30) // MARK)

    def _market(self) -> int:
        return self.random.randrange(len(self.twins.markets))

    def _send(
        self,
        name: str,
        number: int,
        market: int,
        side: int,
        lots: int,
        life: int,
        *,
        is_market: bool = False,
        reduce_only: bool | None = None,
        ticks: int | None = None,
    ) -> None:
        r = self.random
        terms = self.twins.model.markets[market]
        if reduce_only is None:
            reduce_only = r.random() < 0.15
        if r.random() < 0.9:
            lots = min(lots, terms.order_lots_max)
        if ticks is None:
            ticks = near(r, terms, side)
        flags = side | is_market << 1 | life << 2 | reduce_only << 4 | r.choice((0, 1, 2)) << 5
        if r.random() < 0.005:
            flags, lots, market = r.choice(
                ((r.randrange(256), lots, market), (flags, 0, market), (flags, lots, 63))
            )
        now = self.twins.model.time
        expiry = now + r.choice((*[86_400] * 12, 0, 9, 300, 3_000))
        if r.random() < 0.03:
            expiry = now + r.choice((-1, 2 * 86_400, 2 * 86_400 + 1))
        epoch, signer = self._signer(name)
        tx = NewOrder(
            *(number, epoch, self._next(), market, flags),
            *(0 if is_market and r.random() < 0.98 else min(ticks, 2**24 - 1), lots, expiry),
        )
        self.twins.run(tx, signer)

    # --- everything else ---

    def cancel(self) -> None:
        r = self.random
        name, number = r.choice(self.accounts)
        orders = self.twins.model.ledger.orders_of(number)
        target = (0, 3)
        if orders and r.random() < 0.95:
            order = r.choice(orders)
            target = order.epoch, order.sequence
        epoch, signer = self._signer(name)
        tx = Cancel(number, epoch, self._next(), *target, self._expiry())
        self.twins.run(tx, signer)

    def price(self) -> None:
        r = self.random
        market = self._market()
        terms = self.twins.model.markets[market]
        if r.random() < 0.8:
            self.twins.run(Header(max(self.twins.model.time, terms.time + 1)), ZERO)
        change = r.choice((1, 1, 3, 9)) * r.randint(-10, 10)
        value = max(1_000, terms.mark * (1_000 + change) // 1_000)
        if r.random() < 0.2:
            value = MARK + r.randrange(1_000)
        now = time = self.twins.model.time
        if r.random() < 0.1:
            time = now + r.choice((1, -1, -terms.price_age_max, -terms.price_age_max - 1))
            value = r.choice((value, value, 0))
        signer = PUBLISHER.address
        if r.random() < 0.03:
            signer, market = r.choice(
                ((ZERO, market), (key("alice").address, market), (signer, 63))
            )
        self.twins.run(SignedPrice(market, value, time), signer)

    def withdraw(self) -> None:
        r = self.random
        name, number = r.choice(self.accounts)
        cash = max(0, self.twins.model.ledger.holders[number].cash)
        amount = r.choice((0, 1, cash // 10_000, cash // 2_000, cash // 1_000, 2**64 - 1))
        recipient = r.choice((*[key(name).address] * 9, ZERO))
        tx = Withdraw(number, self._next(), recipient, amount, self._expiry())
        self.twins.run(tx, self._signer(name, only_owner=True)[1])

    def transfer(self) -> None:
        r = self.random
        name, number = r.choice(self.accounts)
        to = r.choice((number ^ 1, number ^ 1, number ^ 1, number ^ 2, number, 1 << 8, 2**32 - 1))
        cash = max(0, self.twins.model.ledger.holders[number].cash)
        most = max(0, spare(self.twins.model.ledger, self.twins.model.markets, number))
        amount = r.choice((0, 1, cash // 7, most, most + 1, most + 1, 2**80 - 1))
        tx = Transfer(number, self._next(), to, amount, self._expiry())
        self.twins.run(tx, self._signer(name, only_owner=True)[1])

    def deposit(self) -> None:
        name, number = self.random.choice(self.accounts)
        self.twins.deposit(name, number & 255, self.random.randint(0, 50 * 10**6))

    def wait(self) -> None:
        seconds = self.random.choice((*[-1, 0, 1, 5, 20] * 4, 300, 901, 4_000))
        self.twins.run(Header(max(0, self.twins.model.time + seconds)), ZERO)
        if seconds > 300:
            self._refresh()

    def _refresh(self) -> None:
        """Most prices again, so that not everything is stale."""
        for market, terms in self.twins.model.markets.items():
            if self.random.random() < 0.8:
                tx = SignedPrice(market, terms.mark, self.twins.model.time)
                self.twins.run(tx, PUBLISHER.address)

    def replay(self) -> None:
        name = self.random.choice(NAMES)
        self.twins.run(self.random.choice(self.twins.past), key(name).address)

    def noise(self) -> None:
        """Numbers that name nobody, and a signer who is nobody."""
        r = self.random
        number = r.choice((0, 2**32 - 1, *[number for _, number in self.accounts]))
        signer = r.choice((ZERO, key("mallory").address, key("alice").address))
        now = self.twins.model.time
        tx = r.choice(
            (
                Cancel(number, r.choice((0, 4)), r.randrange(2**64), 0, 0, now),
                Withdraw(number, 0, ZERO, 0, now),
                Transfer(number, 1, number, 0, now),
                NewOrder(number, r.choice((0, 4)), 1, 0, r.randrange(256), 1, 1, now),
            )
        )
        if signer != key("alice").address:
            self.twins.run(tx, signer)

    def next_batch(self) -> None:
        """Under time bounds that the next header may miss."""
        now = self.twins.model.time
        self.twins.next_batch(now + self.random.choice((0, 0, 30)), now + 60)
        late = self.random.choice((now + 60, now + 61, now + 29))
        self.twins.run(Header(late), ZERO)
        self.twins.next_batch(0, 2**40 - 1)

    def few_steps(self) -> None:
        """The end of a batch: an order that could need more steps than are left."""
        self.twins.state.machine.steps_left = self.random.randint(255, 264)
        for _ in range(3):
            self.random.choice((self.quote, self.cancel))()
        self.twins.next_batch(0, 2**40 - 1)

    # --- who signs ---

    def _next(self) -> int:
        self.sequence += self.random.choice((1, 1, 2))
        return max(0, self.sequence - self.random.choice((*[0] * 60, 1, 900)))

    def _expiry(self) -> int:
        now = self.twins.model.time
        return now + self.random.choice((*[1_000] * 9, 0, -1))

    def _delegate(self, name: str, number: int) -> None:
        bot = key(f"{name}'s bot").address
        keys = (
            SessionKey(1, bot, 0, 2**40 - 1, 1),
            SessionKey(2, bot, 5, FAR, 6),
            SessionKey(7, bot, 0, NOW + 5_000, 3),
        )
        self.twins.delegate(number, self.random.choice((0, 0, 14)), keys)

    def _signer(self, name: str, *, only_owner: bool = False) -> tuple[int, bytes]:
        r = self.random
        epoch = r.choice((*[0] * 30, *[1] * 12, 2, 7, 7, 3))
        signer = key(f"{name}'s bot" if epoch and not only_owner else name).address
        if r.random() < 0.015:
            signer = r.choice((ZERO, key("mallory").address, key(name).address))
        return epoch, signer
