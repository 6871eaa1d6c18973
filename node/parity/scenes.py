"""Rare situations, most of them set up by hand: the ends of budgets, lists, numbers and fields."""

from typing import Any

from msgspec.structs import replace

from node.parity.deals import Deals
from node.parity.holdings import exchange
from node.parity.listings import band_end
from node.parity.money import Money
from node.parity.quotes import Quotes
from state.accounts import OrderReference, with_order
from state.limits import (
    ACCOUNT_ORDERS_MAX,
    ACCOUNT_POSITIONS_MAX,
    BLOCK_STEPS_MAX,
    CANCEL_ALL_STEPS_MAX,
    CASH_MAX,
    ORDER_FRONTS_MAX,
    ORDER_NUMBER_MAX,
    ORDER_STEPS_MAX,
    PRICE_MAX,
    PUBLISHERS_MAX,
    TICKS_MAX,
    WITHDRAWALS_MAX,
)
from state.markets import Mode, Publisher, Side
from state.orders import BUY, SELL, RestingOrder, key_ticks, order_key
from state.resting import lots_of, with_resting_lots
from state.store import Changes
from state.transactions import Header, SignedPrice


class Scenes(Quotes, Deals, Money):
    """Set up by hand; what is sent into them is what is sent anywhere."""

    def few_steps(self) -> None:
        """The end of a batch: transactions that could need more steps than are left."""
        r = self.random
        most, kinds = r.choice(
            (
                (ORDER_STEPS_MAX, (self.quote, self.amend)),
                (CANCEL_ALL_STEPS_MAX, (self.cancel_all,)),
                (BLOCK_STEPS_MAX, (self.block_trade,)),
            )
        )
        self.world.few_steps(1 + most + r.choice((-1, 0, 0, 1)))
        r.choice(kinds)()
        r.choice(kinds)()
        self.world.next_batch()

    def closed(self) -> None:
        """A market in another mode, or with a mark too old or none, while everything goes on."""
        r, number = self.random, self.any_market()
        row = self.row(number)
        old = row.price_age_max + r.choice((0, 1))
        changes: tuple[dict[str, Any], ...] = (
            *({"mode": mode} for mode in (Mode.REDUCE_ONLY, Mode.HALTED, Mode.SETTLED)),
            {"time": max(0, self.now - old)},
            {"mark": 0, "slow_mark": 0},
        )
        self.change_row(number, **r.choice(changes))
        for _ in range(r.randrange(3, 7)):
            r.choice((self.amend, self.block_trade, self.withdraw, self.transfer))()
            self.place(self.any_account(), number, r.randrange(2), 10, r.randrange(4))
        self.seen_now(number, mode=Mode.LIVE, mark=self.row(number).mark or row.mark)

    def odd_fields(self) -> None:
        """Fields that later rules will use, as they might stand then; sums stay true."""
        r, number = self.random, self.any_market()
        if r.random() < 0.5:
            row = self.row(number)
            index = {"a": r.randrange(10**15), "k": r.randint(-9, 10**30), "f": -r.getrandbits(100)}
            side = r.choice(("long", "short"))
            before: Side = getattr(row, side)
            self.change_row(number, **{side: replace(before, **index)}, close_out=r.randrange(99))
        else:
            self.change_market(
                number,
                insurance=r.getrandbits(40),
                pool=r.randint(-(2**40), 2**40),
                bad_debt=r.getrandbits(20),
                dust=r.randint(-9, 9),
                basis=-r.getrandbits(60),
                premium_sum=r.getrandbits(60),
            )
        account = self.any_account()
        self.change_account(account, window_withdrawn=r.getrandbits(90), liquidation_stage=2)

    def many_publishers(self) -> None:
        """Eight of them, as later rules will have; any one's newer price counts."""
        r, number = self.random, self.any_market()
        held = self.market(number).publishers
        more = [self.address(f"publisher {at}") for at in range(PUBLISHERS_MAX - 1)]
        others = [Publisher(one, 1, 1, 5) for one in more if one != held[0].address]
        publishers = sorted((held[0], *others), key=lambda one: one.address)
        self.change_market(number, publishers=tuple(publishers))
        for _ in range(r.randrange(1, 5)):
            self.seen_now(number)
            signer = r.choice(publishers).address
            self.send(Header(self.now + 5))
            price = r.choice((min(PRICE_MAX, self.row(number).mark + 1), 0, self.mark))
            self.send(SignedPrice(number, price, self.now - r.randrange(6)), signer)
        self.change_market(number, publishers=held)
        self.seen_now(number)

    def end_of_numbers(self) -> None:
        """The last order number of a book, the last withdrawal, the last key epoch, all cash."""
        r, number = self.random, self.any_account()
        scene = r.randrange(4)
        if scene == 0:
            market = self.any_market()
            left = ORDER_NUMBER_MAX - r.randrange(4)
            self.change_market(market, next_order=max(left, self.market(market).next_order))
            self.change_account(number, cash=2**70)
            for _ in range(6):
                ticks = band_end(r, self.market(market), self.row(market), BUY) // 2
                self.place(number, market, BUY, 1, 0, reduce_only=False, ticks=max(1, ticks))
        elif scene == 1:
            held, self.world.machine.withdrawals = self.world.machine.withdrawals, WITHDRAWALS_MAX
            before, self.accounts = self.accounts, [number]
            self.change_account(number, cash=2**70)
            self.withdraw()
            self.accounts, self.world.machine.withdrawals = before, held
        elif scene == 2:
            epoch = max(self.account(number).key_epoch, 2**32 - r.randint(1, 3))
            self.change_account(number, key_epoch=epoch)
        else:
            cash = r.choice((-1, 1)) * (CASH_MAX - r.choice((0, 1, 10**9, 10**12)))
            before_cash = self.account(number).cash
            self.change_account(number, cash=cash)
            for _ in range(4):
                r.choice((self.block_trade, self.reduce, self.transfer, self.withdraw))()
            self.change_account(number, cash=before_cash)

    def last_fronts(self) -> None:
        """An order that has met nearly as many fronts as it may."""
        r, found = self.random, self.an_order()
        if found is None:
            return
        market, key, resting = found
        side = resting.flags & 1
        self.world.fronts_left = r.choice((0, 0, 1, 2))
        lots, ticks = resting.lots * 3, key_ticks(side, key)
        taker, life = self.any_account(), r.choice((0, 1, 2))
        self.place(taker, market, 1 - side, lots, life, reduce_only=False, ticks=ticks)
        self.world.fronts_left = None

    def many_fronts(self) -> None:
        """More orders in a book than one may meet, and one that wants them all."""
        r, market = self.random, self.any_market()
        side, terms = r.randrange(2), self.market(market)
        ticks = self._around(market)
        self.change_market(market, next_order=max(terms.next_order, 5_000))
        holders = [n for n in self.accounts if len(self.account(n).orders) < 20]
        for at in range(2 * ORDER_FRONTS_MAX):
            self._rest(r.choice(holders or self.accounts), market, side, ticks, 1_000 + at)
        taker = self.any_account()
        self.change_account(taker, cash=2**80)
        edge = band_end(r, self.market(market), self.row(market), 1 - side)
        for life in (1, 2):
            self.place(taker, market, 1 - side, 600, life, reduce_only=False, ticks=edge)

    def crowd(self) -> None:
        """An account's list of orders is full, or nearly; it asks for more, and cancels."""
        r, number, market = self.random, self.any_account(), self.any_market()
        side, terms = r.randrange(2), self.market(market)
        ticks = self._around(market)
        self.change_market(market, next_order=max(terms.next_order, 5_000), min_notional=0)
        self.change_account(number, cash=2**70)
        left = ACCOUNT_ORDERS_MAX - r.randrange(3)
        for at in range(left - len(self.account(number).orders)):
            away = ticks + r.randint(0, 2) * (1 if side == SELL else -1)
            self._rest(number, market, side, away, 1_000 + at)
        for _ in range(3):
            self.place(number, market, side, 1, r.choice((0, 3)), reduce_only=False, ticks=ticks)
        if r.random() < 0.3:
            self.cancel_all()

    def through_zero(self) -> None:
        """A position that may not grow is closed and opened the other way, front by front."""
        r, market = self.random, self.any_market()
        taker, maker = r.sample(self.accounts, 2)
        side, lots = r.randrange(2), r.choice((2, 10, 100))
        if any(self._is_full(number, market) for number in (taker, maker)):
            return
        for number in (taker, maker):
            self.change_account(number, cash=2**80)
        holders = (taker, maker) if side == SELL else (maker, taker)
        self._hold(*holders, market, lots)
        terms = self.market(market)
        self.seen_now(market, mode=Mode.LIVE)
        self.change_market(market, position_max=max(1, lots // 2), min_notional=0)
        ticks = self._around(market)
        for at, size in enumerate((lots - 1, lots, lots)):
            self._rest(maker, market, 1 - side, ticks, 2_000 + at, size)
        wanted = 2 * lots - r.choice((1, 2))
        edge = band_end(r, self.market(market), self.row(market), side)
        self.place(taker, market, side, wanted, 1, reduce_only=False, ticks=edge)
        self.change_market(market, position_max=terms.position_max)

    def _around(self, market: int) -> int:
        """The mark in ticks, away from the ends of what a price can be."""
        mark = self.row(market).mark // self.market(market).tick
        return max(4, min(mark, TICKS_MAX - 4))

    def _is_full(self, number: int, market: int) -> bool:
        account = self.account(number)
        positions = len(account.positions) == ACCOUNT_POSITIONS_MAX
        return account.position(market) is None and positions

    def _rest(
        self, number: int, market: int, side: int, ticks: int, at: int, lots: int = 1
    ) -> None:
        """An order by hand; where its account has no place for it, it does not rest."""
        account, key = self.account(number), order_key(side, ticks, at)
        name = (0, 2**40 + at)
        if len(account.orders) == ACCOUNT_ORDERS_MAX or account.order(*name) is not None:
            return
        if self._is_full(number, market) or self.world.state.order(market, side, key) is not None:
            return
        account = with_order(account, OrderReference(*name, market, side, key))
        account = with_resting_lots(account, market, side, lots)
        resting = RestingOrder(number, *name, lots, self.now + 90_000, side)

        def write(changes: Changes) -> None:
            changes.write_account(number, account)
            changes.write_order(market, side, key, resting)

        self.world.write(write)

    def full_positions(self) -> None:
        """Sixteen markets held by hand, and a trade that wants a seventeenth."""
        r = self.random
        number, against = r.sample(self.accounts, 2)
        markets = sorted(self.listed)
        r.shuffle(markets)
        for market in markets:
            if self.account(number).position(market) or self.account(against).position(market):
                continue
            if len(self.account(number).positions) >= ACCOUNT_POSITIONS_MAX:
                break
            if len(self.account(against).positions) >= ACCOUNT_POSITIONS_MAX:
                break
            self._hold(number, against, market, r.randint(1, 9))
        for market in r.sample(markets, min(4, len(markets))):
            self.place(number, market, r.choice((BUY, SELL)), 10, r.randrange(4))
        for _ in range(3):
            r.choice((self.block_trade, self.withdraw, self.transfer, self.reduce))()

    def _hold(self, long: int, short: int, market: int, lots: int) -> None:
        """`lots` more of a market, one account's from the other, by hand."""
        changes = Changes(self.world.state)
        exchange(changes, long, short, market, lots)
        self.world.state.apply(changes)

    def lower_caps(self) -> None:
        """Caps below what is held, so that only what shrinks may pass."""
        r, number = self.random, self.any_market()
        market = self.market(number)
        held = [abs(lots_of(self.account(one), number)) for one in self.accounts]
        most = max(1, max(held, default=2) // 2)
        self.change_market(number, position_max=most, order_lots_max=market.order_lots_max)
        for _ in range(r.randrange(2, 8)):
            r.choice((self.reduce, self.reduce, self.block_trade))()
        self.change_market(number, position_max=market.position_max)
