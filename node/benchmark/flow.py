"""The load: a mix of messages that is nearly always valid, from a seed alone.

Out of eight messages two rest near the mark and are traded, two rest further away and are
cancelled later, two cross the spread, two cancel. So books neither grow nor run empty, and a
whole run can be signed before its first message is sent.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from random import Random

from msgspec import Struct

from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.transactions import Cancel, CancelAll, NewOrder

LOTS = 1_000
"""About $60 of BTC."""

NEAR_TICKS, FAR_TICKS, FAR_SPAN_TICKS = 5, 50, 200
OUTSTANDING = 32
"""Orders that rest far from the mark before the first of them is cancelled."""

FIRST_NEAR = 16
"""Orders on each side before the first that crosses."""

FlowMessage = NewOrder | Cancel | CancelAll


class Trader(Struct, frozen=True):
    """An account and who signs for it."""

    account: int
    owner: bytes
    private_key: bytes = b""


class Flow:
    """Endless messages of `traders` around `ticks` in `market`, each with its trader's place.

    There are two of them at least: every other one rests, the others cross. Sequence numbers of
    every account begin at `first`; a message of an account must reach the venue behind all that
    came before it of the same account.
    """

    def __init__(
        self,
        traders: Sequence[Trader],
        *,
        seed: int,
        ticks: int,
        expiry: int,
        first: int = 1,
        market: int = 0,
    ) -> None:
        self.traders = traders
        self._random = Random(seed)  # noqa: S311  (a seed repeats the load)
        self._ticks, self._expiry, self._market = ticks, expiry, market
        self._sequences = [first] * len(traders)
        self._far: deque[tuple[int, int]] = deque()
        self._waiting: deque[tuple[int, FlowMessage]] = deque()

    def clear(self) -> list[tuple[int, FlowMessage]]:
        """What takes away all that rests from before."""
        return [
            (at, CancelAll(trader.account, 0, self._next(at), 1, 0, self._expiry))
            for at, trader in enumerate(self.traders)
        ]

    def begin(self) -> list[tuple[int, FlowMessage]]:
        """What must rest before anything can cross."""
        return [self._near(side) for side in (BUY, SELL) for _ in range(FIRST_NEAR)]

    def take(self, count: int) -> list[tuple[int, FlowMessage]]:
        """The next `count` messages, each with the place of its trader."""
        while len(self._waiting) < count:
            self._waiting.extend(self._eight())
        return [self._waiting.popleft() for _ in range(count)]

    def _eight(self) -> Iterator[tuple[int, FlowMessage]]:
        acts = [self._near, self._distant, self._cross, self._cancel] * 2
        sides = [BUY] * 4 + [SELL] * 4
        pairs = list(zip(acts, sides, strict=True))
        self._random.shuffle(pairs)
        for act, side in pairs:
            yield act(side)

    def _near(self, side: int) -> tuple[int, FlowMessage]:
        away = self._random.randint(1, NEAR_TICKS)
        return self._order(side, -away, Life.GTC, self._maker())

    def _cross(self, side: int) -> tuple[int, FlowMessage]:
        return self._order(side, NEAR_TICKS, Life.IOC, self._maker() + 1)

    def _distant(self, side: int) -> tuple[int, FlowMessage]:
        away = FAR_TICKS + self._random.randrange(FAR_SPAN_TICKS)
        at, order = self._order(side, -away, Life.GTC, self._maker())
        self._far.append((at, order.sequence))
        return at, order

    def _cancel(self, side: int) -> tuple[int, FlowMessage]:
        if len(self._far) <= OUTSTANDING:
            return self._distant(side)
        at, order = self._far.popleft()
        account = self.traders[at].account
        return at, Cancel(account, 0, self._next(at), 0, order, self._expiry)

    def _maker(self) -> int:
        """The first of a pair of traders: the second crosses, so nobody meets an own order."""
        return self._random.randrange(len(self.traders) // 2) * 2

    def _order(self, side: int, towards: int, life: Life, at: int) -> tuple[int, NewOrder]:
        """`towards` are ticks beyond the mark, away from it where negative."""
        ticks = self._ticks + (towards if side == BUY else -towards)
        return at, NewOrder(
            *(self.traders[at].account, 0, self._next(at), self._market),
            *(encode_flags(Flags(side, life=life)), ticks, LOTS, self._expiry),
        )

    def _next(self, at: int) -> int:
        sequence = self._sequences[at]
        self._sequences[at] += 1
        return sequence
