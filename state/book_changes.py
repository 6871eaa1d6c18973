"""What became of resting orders, read off a state's log: for readers, no rule asks."""

from msgspec import Struct

from state.memory import MemoryState
from state.orders import RestingOrder


class BookChange(Struct, frozen=True, gc=False):
    """An order in the book before and after a transaction; None where none was at that key."""

    market: int
    side: int
    key: int
    before: RestingOrder | None
    after: RestingOrder | None


class BookWatch:
    """Says of one transaction after the other what it did to the books of a state."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._seen = state.log_length

    def take(self) -> tuple[BookChange, ...]:
        """What changed since it was last asked; not across a cut of the log."""
        state = self._state
        first: dict[tuple[int, int, int], RestingOrder | None] = {}
        for name, place, before in state.written(self._seen):
            if name == "orders":
                first.setdefault(place, before)
        self._seen = state.log_length
        return tuple(
            BookChange(*place, before, after)
            for place, before in first.items()
            if (after := state.order(*place)) is not before
        )
