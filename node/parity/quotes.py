"""Orders, amends and cancels by chance: most of them sensible, and every refusal."""

from node.parity.chance import MICRO, NOBODYS, Chance
from node.parity.listings import DAY, band_end, near
from state.authentication import may_cancel
from state.limits import LOTS_MAX, TICKS_MAX, TIME_MAX
from state.orders import RestingOrder, key_ticks
from state.transactions import Amend, Cancel, CancelAll, NewOrder
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind


class Quotes(Chance):
    """What traders do to the books."""

    def order(self) -> None:
        """Any order, most of them sensible and around the mark."""
        r = self.random
        number, market = self.any_account(), self.any_market()
        life, is_market = r.choice((0, 0, 1, 1, 2, 2, 3)), r.random() < 0.15
        if is_market and r.random() < 0.95:
            life = r.choice((1, 2))
        lots = r.randint(1, r.choice((1, 50, 2_000, 40_000, 10**6, 10**6 + 1)))
        if r.random() < 0.5:
            lots = self.affordable(number)
        self.place(number, market, r.randrange(2), lots, life, is_market=is_market)

    def quote(self) -> None:
        """A resting order of some size close to the mark, or where its distance costs as much."""
        r = self.random
        number, market = self.any_account(), self.any_market()
        side, life, ticks = r.randrange(2), r.choice((0, 0, 3)), None
        lots = max(1, self.affordable(number) // r.choice((1, 2, 8, 40)))
        if r.random() < 0.15:
            ticks = band_end(r, self.market(market), self.row(market), side)
        self.place(number, market, side, lots, life, reduce_only=r.random() < 0.08, ticks=ticks)

    def take(self) -> None:
        """An order that wants what rests: a part of it, the whole, or a few fronts."""
        r, found = self.random, self.an_order()
        if found is None:
            return self.quote()
        market, key, front = found
        lots = r.choice((front.lots, front.lots, 3 * front.lots, max(1, front.lots // 3)))
        number, life = self.any_account(), r.choice((0, 1, 1, 2))
        side = front.flags & 1
        self.place(number, market, 1 - side, lots, life, ticks=key_ticks(side, key))

    def reduce(self) -> None:
        """Against a position: a part, the whole, or through zero."""
        r, number = self.random, self.any_account()
        held = [(p.market, p.lots) for p in self.account(number).positions if p.lots]
        if not held:
            return self.quote()
        market, lots = r.choice(held)
        size = r.choice((abs(lots), abs(lots), 2 * abs(lots), max(1, abs(lots) // 3)))
        side = 1 if (lots > 0) == (r.random() < 0.95) else 0
        reduce_only = r.random() < 0.8
        self.place(number, market, side, size, r.choice((0, 1, 2, 3)), reduce_only=reduce_only)

    def cancel(self) -> None:
        """Mostly an order that rests, by any key that may, or may not."""
        r, number = self.random, self.any_account()
        orders = self.account(number).orders
        target = (0, 3)
        if orders and r.random() < 0.9:
            order = r.choice(orders)
            target = order.epoch, order.sequence
        epoch, signer = self.signer(number, may_cancel)
        self.send(Cancel(number, epoch, self.next(), *target, self.expiry()), signer)

    def cancel_all(self) -> None:
        r, number, found = self.random, self.any_account(), self.an_order()
        market = r.choice((self.any_market(), NOBODYS, 2**16 - 1))
        if found is not None and r.random() < 0.7:
            market, number = found[0], found[2].account
        every_market = r.choice((*[0, 1] * 9, 2, 255))
        epoch, signer = self.signer(number, may_cancel)
        tx = CancelAll(number, epoch, self.next(), every_market, market, self.expiry())
        self.send(tx, signer)

    def amend(self) -> None:
        """A resting order made smaller, moved, or moved across what rests against it."""
        r, found = self.random, self.an_order()
        if found is None:
            return self.quote()
        market, key, old = found
        number = old.account if r.random() < 0.98 else self.any_account()
        name = (old.epoch, old.sequence) if r.random() < 0.97 else (0, 3)
        change = r.choice((self._smaller, self._just_past, self._elsewhere, self._across))
        ticks, lots, expiry = change(market, key_ticks(old.flags & 1, key), old)
        if r.random() < 0.03:
            ticks, lots = r.choice(((0, lots), (TICKS_MAX, lots), (ticks, LOTS_MAX), (1, 0)))
        epoch, signer = self.signer(number)
        ticks, lots = min(TICKS_MAX, max(0, ticks)), min(LOTS_MAX, max(0, lots))
        self.send(
            Amend(number, epoch, self.next(), *name, ticks, lots, min(TIME_MAX, max(0, expiry))),
            signer,
        )

    def _smaller(self, _: int, ticks: int, old: RestingOrder) -> tuple[int, int, int]:
        """Where it stands."""
        lots = self.random.choice((0, 1, old.lots // 2, old.lots - 1, old.lots))
        expiry = self.random.choice((old.expiry, old.expiry - 1, self.now, self.now - 1))
        return ticks, lots, min(expiry, old.expiry)

    def _just_past(self, _: int, ticks: int, old: RestingOrder) -> tuple[int, int, int]:
        """By one more than keeps priority."""
        by = self.random.choice(((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1)))
        return ticks + by[0], old.lots + by[1], old.expiry + by[2]

    def _elsewhere(self, number: int, _: int, old: RestingOrder) -> tuple[int, int, int]:
        """Anywhere the owner could have quoted."""
        r, market = self.random, self.market(number)
        lots = r.choice((old.lots, 2 * old.lots, self.affordable(old.account)))
        lots = min(lots, market.order_lots_max + (r.random() < 0.1))
        return near(r, market, self.row(number), old.flags & 1), lots, self._life(number)

    def _across(self, number: int, _: int, old: RestingOrder) -> tuple[int, int, int]:
        """To the best price of the other side, or as far as the band goes."""
        r, side = self.random, old.flags & 1
        ends = [band_end(r, self.market(number), self.row(number), side)]
        front = self.world.state.front(number, 1 - side)
        if front is not None:
            ends += [key_ticks(1 - side, front[0])] * 2
        lots = r.choice((old.lots, old.lots + 1, self.affordable(old.account)))
        return r.choice(ends), min(lots, self.market(number).order_lots_max), self._life(number)

    def _life(self, market: int) -> int:
        r = self.random
        if r.random() < 0.03 and market in self.listed:
            life = self.market(market).order_life_max
            return self.now + r.choice((-1, life, life + 1))
        return self.now + r.choice((*[DAY] * 12, 0, 9, 300, 3_000))

    def place(
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
        """Sign and send an order; what is not said is by chance, and one in eighty is odd."""
        r = self.random
        if reduce_only is None:
            reduce_only = r.random() < 0.12
        if r.random() < 0.9:
            lots = min(lots, self.market(market).order_lots_max)
        if ticks is None:
            ticks = near(r, self.market(market), self.row(market), side)
        flags = side | is_market << 1 | life << 2 | reduce_only << 4 | r.choice((0, 1, 2)) << 5
        if r.random() < 0.012:
            flags, lots, market = r.choice(
                ((r.randrange(256), lots, market), (flags, 0, market), (flags, lots, NOBODYS))
            )
        epoch, signer = self.signer(number)
        ticks = 0 if is_market and r.random() < 0.98 else min(ticks, TICKS_MAX)
        tx = NewOrder(
            *(number, epoch, self.next(), market, flags),
            *(ticks, min(LOTS_MAX, lots), min(TIME_MAX, max(0, self._life(market)))),
        )
        self.send(tx, signer)

    # --- fullness ---

    def enrich(self, number: int) -> None:
        """A deposit of a thousand dollars, by the mark's measure."""
        micro = min(2**64 - 1, 1_000 * MICRO * self.mark // 50_000_000)
        deposit = Deposit(number, self.account(number).owner, micro)
        self.world.item(InboxKind.DEPOSIT, encode_deposit(deposit))

    def spread_out(self) -> None:
        """One account asks for a place in up to eighteen markets."""
        number = self.any_account()
        self.enrich(number)
        markets = sorted(self.listed)
        for market in self.random.sample(markets, min(18, len(markets))):
            self.place(number, market, self.random.randrange(2), 30, 0, reduce_only=False)
