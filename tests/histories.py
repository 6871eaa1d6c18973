"""Random histories of a venue: valid and invalid transactions from one seed.

Traders are thinly margined and prices jump, so that orders fail for every reason there is.
Session keys are written into the leaves by hand: a venue that is rebuilt from the
transactions alone has none, and answers UNKNOWN_KEY to what they sign.
"""

from collections import Counter
from random import Random

from builders import DOLLAR, FAR, PUBLISHER, Venue, key, listing, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_TRADE, SessionKey
from state.execution import Receipt
from state.orders import BUY, Flags, Life, SelfTrade, encode_flags
from state.status import Status
from state.transactions import (
    Cancel,
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    Transfer,
    Withdraw,
    decode_transaction,
)
from state.transactions.kinds import ROW_WIDTHS, Kind

NAMES = ("alice", "bob", "carol", "dave", "erin")
START = 50_000_000
TICKS = (100, 1_000)
SMALL_LOTS_MAX = 40_000
TRADES, ONLY_READS, EXPIRES_SOON = 1, 2, 3
"""Epochs of the session keys that every account has; one key signs for all three."""


class History:
    """Five traders, two markets, and chance from `seed` alone."""

    def __init__(self, seed: int, **options: object) -> None:
        self.random = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
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
        self.venue = Venue(markets=(listing(), small), **options)  # type: ignore[arg-type]
        self.accounts: list[tuple[str, int]] = []
        for name in NAMES:
            for subaccount in (0, 0, 1)[: self.random.choice((2, 3))]:
                dollars = self.random.choice((50, 300, 1_000, 5_000, 50_000))
                number = self.venue.open(name, dollars, subaccount)
                if (name, number) not in self.accounts:
                    self.accounts.append((name, number))
                    self._delegate(name, number)
        self.marks = [START, START]
        self.statuses: Counter[Status] = Counter()
        self.sent: list[tuple[Transaction, bytes]] = []

    def run(self, count: int) -> None:
        """`count` random transactions, most of them sensible."""
        actions = [
            *[self.order] * 14,
            *[self.large_order] * 5,
            *[self.cancel] * 3,
            *[self.move_price] * 3,
            *[self.withdraw, self.transfer, self.deposit, self.replay, self.noise, self.wait],
            self.odd_price,
        ]
        for _ in range(count):
            self.random.choice(actions)()

    def order(self) -> None:
        r = self.random
        lots = r.choice((1, 10, 1_000, 20_000, 100_000, 3_000_000))
        self._order(*r.choice(self.accounts), r.randint(1, lots))

    def large_order(self) -> None:
        """About as much as the account's cash is margin for at five percent."""
        name, number = self.random.choice(self.accounts)
        most = max(0, self.venue.state.account(number).cash) * 20 // START
        self._order(name, number, max(1, most * self.random.randint(70, 110) // 100))

    def _order(self, name: str, number: int, lots: int) -> None:
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
            *(number, self._epoch(), next(self.venue.sequences), market),
            *(encode_flags(flags), 0 if is_market else ticks, lots, expiry),
        )
        self._send(tx, name)

    def cancel(self) -> None:
        name, number = self.random.choice(self.accounts)
        orders = self.venue.state.account(number).orders
        target = (0, 12345)
        if orders:
            order = self.random.choice(orders)
            target = order.epoch, order.sequence
        expiry = self.random.choice((*[FAR] * 9, self.now - 1))
        tx = Cancel(number, self._epoch(), next(self.venue.sequences), *target, expiry)
        self._send(tx, name)

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
        self._count(receipt)

    def withdraw(self) -> None:
        name, number = self.random.choice(self.accounts)
        amount = self.random.choice((0, 1, 10**6, 10**8, 2**64 - 1))
        recipient = self.random.choice((*[key(name).address] * 9, bytes(20)))
        self._send(Withdraw(number, next(self.venue.sequences), recipient, amount, FAR), name)

    def transfer(self) -> None:
        name, number = self.random.choice(self.accounts)
        to = self.random.choice((number, number + 1, 1 << 8, 2**32 - 1))
        amount = self.random.choice((0, 1, 7 * DOLLAR, 10**23))
        self._send(Transfer(number, next(self.venue.sequences), to, amount, FAR), name)

    def deposit(self) -> None:
        self.venue.open(self.random.choice(NAMES), self.random.randint(1, 50))

    def replay(self) -> None:
        if self.sent:
            self._count(self.venue.run(*self.random.choice(self.sent)))

    def noise(self) -> None:
        """A row of random bytes, sometimes under a signature made for something else."""
        kind = self.random.choice(tuple(Kind))
        if kind == Kind.HEADER:
            return
        row = self.random.randbytes(ROW_WIDTHS[kind])
        signature = self.random.choice([s for _, s in self.sent] or [bytes(64)])
        if self.random.random() < 0.5:
            signature = self.random.randbytes(64)
        self._count(self.venue.run(decode_transaction(kind, row), signature))

    def wait(self) -> None:
        seconds = self.random.choice((*[-1, 0, 1, 20] * 4, 4_000))
        self._count(self.venue.run(Header(self.now + seconds)))

    @property
    def now(self) -> int:
        return self.venue.state.machine.time

    def _delegate(self, name: str, number: int) -> None:
        bot, state = key(f"{name}'s bot").address, self.venue.state
        keys = (
            SessionKey(TRADES, bot, 0, FAR, PERMIT_TRADE),
            SessionKey(ONLY_READS, bot, 0, FAR, 0),
            SessionKey(EXPIRES_SOON, bot, 0, self.now + 100, PERMIT_TRADE),
        )
        account = replace(state.account(number), key_epoch=EXPIRES_SOON, keys=keys)
        state.accounts[number] = account
        state.dirty.add(("accounts", number))

    def _epoch(self) -> int:
        return self.random.choice((*[0] * 30, *[TRADES] * 12, ONLY_READS, EXPIRES_SOON, 9))

    def _send(self, tx: Transaction, name: str) -> None:
        signer = name if self.random.random() < 0.97 else "mallory"
        if isinstance(tx, NewOrder | Cancel) and tx.epoch != 0 and signer == name:
            signer = f"{name}'s bot"
        signature = sign_transaction(tx, key(signer))
        self.sent.append((tx, signature))
        self._count(self.venue.run(tx, signature))

    def _count(self, receipt: Receipt) -> None:
        self.statuses[receipt.status] += 1
