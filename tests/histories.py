"""Random histories of a venue: valid and invalid transactions from one seed.

Traders are thinly margined and prices jump, so that orders fail for every reason there is.
What happens to keys, owners and parameters is in `tests/history_changes.py`.
"""

from collections.abc import Callable
from random import Random

from builders import DOLLAR, FAR, PUBLISHER, Venue, key, listing, sign_transaction
from history_changes import Changing

from state.accounts import Account
from state.authentication import may_block_trade, may_trade
from state.legs import NO_LEG, Leg
from state.limits import BLOCK_LEGS_MAX
from state.orders import BUY, Flags, Life, SelfTrade, encode_flags, key_ticks
from state.status import Status
from state.transactions import (
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    SignedPrice,
    Transfer,
    Withdraw,
    decode_transaction,
)
from state.transactions.kinds import ROW_WIDTHS, SIGNATURE_WIDTHS, Kind

NAMES = ("alice", "bob", "carol", "dave", "erin")
START = 50_000_000
TICKS = (100, 1_000)
SMALL_LOTS_MAX = 40_000


class History(Changing):
    """Five traders, two markets, and chance from `seed` alone."""

    def __init__(self, seed: int, **options: object) -> None:
        self.seed = seed
        small = listing(
            1,
            symbol=b"ETH-USD-PERP",
            tick=TICKS[1],
            min_notional=DOLLAR // 5,
            order_lots_max=SMALL_LOTS_MAX,
            position_max=60_000,
            open_interest_max=50_000,
        )
        listings = (listing(), small)
        venue = Venue(markets=listings, **options)  # type: ignore[arg-type]
        super().__init__(Random(seed), venue, listings)  # noqa: S311  (a seed must reproduce a failure)
        for name in NAMES:
            for subaccount in (0, 0, 1)[: self.random.choice((2, 3))]:
                dollars = self.random.choice((50, 300, 1_000, 5_000, 50_000))
                number = self.venue.open(name, dollars, subaccount)
                if number not in self.owners:
                    self.owners[number] = name
                    self.delegate(number)
        self.marks = [START, START]

    def run(self, count: int) -> None:
        """`count` random transactions, most of them sensible."""
        actions = [
            *[self.order] * 14,
            *[self.large_order] * 5,
            *[self.cancel, self.amend, self.amend] * 2,
            *[self.move_price] * 3,
            *[self.withdraw, self.transfer, self.deposit, self.replay, self.noise, self.wait],
            *[self.odd_price, self.change, self.change, self.block_trade, self.block_trade],
        ]
        for _ in range(count):
            self.random.choice(actions)()

    def order(self) -> None:
        r = self.random
        lots = r.choice((1, 10, 1_000, 20_000, 100_000, 3_000_000))
        self._order(self.account(), r.randint(1, lots))

    def large_order(self) -> None:
        """About as much as the account's cash is margin for at five percent."""
        number = self.account()
        most = max(0, self.venue.state.account(number).cash) * 20 // START
        self._order(number, max(1, most * self.random.randint(70, 110) // 100))

    def _order(self, number: int, lots: int) -> None:
        r = self.random
        market, side = r.choice((*[0, 1] * 50, 7)), r.randrange(2)
        around = self.marks[market % 2] // TICKS[market % 2]
        spread = around // r.choice((500, 200, 200, 200, 30, 8))
        if market == 1 and r.random() < 0.95:
            lots = min(lots, SMALL_LOTS_MAX)
        # Every other order crosses what stands around the mark.
        towards = r.choice((0, 1 if side == BUY else -1))
        ticks = max(1, around + towards * spread // 2 + r.randint(-spread, spread))
        is_market = r.random() < 0.15
        life = r.choice((Life.IOC, Life.FOK) if is_market else (*Life, Life.GTC, Life.GTC))
        flags = Flags(side, is_market, life, r.random() < 0.2, r.choice(tuple(SelfTrade)))
        expiry = r.choice((*[FAR] * 24, self.now + 60, self.now + 9, self.now - 1, FAR * 2))
        tx = NewOrder(
            *(number, self._epoch(number), next(self.venue.sequences), market),
            *(encode_flags(flags), 0 if is_market else ticks, lots, expiry),
        )
        self.send(tx)

    def block_trade(self) -> None:
        """One or two legs near the marks, and now and then one that is nothing."""
        r, number = self.random, self.venue.sequences
        maker, taker = self.account(), self.account()
        markets = r.choice(((0,), (1,), (0, 1), (0, 1), (1, 0), (0, 7)))
        legs = [
            Leg(
                *(market, r.randrange(2)),
                self.marks[market % 2]
                // TICKS[market % 2]
                * r.choice((*[995, 1_000] * 5, 1_200))
                // 1_000,
                r.choice((*[r.randint(1, 20_000)] * 9, 0, 500_000)),
            )
            for market in markets
        ]
        tx = BlockTrade(
            *(maker, self._epoch(maker, may_block_trade), next(number)),
            *(taker, self._epoch(taker, may_block_trade), next(number)),
            *(r.choice((*[FAR] * 9, self.now - 1)), len(legs)),
            legs=(*legs, *[NO_LEG] * (BLOCK_LEGS_MAX - len(legs))),
        )
        signers = [self.signer(maker, tx.maker_epoch), self.signer(taker, tx.taker_epoch)]
        signature = sign_transaction(tx, key(signers[0]), taker=key(signers[1]))
        self.sent.append((tx, signature))
        self.count(self.venue.run(tx, signature))

    def cancel(self) -> None:
        r, number = self.random, self.account()
        orders = self.venue.state.account(number).orders
        expiry = r.choice((*[FAR] * 9, self.now - 1))
        signed = number, self._epoch(number), next(self.venue.sequences)
        if r.random() < 0.05:
            self.send(CancelAll(*signed, r.choice((0, 0, 0, 1, 1, 2)), r.choice((0, 1, 9)), expiry))
            return
        target = (0, 12345)
        if orders:
            order = r.choice(orders)
            target = order.epoch, order.sequence
        self.send(Cancel(*signed, *target, expiry))

    def amend(self) -> None:
        """Half of them smaller or sooner over, the others at another price, size or end."""
        r, number = self.random, self.account()
        orders = self.venue.state.account(number).orders
        if not orders:
            return
        place = r.choice(orders)
        resting = self.venue.state.order(place.market, place.side, place.key)
        assert resting is not None
        ticks, lots, expiry = key_ticks(place.side, place.key), resting.lots, resting.expiry
        if r.random() < 0.5:
            lots = r.choice((0, 1, lots, lots - 1, r.randint(1, lots)))
            expiry = r.choice((expiry, expiry, expiry - 1, self.now + 5, self.now - 1))
        else:
            ticks = max(0, ticks + r.choice((0, 0, *[ticks // 300, -ticks // 300] * 3, -ticks)))
            lots = r.choice((lots, lots + 1, 2 * lots, r.randint(1, lots), 2**48 - 1))
            expiry = r.choice((expiry, expiry, expiry + 1, FAR, FAR * 2))
        name = (place.epoch, place.sequence + r.choice((*[0] * 19, 1)))
        tx = Amend(
            *(number, self._epoch(number), next(self.venue.sequences)),
            *(*name, ticks, lots, expiry),
        )
        self.send(tx)

    def move_price(self) -> None:
        market = self.random.randrange(2)
        change = self.random.choice((1, 1, 3, 9)) * self.random.randint(-10, 10)
        self.marks[market] = max(1_000, self.marks[market] * (1_000 + change) // 1_000)
        self.statuses[self.venue.price(self.marks[market], market)] += 1

    def odd_price(self) -> None:
        """A price that is old, early, nothing, or nobody's."""
        r = self.random
        market = r.randrange(2)
        next_time = self.venue.state.rows[market].time + 1
        seen = r.choice((next_time, next_time, self.now, self.now + 1))
        tx = SignedPrice(market, r.choice((0, START)), seen)
        signature = sign_transaction(tx, r.choice((PUBLISHER, PUBLISHER, key("mallory"))))
        receipt = self.venue.run(tx, signature)
        if receipt.status == Status.OK:
            self.marks[tx.market] = tx.price
        self.count(receipt)

    def withdraw(self) -> None:
        number = self.account()
        amount = self.random.choice((0, 1, 10**6, 10**8, 2**64 - 1))
        recipient = self.random.choice((*[key(self.owners[number]).address] * 9, bytes(20)))
        self.send(Withdraw(number, next(self.venue.sequences), recipient, amount, FAR))

    def transfer(self) -> None:
        number = self.account()
        to = self.random.choice((number, number + 1, 1 << 8, 2**32 - 1))
        amount = self.random.choice((0, 1, 7 * DOLLAR, 10**23))
        self.send(Transfer(number, next(self.venue.sequences), to, amount, FAR))

    def deposit(self) -> None:
        """An account that had gone to an heir comes back with it."""
        name = self.random.choice(NAMES)
        self.owners[self.venue.open(name, self.random.randint(1, 50))] = name

    def replay(self) -> None:
        if self.sent:
            self.count(self.venue.run(*self.random.choice(self.sent)))

    def noise(self) -> None:
        """A row of random bytes, sometimes under a signature made for something else."""
        kind = self.random.choice(tuple(Kind))
        if kind == Kind.HEADER:
            return
        row = self.random.randbytes(ROW_WIDTHS[kind])
        width = SIGNATURE_WIDTHS[kind]
        signature = self.random.choice(
            [s for _, s in self.sent if len(s) == width] or [bytes(width)]
        )
        if self.random.random() < 0.5:
            signature = self.random.randbytes(width)
        self.count(self.venue.run(decode_transaction(kind, row), signature))

    def wait(self) -> None:
        seconds = self.random.choice((*[-1, 0, 1, 20] * 4, 4_000))
        self.count(self.venue.run(Header(self.now + seconds)))

    @property
    def now(self) -> int:
        return self.venue.state.machine.time

    def _epoch(self, number: int, may: Callable[[Account, int, int], bool] = may_trade) -> int:
        """The owner's key, or one that may, or now and then one that may not."""
        account = self.venue.state.account(number)
        likely = [k.epoch for k in account.keys if may(account, k.epoch, self.now)]
        return self.random.choice((*[0] * 20, *likely * 8, *[k.epoch for k in account.keys], 99))
