"""Who trades in a random history, with what keys, and the dice they throw."""

from random import Random

from reference_driver import ZERO, Twins, address
from reference_ledger import Holder, Market
from reference_markets import GRAND_MARK, MARK, NOBODYS, grand, listings

from state.transactions import AddKey
from state.transactions.list_market import Listing

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
FAR = 10**6


class Chance:
    """Seven traders, some with two accounts, and chance from `seed` alone."""

    def __init__(self, seed: int) -> None:
        self.random = r = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        self.mark, self.grand = MARK, r.random() < 0.1
        markets = listings(r)
        if self.grand:
            self.mark, markets = GRAND_MARK, grand(r, markets)
        self.listed: dict[int, Listing] = {market.market: market for market in markets}
        self.twins = Twins(seed, markets, self.mark)
        self.accounts: list[int] = []
        self.sequence = 10
        for owner, name in enumerate(NAMES, 1):
            for subaccount in range(r.choice((1, 1, 2))):
                number = owner << 8 | subaccount
                micro = r.choice((3, 50, 300, 2_000, 40_000)) * 10**6 + r.randrange(10**6)
                if self.grand:
                    micro = min(2**64 - 1, micro * GRAND_MARK // MARK)
                self.twins.deposit(number, address(name), micro)
                self.accounts.append(number)
                self._delegate(number)
        if r.random() < 0.5:
            self.twins.number_orders_from(0, 2**40 - r.randint(5, 200))

    def _delegate(self, number: int) -> None:
        """Trading for good, all for a while, all but placing orders; now and then the floor."""
        r, now = self.random, self.now
        self.twins.number_keys_from(number, r.choice((0, 5, 2**32 - r.randint(3, 20))))
        for permissions, life in ((1, FAR), (7, 5_000), (6, FAR)):
            if r.random() < 0.8:
                bot = address(f"{number}'s bot {permissions}")
                tx = AddKey(number, self._next(), bot, now + life, permissions, now)
                self.twins.run(tx, self.holder(number).owner)
        self.twins.raise_floor(number, r.choice((0, 0, self.sequence + 9)))

    # --- what there is ---

    @property
    def now(self) -> int:
        return self.twins.model.time

    def holder(self, number: int) -> Holder:
        return self.twins.model.ledger.holders[number]

    def market(self, number: int) -> Market:
        return self.twins.model.markets[number]

    # --- dice ---

    def _market(self) -> int:
        return self.random.choice(sorted(self.listed))

    def _any_market(self) -> int:
        return NOBODYS if self.random.random() < 0.05 else self._market()

    def _affordable(self, number: int) -> int:
        """About what the account's cash is margin for."""
        return max(1, max(0, self.holder(number).cash) * self.random.randint(1, 30) // self.mark)

    def _next(self) -> int:
        self.sequence += self.random.choice((1, 1, 2))
        return max(0, self.sequence - self.random.choice((*[0] * 60, 1, 900)))

    def _expiry(self) -> int:
        return self.now + self.random.choice((*[1_000] * 9, 0, -1))

    def _signer(self, number: int) -> tuple[int, bytes]:
        """An epoch, and who signs for it: now and then a key that is gone, or a stranger."""
        r, holder = self.random, self.holder(number)
        epoch = 0 if r.random() < 0.75 else r.choice(sorted(holder.keys))
        if r.random() < 0.02:
            epoch = min(2**32 - 1, r.randint(max(0, holder.key_epoch - 6), holder.key_epoch + 1))
        signer = holder.keys.get(epoch, holder.keys[0]).address
        return epoch, self._maybe_stranger(number, signer)

    def _owner(self, number: int) -> bytes:
        return self._maybe_stranger(number, self.holder(number).owner)

    def _maybe_stranger(self, number: int, signer: bytes) -> bytes:
        r = self.random
        if r.random() > 0.02:
            return signer
        own = [key.address for key in self.holder(number).keys.values()]
        return r.choice((ZERO, address("mallory"), r.choice(own)))
