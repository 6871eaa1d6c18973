"""What a trader could want: a transaction of any kind, from chance."""

from collections import deque
from collections.abc import Callable
from itertools import count
from random import Random

from node.simulation.deployment import DOLLAR_MICRO, MARK, TICKS
from state.accounts import PERMISSIONS_ALL, PERMIT_CANCEL, PERMIT_TRADE
from state.legs import Leg, legs_of
from state.orders import Flags, Life, SelfTrade, encode_flags
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    NewOrder,
    RevokeKey,
    Transfer,
    Withdraw,
)

DOLLAR = 10**9
RECENT = 12
"""Orders that a trader remembers, to cancel or amend them."""


class Market:
    """Where prices are, as everybody in the story sees it."""

    def __init__(self) -> None:
        self.marks = [MARK, MARK]

    def move(self, market: int, random: Random) -> int:
        """The next price of a market: mostly near the last."""
        change = random.choice((1, 1, 3, 9)) * random.randint(-10, 10)
        self.marks[market] = max(10_000, self.marks[market] * (1_000 + change) // 1_000)
        return self.marks[market]

    def ticks(self, market: int, random: Random) -> int:
        """Within a hundredth of the mark, on either side of it."""
        around = self.marks[market] // TICKS[market]
        return max(1, around + random.randint(-around // 100, around // 100))


class Drafts:
    """Transactions of one owner; their sequence numbers rise, whatever key signs them."""

    def __init__(self, random: Random, market: Market, now: Callable[[], int]) -> None:
        self.sequences = count(1)
        self._random = random
        self._market = market
        self._now = now
        self._orders: deque[tuple[int, int]] = deque(maxlen=RECENT)

    @property
    def _next(self) -> int:
        return next(self.sequences)

    def _soon(self) -> int:
        return self._now() + 600

    def order(self, account: int, epoch: int) -> NewOrder:
        """Near the mark, one half of them crossing; sizes from dust to too much."""
        r, sequence = self._random, self._next
        market, side = r.choice((0, 0, 1)), r.randrange(2)
        is_market = r.random() < 0.15
        life = r.choice((Life.IOC, Life.FOK) if is_market else (*Life, Life.GTC, Life.GTC))
        flags = Flags(side, is_market, life, r.random() < 0.15, r.choice(tuple(SelfTrade)))
        ticks = 0 if is_market else self._market.ticks(market, r)
        expiry = self._now() + r.choice((20, 90, 600, 600, 3_600))
        self._orders.append((epoch, sequence))
        return NewOrder(
            account, epoch, sequence, market, encode_flags(flags), ticks, self._lots(market), expiry
        )

    def cancel(self, account: int, epoch: int) -> Cancel | CancelAll:
        """One of the last orders, or all of a market or of every one."""
        if not self._orders or self._random.random() < 0.2:
            every, market = self._random.randrange(2), self._random.randrange(2)
            return CancelAll(account, epoch, self._next, every, market, self._soon())
        target = self._random.choice(self._orders)
        return Cancel(account, epoch, self._next, *target, self._soon())

    def amend(self, account: int, epoch: int) -> Amend | NewOrder:
        """One of the last orders; a new one where there is none."""
        if not self._orders:
            return self.order(account, epoch)
        target = self._random.choice(self._orders)
        ticks, lots = self._market.ticks(0, self._random), self._lots(0)
        return Amend(account, epoch, self._next, *target, ticks, lots, self._soon())

    def withdrawal(self, account: int, recipient: bytes) -> Withdraw:
        micro = self._random.choice((1, 5, 40, 700)) * DOLLAR_MICRO
        return Withdraw(account, self._next, recipient, micro, self._soon())

    def transfer(self, account: int) -> Transfer:
        nano = self._random.randint(1, 90 * DOLLAR)
        return Transfer(account, self._next, account + 1, nano, self._soon())

    def new_key(self, account: int, key: bytes) -> AddKey:
        """For a bot that may do everything, or trade on the book, or only cancel, for a while."""
        permissions = self._random.choice((PERMISSIONS_ALL, PERMIT_TRADE, PERMIT_CANCEL))
        key_expiry = self._now() + self._random.choice((15, 300, 3_600))
        return AddKey(account, self._next, key, key_expiry, permissions, self._soon())

    def revocation(self, account: int) -> RevokeKey:
        epoch = self._random.randint(1, 3)
        return RevokeKey(account, self._next, epoch, self._soon())

    def block(self, maker: int, epoch: int, taker: int, taker_sequence: int) -> BlockTrade:
        """With somebody who has agreed to it already; one or two legs."""
        r = self._random
        markets = r.choice(((0,), (1,), (0, 1)))
        legs = [Leg(m, r.randrange(2), self._market.ticks(m, r), self._lots(m)) for m in markets]
        parties = (maker, epoch, self._next, taker, 0, taker_sequence)
        return BlockTrade(*parties, self._soon(), len(legs), legs_of(*legs))

    def _lots(self, market: int) -> int:
        sizes = (10, 1_000, 4_000) if market else (1_000, 20_000, 500_000)
        return self._random.randint(1, self._random.choice(sizes))
