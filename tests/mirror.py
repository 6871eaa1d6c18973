"""A reader that holds a copy of the venue and touches only what updates name."""

import asyncio
from typing import Any

from node.view import Executed, Update, UpdateFeed
from state.memory import MemoryState
from state.undo import Place


def leaf(state: MemoryState, place: Place) -> Any:
    """What the state has at a place, None where there is nothing."""
    name, key = place
    if name == "orders":
        return state.order(*key)
    if name == "withdrawals":
        return state.withdrawal(key)
    return getattr(state, name).get(key)


def leaves(state: MemoryState) -> dict[Place, Any]:
    """Everything the state has."""
    return {place: leaf(state, place) for place in state.places()}


class Mirror:
    """`told` is what ran since batch `batch`, as updates told it and rewinds took it back."""

    def __init__(self, updates: UpdateFeed, state: MemoryState, batch: int = 0) -> None:
        self.updates = updates
        self._queue: asyncio.Queue[Update | None] = updates.subscribe()
        self._number = updates.last
        self.leaves = leaves(state)
        self.told: list[Executed] = []
        self.rewinds = 0
        self.batch = batch

    def read(self, state: MemoryState) -> None:
        """Take every update that waits; the copy must be `state` then."""
        while not self._queue.empty():
            update = self._queue.get_nowait()
            assert update is not None and update.number == self._number + 1
            self._number = update.number
            self._take(update, state)
        assert self.leaves == leaves(state)

    def _take(self, update: Update, state: MemoryState) -> None:
        if update.rewound is not None:
            self.rewinds += 1
            back = update.rewound
            self.told = [ran for ran in self.told if ran.batch <= back]
        self.told.extend(update.executed)
        for place in update.places:
            assert place[0] != "machine"
            found = leaf(state, place)
            if found is None:
                self.leaves.pop(place, None)
            else:
                self.leaves[place] = found
