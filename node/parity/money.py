"""Prices, time, and money that leaves, by chance: over the line by one unit too."""

from node.parity.chance import NOBODYS, Chance
from state.crypto import ZERO_ADDRESS
from state.limits import PRICE_MAX, TIME_MAX
from state.margin import cautious_health
from state.transactions import Header, SignedPrice, Transfer, Withdraw
from state.units import NANO_PER_MICRO

JUMP = 10**6
"""A price may be as many times the one before, or as small a part of it."""


class Money(Chance):
    """What moves marks, the clock and cash."""

    def price(self) -> None:
        """Mostly a new one near the last, by a publisher of the market."""
        r, number = self.random, self.any_market()
        row = self.row(number)
        publisher = r.choice(self.market(number).publishers).address
        if r.random() < 0.8:
            self.send(Header(max(self.now, row.time + 1)))
        change = r.choice((1, 1, 3, 9)) * r.randint(-10, 10)
        value = max(1_000, row.mark * (1_000 + change) // 1_000)
        if r.random() < 0.2 or not row.mark:
            value = self.mark + r.randrange(1_000)
        time = self.now
        if r.random() < 0.15:
            time, value = time + r.choice((0, 0, 1, -1)), r.choice((value, value, 0, 2**56 - 1))
        elif r.random() < 0.04:
            # As old as a price may be, or a second older.
            self.send(Header(time + row.price_age_max + 2))
            time = self.now - row.price_age_max - r.choice((0, 1))
        if r.random() < 0.06:
            publisher, number = r.choice(
                ((ZERO_ADDRESS, number), (self.address("alice"), number), (publisher, NOBODYS))
            )
        self.send(SignedPrice(number, min(PRICE_MAX, value), max(0, time)), publisher)

    def jump(self) -> None:
        """A million times the price, or a millionth of it, and back."""
        r, number = self.random, self.any_market()
        for value in (r.choice((self.mark * JUMP, self.mark // JUMP)), self.mark):
            self.send(Header(self.now + r.choice((1, 60, 600))))
            tx = SignedPrice(number, max(1, min(PRICE_MAX, value)), self.now)
            self.send(tx, self.market(number).publishers[0].address)
            for _ in range(r.randrange(6)):
                r.choice((self.withdraw, self.transfer, self.any_trade))()

    def any_trade(self) -> None:
        """What the other rooms of a history bring."""

    def wait(self) -> None:
        """A header: mostly a few seconds later, now and then beyond the bounds or in the past."""
        r, machine = self.random, self.world.machine
        seconds = r.choice((*[-1, 0, 1, 5, 20] * 4, 300, 901, 4_000))
        bounds = machine.time_min - 1, machine.time_max + 1, machine.time_max
        beyond = [time for time in bounds if 0 <= time < TIME_MAX]
        if beyond and r.random() < 0.1:
            self.send(Header(r.choice(beyond)))
        elif machine.time_max == TIME_MAX or r.random() < 0.5:
            self.send(Header(max(0, self.now + seconds)))
        if seconds > 300:
            self.refresh()

    def refresh(self) -> None:
        """Most prices again, so that not everything is stale."""
        for number in sorted(self.listed)[:20]:
            market, row = self.market(number), self.row(number)
            if self.random.random() < 0.8:
                tx = SignedPrice(number, row.mark or self.mark, self.now)
                self.send(tx, market.publishers[0].address)

    def freshen(self) -> None:
        """Every mark that is too old counts again, by hand: waiting ages all of them at once."""
        for number in self.listed:
            row = self.row(number)
            if row.mark and self.now - row.time > row.price_age_max:
                self.seen_now(number)

    def spare(self, number: int) -> int:
        """Nano-USD that an account could do without, if its marks are fresh."""
        health = cautious_health(self.world.state, self.account(number))
        return health.equity - health.initial

    def withdraw(self) -> None:
        """A little, all that may leave, or a unit more."""
        r, number = self.random, self.any_account()
        cash, most = max(0, self.account(number).cash), max(0, self.spare(number)) // NANO_PER_MICRO
        amount = r.choice((0, 1, cash // 10_000, cash // 1_000, most, most + 1, 2**64 - 1))
        owner = self.account(number).owner
        recipient = r.choice((*[owner] * 9, ZERO_ADDRESS))
        amount = min(amount, 2**64 - 1)
        self.send(Withdraw(number, self.next(), recipient, amount, self.expiry()), owner)

    def transfer(self) -> None:
        """To oneself, to one's own, to another's: a little, all, or a unit more."""
        r, number = self.random, self.any_account()
        to = r.choice((number ^ 1, number ^ 1, number ^ 1, number ^ 2, number, 1 << 8, 2**32 - 1))
        cash, most = max(0, self.account(number).cash), max(0, self.spare(number))
        amount = r.choice((0, 1, cash // 7, cash // 100, most, most + 1, 2**80 - 1))
        tx = Transfer(number, self.next(), to, min(amount, 2**80 - 1), self.expiry())
        self.send(tx, self.account(number).owner)
        opened = not self.account(to).is_absent and to not in self.accounts
        if opened and len(self.accounts) < 16:
            self.accounts.append(to)
