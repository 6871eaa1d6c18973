"""Two orders that meet: bob's, and what rests at the front of the book he trades with."""

from typing import Any

from builders import Venue

from state.execution import Receipt
from state.orders import BUY, Life
from state.status import Status

MARK = 500_000

LIVES = {"GTC": Life.GTC, "IOC": Life.IOC, "FOK": Life.FOK, "post-only": Life.POST_ONLY}
MARKETS = {"market IOC": Life.IOC, "market FOK": Life.FOK}


class Meeting:
    """A `side` order of bob's, for ten lots, meets alice's front order, then carol's behind it."""

    def __init__(self, side: int) -> None:
        self.side, self.towards = side, 1 if side == BUY else -1
        self.venue = Venue()
        for name in ("alice", "bob", "carol", "dave"):
            self.venue.open(name, 10_000)

    def ticks(self, behind: int) -> int:
        """So much behind the front of the book."""
        return MARK + behind * self.towards

    def rests(self, name: str, lots: int, behind: int = 0, **options: Any) -> None:
        """An order on the side that bob meets."""
        receipt = self.venue.order(name, 1 - self.side, lots, self.ticks(behind), **options)
        assert receipt.status == Status.OK

    def give(self, name: str, side: int, lots: int) -> None:
        """A position, from dave."""
        assert self.venue.order(name, side, lots, MARK).status == Status.OK
        assert self.venue.order("dave", 1 - side, lots, MARK).status == Status.OK

    def meets(self, life: str, lots: int = 10, **options: Any) -> Receipt:
        ticks = 0 if life in MARKETS else self.ticks(9)
        chosen = (LIVES | MARKETS)[life]
        return self.venue.order("bob", self.side, lots, ticks, life=chosen, **options)

    def front(self) -> int | None:
        """Whose it is, on the side that bob meets."""
        front = self.venue.state.front(0, 1 - self.side)
        return None if front is None else front[1].account >> 8
