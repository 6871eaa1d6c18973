"""What a player sees of a dispute: all of it can be read off L1."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from prover.dispute.terms import DisputeTerms
from prover.dispute.views import DisputeView, EntryView, MatchStatus, MatchView


class Entered(Struct, frozen=True, kw_only=True):
    """What was shown with an entry: the children of its trace root, and its first leaf."""

    entry: bytes
    claim: bytes
    trace_root: bytes
    owner: bytes
    left: bytes
    right: bytes
    first: bytes
    first_branch: Sequence[bytes]


class Standing(Struct, frozen=True, kw_only=True):
    """One dispute at one block of L1, as `me` sees it; `dispute` is zero before the first entry.

    `published` holds, for each entry that came with them, the roots of its trace without the
    padding; `earned`, for each match, the wei that `me` has earned on the side that won and not
    collected. `confirmed` is the child of `parent` that has confirmed, zero while none has.
    """

    terms: DisputeTerms
    parent: bytes
    contested_at: int
    dispute_id: bytes
    dispute: DisputeView
    entries: Mapping[bytes, EntryView]
    matches: Mapping[bytes, MatchView]
    entered: Mapping[bytes, Entered]
    published: Mapping[bytes, Sequence[bytes]]
    earned: Mapping[bytes, int]
    me: bytes
    confirmed: bytes = bytes(32)

    @property
    def ends_at(self) -> int:
        """The last second in which entries are taken."""
        return self.contested_at + self.terms.entry_window

    def opponent(self, entry: bytes) -> bytes | None:
        """Whom an entry plays, or nobody."""
        paired = self.matches.get(self.entries[entry].match)
        if paired is None or paired.status != MatchStatus.OPEN:
            return None
        return paired.two if paired.one == entry else paired.one

    def turn_ends_at(self, paired: MatchView) -> int:
        """The last second in which the mover may move, or in which a sealed match is settled for
        sure: turn_at + max(what is left of the mover's clock, move_time).
        """
        if paired.height == 0:
            return paired.turn_at + self.terms.move_time
        clock = paired.clock_one if paired.mover == 1 else paired.clock_two
        return paired.turn_at + max(clock, self.terms.move_time)
