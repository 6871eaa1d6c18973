"""Orders, amends and cancels by chance: most of them sensible, and every refusal."""

from reference_chance import Chance
from reference_ledger import Resting
from reference_margin import spare
from reference_markets import DAY, NOBODYS, band_end, near

from state.transactions import Amend, Cancel, CancelAll, NewOrder

TICKS_MAX, LOTS_MAX = 2**24 - 1, 2**48 - 1


class Quotes(Chance):
    """What traders do to the books."""

    def order(self) -> None:
        """Any order, most of them sensible and around the mark."""
        r = self.random
        number, market = r.choice(self.accounts), self._market()
        life, is_market = r.choice((0, 0, 1, 1, 2, 2, 3)), r.random() < 0.15
        if is_market and r.random() < 0.95:
            life = r.choice((1, 2))
        lots = r.randint(1, r.choice((1, 50, 2_000, 40_000, 10**6, 10**6 + 1)))
        if r.random() < 0.5:
            lots = self._affordable(number)
        self._send(number, market, r.randrange(2), lots, life, is_market=is_market)

    def quote(self) -> None:
        """A resting order of some size close to the mark."""
        r = self.random
        number, market = r.choice(self.accounts), self._market()
        side, life, ticks = r.randrange(2), r.choice((0, 0, 3)), None
        lots = max(1, self._affordable(number) // r.choice((1, 2, 8, 40)))
        if r.random() < 0.15:
            # Far beyond the mark, where a quote's distance costs as much as its margin.
            ticks = band_end(r, self.market(market), side)
            free = spare(self.twins.model.ledger, self.twins.model.markets, number)
            lots = max(1, free * r.randint(5, 19) // self.mark)
        self._send(number, market, side, lots, life, reduce_only=False, ticks=ticks)

    def take(self) -> None:
        """An order that wants what rests: a part of the front, the whole, or a few fronts."""
        r = self.random
        if not self.twins.model.ledger.resting:
            return self.quote()
        front = r.choice(self.twins.model.ledger.resting)
        lots = r.choice((front.lots, front.lots, 3 * front.lots, max(1, front.lots // 3)))
        number, life = r.choice(self.accounts), r.choice((0, 1, 1, 2))
        side, ticks = 1 - front.side, front.ticks
        self._send(number, front.market, side, lots, life, reduce_only=False, ticks=ticks)

    def reduce(self) -> None:
        """A reduce-only order against a position: a part, the whole, or more than it."""
        r = self.random
        number = r.choice(self.accounts)
        held = [(m, x) for m, x in self.holder(number).lots.items() if x]
        if not held:
            return self.quote()
        market, lots = r.choice(held)
        size = r.choice((abs(lots), abs(lots), 2 * abs(lots), max(1, abs(lots) // 3)))
        life = r.choice((0, 1, 2, 3))
        side = 1 if (lots > 0) == (r.random() < 0.95) else 0
        self._send(number, market, side, size, life, reduce_only=r.random() < 0.8)

    def crowd(self) -> None:
        """Hundreds of small orders of one side, then one that wants them all; some go at once."""
        r = self.random
        roomy = [
            number
            for number, market in self.twins.model.markets.items()
            if not market.terms.min_notional and 1 < market.terms.tick < self.mark and market.mark
        ]
        market, side = r.choice(roomy[:2] or [0]), r.randrange(2)
        mark = self.market(market).mark // self.market(market).terms.tick
        fullest = r.choice(self.accounts)
        for number in self.accounts:
            self.twins.deposit(number, self.holder(number).owner, 1_000 * 10**6)
            for _ in range(95 if number == fullest else 45):
                lots = r.randint(1, 3)
                ticks = mark + r.randint(1, 2) * (1 if side else -1)
                self._send(number, market, side, lots, 0, reduce_only=False, ticks=ticks)
        for life in (2, 0, 1, 1):
            number = r.choice(self.accounts)
            edge = band_end(r, self.market(market), 1 - side)
            self._send(number, market, 1 - side, 900, life, reduce_only=False, ticks=edge)
        for number in (fullest, *r.sample(self.accounts, 2)):
            self._cancel_all(number, r.randrange(2), market)

    def spread_out(self) -> None:
        """One account asks for a place in every market."""
        number = self.random.choice(self.accounts)
        self.twins.deposit(number, self.holder(number).owner, 1_000 * 10**6)
        for market in sorted(self.listed):
            self._send(number, market, self.random.randrange(2), 30, 0, reduce_only=False)

    def cancel(self) -> None:
        r = self.random
        number = r.choice(self.accounts)
        orders = self.twins.model.ledger.orders_of(number)
        target = (0, 3)
        if orders and r.random() < 0.95:
            order = r.choice(orders)
            target = order.epoch, order.sequence
        epoch, signer = self._signer(number)
        self.twins.run(Cancel(number, epoch, self._next(), *target, self._expiry()), signer)

    def cancel_all(self) -> None:
        r = self.random
        every_market = r.choice((*[0, 1] * 9, 2, 255))
        market = r.choice((self._any_market(), 0, 2**16 - 1))
        self._cancel_all(r.choice(self.accounts), every_market, market)

    def _cancel_all(self, number: int, every_market: int, market: int) -> None:
        epoch, signer = self._signer(number)
        tx = CancelAll(number, epoch, self._next(), every_market, market, self._expiry())
        self.twins.run(tx, signer)

    def amend(self) -> None:
        """A resting order made smaller, moved, or moved across what rests against it."""
        r = self.random
        if not self.twins.model.ledger.resting:
            return self.quote()
        old = r.choice(self.twins.model.ledger.resting)
        number = old.account if r.random() < 0.98 else r.choice(self.accounts)
        name = (old.epoch, old.sequence) if r.random() < 0.97 else (0, 3)
        change = r.choice((self._smaller, self._just_past, self._elsewhere, self._across))
        ticks, lots, expiry = change(old)
        if r.random() < 0.01:
            ticks, lots = r.choice(((0, lots), (TICKS_MAX, lots), (ticks, LOTS_MAX)))
        epoch, signer = self._signer(number)
        ticks, lots = min(TICKS_MAX, max(0, ticks)), min(LOTS_MAX, max(0, lots))
        self.twins.run(Amend(number, epoch, self._next(), *name, ticks, lots, expiry), signer)

    def _smaller(self, old: Resting) -> tuple[int, int, int]:
        """Where it stands."""
        lots = self.random.choice((0, 1, old.lots // 2, old.lots - 1, old.lots))
        expiry = self.random.choice((old.expiry, old.expiry - 1, self.now, self.now - 1))
        return old.ticks, lots, min(expiry, old.expiry)

    def _just_past(self, old: Resting) -> tuple[int, int, int]:
        """By one more than keeps priority."""
        ticks, lots, expiry = self.random.choice(((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1)))
        return old.ticks + ticks, old.lots + lots, old.expiry + expiry

    def _elsewhere(self, old: Resting) -> tuple[int, int, int]:
        """Anywhere the owner could have quoted."""
        r, market = self.random, self.market(old.market)
        lots = r.choice((old.lots, 2 * old.lots, self._affordable(old.account)))
        lots = min(lots, market.terms.order_lots_max + (r.random() < 0.1))
        return near(r, market, old.side), lots, self._life()

    def _across(self, old: Resting) -> tuple[int, int, int]:
        """To the best price of the other side, or as far as the band goes."""
        r, market = self.random, self.market(old.market)
        against = self.twins.model.ledger.book(old.market, 1 - old.side)
        ends = [band_end(r, market, old.side), *[order.ticks for order in against[:2]]]
        lots = r.choice((old.lots, old.lots + 1, self._affordable(old.account)))
        return r.choice(ends), min(lots, market.terms.order_lots_max), self._life()

    def _life(self) -> int:
        r = self.random
        if r.random() < 0.03:
            return self.now + r.choice((-1, 2 * DAY, 2 * DAY + 1))
        return self.now + r.choice((*[DAY] * 12, 0, 9, 300, 3_000))

    def _send(
        self,
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
        if reduce_only is None:
            reduce_only = r.random() < 0.15
        if r.random() < 0.9:
            lots = min(lots, self.market(market).terms.order_lots_max)
        if ticks is None:
            ticks = near(r, self.market(market), side)
        flags = side | is_market << 1 | life << 2 | reduce_only << 4 | r.choice((0, 1, 2)) << 5
        if r.random() < 0.005:
            flags, lots, market = r.choice(
                ((r.randrange(256), lots, market), (flags, 0, market), (flags, lots, NOBODYS))
            )
        epoch, signer = self._signer(number)
        tx = NewOrder(
            *(number, epoch, self._next(), market, flags),
            *(0 if is_market and r.random() < 0.98 else min(ticks, TICKS_MAX), lots, self._life()),
        )
        self.twins.run(tx, signer)
