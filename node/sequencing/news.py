"""What happened since the last update, collected until it is on disk and may be told."""

from collections.abc import Iterable

from node.view import Executed, UpdateFeed
from state.undo import Place, UndoableState, places_of


class News:
    """Of one state: `note` what ran, `cut` where its log is cut, `rewound` where it goes back.

    `is_due`: something happened that was not told yet.
    """

    def __init__(self) -> None:
        self.executed: list[Executed] = []
        self._places: set[Place] = set()
        self._rewound: int | None = None
        self._mark = 0
        self.is_due = False

    def note(self, executed: Executed) -> None:
        """It ran."""
        self.executed.append(executed)
        self.is_due = True

    def cut(self, places: Iterable[Place]) -> None:
        """A batch ended, and the log of the state with it; `places` of it were not told yet."""
        self._places.update(places)
        self._mark = 0
        self.is_due = True

    def written(self, state: UndoableState) -> set[Place]:
        """What was written in the open batch since the last update."""
        return places_of(state.written(self._mark))

    def rewound(self, number: int, places: Iterable[Place]) -> None:
        """Everything after batch `number` was undone, which wrote `places`."""
        self.executed = [ran for ran in self.executed if ran.batch <= number]
        self._rewound = number if self._rewound is None else min(self._rewound, number)
        self.cut(places)

    def publish(self, state: UndoableState, updates: UpdateFeed) -> None:
        """Tell it all in one update, if anything happened."""
        if not self.is_due:
            return
        executed, places, rewound = self.executed, self._places, self._rewound
        places |= self.written(state)
        self.forget(state)
        updates.publish(executed, places, rewound)

    def forget(self, state: UndoableState) -> None:
        """Nobody is to hear of what happened until now."""
        self.executed, self._places, self._rewound = [], set(), None
        self._mark = state.log_length
        self.is_due = False
