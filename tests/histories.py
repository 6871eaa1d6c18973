"""Random histories of a venue: valid and invalid transactions from one seed."""

from collections import Counter
from random import Random

from builders import DOLLAR, FAR, Venue, key, listing, sign_transaction

from state.execution import Receipt
from state.orders import Flags, Life, SelfTrade, encode_flags
from state.status import Status
from state.transactions import (
    Cancel,
    Header,
    NewOrder,
    Transaction,
    Transfer,
    Withdraw,
    decode_transaction,
)
from state.transactions.kinds import ROW_WIDTHS, Kind

NAMES = ("alice", "bob", "carol", "dave", "erin")
START = 50_000_000


class History:
    """Five traders, two markets, and chance from `seed` alone."""

    def __init__(self, seed: int, **options: object) -> None:
        self.random = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        self.seed = seed
        small = listing(
            1, symbol=b"ETH-USD-PERP", tick=1_000, order_lots_max=10**6, position_max=10**6
        )
        self.venue = Venue(markets=(listing(), small), **options)  # type: ignore[arg-type]
        for name in NAMES:
            self.venue.open(name, self.random.choice((500, 5_000, 50_000)))
        self.marks = [START, START]
        self.statuses: Counter[Status] = Counter()
        self.sent: list[tuple[Transaction, bytes]] = []

    def run(self, count: int) -> None:
        """`count` random transactions, most of them sensible."""
        actions = [
            *[self.order] * 12,
            *[self.cancel] * 3,
            *[self.move_price] * 2,
            *[self.withdraw, self.transfer, self.deposit, self.replay, self.noise, self.wait],
        ]
        for _ in range(count):
            self.random.choice(actions)()

    def order(self) -> None:
        r = self.random
        market, side = r.randrange(2), r.randrange(2)
        tick = (100, 1_000)[market]
        around = self.marks[market] // tick
        ticks = max(1, around + r.randint(-around // 200, around // 200))
        is_market = r.random() < 0.15
        life = r.choice((Life.IOC, Life.FOK) if is_market else tuple(Life))
        flags = Flags(side, is_market, life, r.random() < 0.15, r.choice(tuple(SelfTrade)))
        lots = r.choice((1, 10, 1_000, 20_000, 100_000, 3_000_000))
        expiry = r.choice((*[FAR] * 12, self.now + 30, self.now + 5, self.now - 1, FAR * 2))
        name, number = self._trader()
        tx = NewOrder(
            *(number, 0, next(self.venue.sequences), market),
            *(encode_flags(flags), 0 if is_market else ticks, r.randint(1, lots), expiry),
        )
        self._send(tx, name)

    def cancel(self) -> None:
        name, number = self._trader()
        orders = self.venue.state.account(number).orders
        target = self.random.choice(orders).sequence if orders else 12345
        self._send(Cancel(number, 0, next(self.venue.sequences), 0, target, FAR), name)

    def move_price(self) -> None:
        market = self.random.randrange(2)
        change = self.random.choice((1, 1, 1, 3)) * self.random.randint(-10, 10)
        self.marks[market] = max(1_000, self.marks[market] * (1_000 + change) // 1_000)
        self.statuses[self.venue.price(self.marks[market], market)] += 1

    def withdraw(self) -> None:
        name, number = self._trader()
        amount = self.random.choice((0, 1, 10**6, 10**8, 2**64 - 1))
        sequence = next(self.venue.sequences)
        self._send(Withdraw(number, sequence, key(name).address, amount, FAR), name)

    def transfer(self) -> None:
        name, number = self._trader()
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
        self._count(self.venue.run(Header(self.now + self.random.choice((-1, 0, 1, 20)))))

    @property
    def now(self) -> int:
        return self.venue.state.machine.time

    def _trader(self) -> tuple[str, int]:
        name = self.random.choice(NAMES)
        return name, self.venue.numbers[name] << 8

    def _send(self, tx: Transaction, name: str) -> None:
        signer = name if self.random.random() < 0.97 else "mallory"
        signature = sign_transaction(tx, key(signer))
        self.sent.append((tx, signature))
        self._count(self.venue.run(tx, signature))

    def _count(self, receipt: Receipt) -> None:
        self.statuses[receipt.status] += 1
