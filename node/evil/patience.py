"""When a liar moves: at once, or, to stall, once at the last second and then never again."""

from msgspec import Struct

from node.evil.kinds import Kind
from prover.dispute.moves import Advance, Move, Standing

LAST_SECONDS = 10
"""Before its turn ends a staller must have sent its move: it takes a block or two to be mined."""


class Patience(Struct):
    """Counts what a staller has moved so far; whoever does not stall never waits."""

    kind: Kind
    advanced: int = 0

    def is_due(self, standing: Standing, move: Move, now: int) -> bool:
        """Whether to make `move` now. Entries and what brings money in are never put off."""
        if self.kind != Kind.STALL or not isinstance(move, Advance):
            return True
        end = standing.turn_ends_at(standing.matches[move.match])
        return self.advanced == 0 and now >= end - LAST_SECONDS

    def made(self, move: Move) -> None:
        """To be told of every move that L1 took."""
        self.advanced += isinstance(move, Advance)
