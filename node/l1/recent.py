"""What happened lately, numbered, for those who come back to ask what is new."""

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")

RECENT_MAX = 4_096


class Recent(Generic[Item]):
    """The last RECENT_MAX items. `count` is how many there ever were."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque(maxlen=RECENT_MAX)
        self.count = 0

    def append(self, item: Item) -> None:
        self._items.append(item)
        self.count += 1

    def since(self, count: int) -> list[Item]:
        """Those that came after the first `count`, as far back as is remembered."""
        new = min(self.count - count, len(self._items))
        return list(islice(self._items, len(self._items) - new, None))
