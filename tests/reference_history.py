"""Chance for the venue and the model alike: every kind of transaction, and every refusal.

Traders are thinly margined, markets are small and unlike, prices jump and go stale.
"""

from reference_chance import Chance
from reference_deals import Deals
from reference_driver import ZERO, address
from reference_margin import spare
from reference_markets import NOBODYS
from reference_powers import Powers
from reference_quotes import Quotes

from state.transactions import (
    AddKey,
    Amend,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transaction,
    Transfer,
    Withdraw,
)


class Money(Chance):
    """Prices, time, and money that leaves."""

    def price(self) -> None:
        r, now = self.random, self.now
        number = self._market()
        market = self.market(number)
        if r.random() < 0.8:
            self.twins.run(Header(max(now, market.time + 1)))
        change = r.choice((1, 1, 3, 9)) * r.randint(-10, 10)
        value = max(1_000, market.mark * (1_000 + change) // 1_000)
        if r.random() < 0.2 or not market.mark:
            value = self.mark + r.randrange(1_000)
        now = time = self.now
        if r.random() < 0.15:
            time, value = now + r.choice((0, 0, 1, -1)), r.choice((value, value, 0))
        elif r.random() < 0.03:
            # As old as a price may be, or a second older.
            age = market.terms.price_age_max
            self.twins.run(Header(now + age + 2))
            time = self.now - age - r.choice((0, 1))
        signer = market.terms.publisher
        if r.random() < 0.06:
            signer, number = r.choice(
                ((ZERO, number), (address("alice"), number), (signer, NOBODYS))
            )
        self.twins.run(SignedPrice(number, value, time), signer)

    def wait(self) -> None:
        seconds = self.random.choice((*[-1, 0, 1, 5, 20] * 4, 300, 901, 4_000))
        self.twins.run(Header(max(0, self.now + seconds)))
        if seconds > 300:
            self._refresh()

    def _refresh(self) -> None:
        """Most prices again, so that not everything is stale."""
        for number, market in self.twins.model.markets.items():
            if self.random.random() < 0.8:
                tx = SignedPrice(number, market.mark or self.mark, self.now)
                self.twins.run(tx, market.terms.publisher)

    def withdraw(self) -> None:
        r = self.random
        number = r.choice(self.accounts)
        cash = max(0, self.holder(number).cash)
        amount = r.choice((0, 1, cash // 10_000, cash // 2_000, cash // 1_000, 2**64 - 1))
        recipient = r.choice((*[address("alice")] * 9, ZERO))
        tx = Withdraw(number, self._next(), recipient, amount, self._expiry())
        self.twins.run(tx, self._owner(number))

    def transfer(self) -> None:
        r = self.random
        number = r.choice(self.accounts)
        to = r.choice((number ^ 1, number ^ 1, number ^ 1, number ^ 2, number, 1 << 8, 2**32 - 1))
        cash = max(0, self.holder(number).cash)
        most = max(0, spare(self.twins.model.ledger, self.twins.model.markets, number))
        amount = r.choice((0, 1, cash // 7, most, most + 1, most + 1, 2**80 - 1))
        tx = Transfer(number, self._next(), to, min(amount, 2**80 - 1), self._expiry())
        self.twins.run(tx, self._owner(number))


class RandomHistory(Quotes, Deals, Powers, Money):
    """A history from `seed` alone."""

    def run(self, count: int) -> None:
        """At least `count` operations."""
        actions = [
            *[self.order] * 40,
            *[self.quote] * 40,
            *[self.take] * 40,
            *[self.reduce] * 25,
            *[self.amend] * 40,
            *[self.block_trade] * 25,
            *[self.cancel] * 14,
            *[self.price] * 12,
            *[self.add_key] * 5,
            *[self.set_parameters] * 6,
            *[self.cancel_all, self.revoke_key] * 3,
            *[self.withdraw, self.transfer, self.wait] * 4,
            *[self.force_revoke, self.force_rotate] * 2,
            self.list_market,
            *[self.deposit, self.replay, self.noise, self.next_batch],
            *[self.few_steps] * 3,
        ]
        while self.twins.operations < count:
            if self.random.random() < 0.0004:
                self.crowd()
            if self.random.random() < 0.003:
                self.spread_out()
            self.random.choice(actions)()

    def replay(self) -> None:
        """Something that was said before, by who said it."""
        tx, signers = self.random.choice(self.twins.past)
        self.twins.run(tx, *signers)

    def noise(self) -> None:
        """Numbers that name nobody, and a signer who is nobody."""
        r, now = self.random, self.now
        number = r.choice((0, 2**32 - 1, *self.accounts))
        epoch, sequence = r.choice((0, 4, 2**32 - 1)), r.choice((0, 1, 2**64 - 1))
        signer = r.choice((ZERO, address("mallory")))
        choices: tuple[Transaction, ...] = (
            Cancel(number, epoch, sequence, 0, 0, now),
            CancelAll(number, epoch, sequence, 1, 0, now),
            Amend(number, epoch, sequence, 0, 0, 1, 1, now),
            AddKey(number, sequence, signer, now, 1, now),
            RevokeKey(number, sequence, 1, now),
            Withdraw(number, sequence, ZERO, 0, now),
            Transfer(number, sequence, number, 0, now),
            NewOrder(number, epoch, sequence, 0, r.randrange(256), 1, 1, now),
        )
        if number in self.accounts and r.random() < 0.2:
            # The last sequence number that there is: this key has no further one.
            epoch = max(self.holder(number).keys)
            signer = self.holder(number).keys[epoch].address if epoch else ZERO
            choices = (Cancel(number, epoch, 2**64 - 1, 0, 3, now),)
        self.twins.run(r.choice(choices), signer)

    def next_batch(self) -> None:
        """Under time bounds that the next header may miss."""
        now = self.now
        self.twins.next_batch(now + self.random.choice((0, 0, 30)), now + 60)
        self.twins.run(Header(self.random.choice((now + 60, now + 61, now + 29))))
        self.twins.next_batch(0, 2**40 - 1)

    def few_steps(self) -> None:
        """The end of a batch: transactions that could need more steps than are left."""
        r = self.random
        ends = (259, (self.quote, self.amend)), (65, (self.cancel_all,)), (7, (self.block_trade,))
        most, kinds = r.choice(ends)
        self.twins.state.machine.steps_left = 1 + most + r.choice((-1, 0, 0, 1))
        r.choice(kinds)()
        r.choice((self.cancel, *kinds))()
        self.twins.next_batch(0, 2**40 - 1)
