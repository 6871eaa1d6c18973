"""What a player does next for the trace it defends. It remembers nothing: all follows from what
stands on L1 and from the trace.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from prover.dispute.standing import Entered, Standing
from prover.dispute.trace_tree import TraceTree
from prover.dispute.views import (
    EntryStatus,
    EntryView,
    MatchStatus,
    MatchView,
    entry_id,
    second_entry_id,
)
from state.crypto import ZERO_HASH as ZERO

__all__ = [
    "Advance",
    "Collect",
    "Defence",
    "Enter",
    "Entered",
    "Move",
    "Redeem",
    "Refute",
    "Settle",
    "Standing",
    "TimeOut",
    "next_moves",
]


class Defence(Struct, frozen=True):
    """The claim and the trace that a player stands for, and whether the batch is void."""

    claim: bytes
    tree: TraceTree
    is_void: bool = False


class Enter(Struct, frozen=True):
    """Enter the trace that is defended. The claim must stand, so claiming comes before."""


class Advance(Struct, frozen=True, kw_only=True):
    """The children of our node, and those of the child that differs (zero in the last move)."""

    match: bytes
    left: bytes
    right: bytes
    next_left: bytes
    next_right: bytes


class Settle(Struct, frozen=True, kw_only=True):
    """Have L1 take step `index`; `left` and `right` are the children of our trace root, and
    `previous_branch` is there that of the leaf before (empty for leaf 0).
    """

    match: bytes
    index: int
    previous_branch: Sequence[bytes]
    left: bytes
    right: bytes


class Refute(Struct, frozen=True, kw_only=True):
    """End `entry` by `leaf`, which is not what step `index` leads to.

    `previous_branch` is that of the leaf before, in the trace of `entry` (empty for leaf 0);
    `left` and `right` are the children of its opponent's trace root, zero where it has none.
    """

    entry: bytes
    index: int
    leaf: bytes
    leaf_branch: Sequence[bytes]
    previous_branch: Sequence[bytes]
    left: bytes
    right: bytes


class TimeOut(Struct, frozen=True, kw_only=True):
    """End a match that is late; the children are those of the winner's trace root, if any."""

    match: bytes
    left: bytes
    right: bytes


class Collect(Struct, frozen=True):
    """Have credited what our moves have earned in a match."""

    match: bytes


class Redeem(Struct, frozen=True):
    """Have our bond back with which an entry won."""

    entry: bytes


Move = Enter | Advance | Settle | Refute | TimeOut | Collect | Redeem


def next_moves(standing: Standing, defence: Defence, now: int) -> list[Move]:
    """All moves that can be made at `now`, seconds of L1, most urgent first.

    No move is made against an opponent who can be refuted, unless `move_time` or less is left.
    What ends matches that others let stall comes before what only brings money.
    """
    ours = _ours(standing, defence)
    refutations = list(_refute(standing, defence, ours))
    refuted = [move.entry for move in refutations]
    return [
        *_play(standing, defence, ours, refuted, now),
        *_enter(standing, ours, now),
        *refutations,
        *_time_out(standing, ours, now),
        *_collect(standing),
        *_redeem(standing),
    ]


def _ours(standing: Standing, defence: Defence) -> bytes:
    """The entry of our trace: the second, where somebody had the first refuted before L1 knew that
    the batch is void.
    """
    first = entry_id(standing.dispute_id, defence.tree.root)
    view = standing.entries.get(first)
    if defence.is_void and view is not None and view.status == EntryStatus.LOST:
        return second_entry_id(first, standing.dispute_id)
    return first


def _play(
    standing: Standing, defence: Defence, ours: bytes, refuted: Sequence[bytes], now: int
) -> Iterator[Move]:
    """The move or the proof that our match waits for from us."""
    found = _open_match(standing, ours)
    if found is None:
        return
    paired, tree = found, defence.tree
    match = standing.entries[ours].match
    left, right = tree.children(tree.height, 0)
    if paired.height == 0:
        before = tuple(tree.branch(paired.index - 1)) if paired.index else ()
        yield Settle(
            match=match, index=paired.index, previous_branch=before, left=left, right=right
        )
    elif paired.mover == _side(paired, ours) and now <= standing.turn_ends_at(paired):
        time_left = standing.turn_ends_at(paired) - now
        is_pressing = time_left <= standing.terms.move_time
        if is_pressing or standing.opponent(ours) not in refuted:
            yield _advance(match, paired, tree)


def _advance(match: bytes, paired: MatchView, tree: TraceTree) -> Advance:
    """Down to the left child where the left ones differ, else to the right one."""
    height, index = paired.height, paired.index
    left, right = tree.children(height, index)
    below = 2 * index if left != paired.left else 2 * index + 1
    next_left, next_right = tree.children(height - 1, below) if height > 1 else (ZERO, ZERO)
    return Advance(match=match, left=left, right=right, next_left=next_left, next_right=next_right)


def _enter(standing: Standing, ours: bytes, now: int) -> Iterator[Move]:
    """Our trace, once: whoever entered it, it can be played for."""
    if ours not in standing.entries and now <= standing.ends_at:
        yield Enter()


def _refute(standing: Standing, defence: Defence, ours: bytes) -> Iterator[Refute]:
    """Every entry that shows a leaf of its own where ours is what the step leads to, but for
    the one whom the proof of our sealed match ends anyway.
    """
    played = _open_match(standing, ours)
    sealed = played is not None and played.height == 0
    spared = standing.opponent(ours) if sealed else None
    for entry, view in standing.entries.items():
        if entry != spared and view.status in (EntryStatus.WAITING, EntryStatus.IN_MATCH):
            yield from _refute_entry(standing, defence.tree, entry, view)


def _refute_entry(
    standing: Standing, tree: TraceTree, entry: bytes, view: EntryView
) -> Iterator[Refute]:
    shown, leaves = standing.entered[entry], standing.published.get(entry)
    opponent = standing.opponent(entry)
    left, right = _children(standing, opponent)
    if shown.first != tree.leaf(0):
        yield Refute(
            entry=entry,
            index=0,
            leaf=shown.first,
            leaf_branch=tuple(shown.first_branch),
            previous_branch=(),
            left=left,
            right=right,
        )
    elif leaves is not None and view.trace_root != tree.root:
        theirs = TraceTree(leaves, tree.height)
        index = tree.first_difference(theirs)
        assert index, "another root has another leaf, and the first was alike"
        yield Refute(
            entry=entry,
            index=index,
            leaf=theirs.leaf(index),
            leaf_branch=tuple(theirs.branch(index)),
            previous_branch=tuple(theirs.branch(index - 1)),
            left=left,
            right=right,
        )


def _time_out(standing: Standing, ours: bytes, now: int) -> Iterator[Move]:
    """Every match that is late, but not ours where it would be our loss."""
    for match, paired in standing.matches.items():
        if paired.status != MatchStatus.OPEN or now <= standing.turn_ends_at(paired):
            continue
        side, is_sealed = _side(paired, ours), paired.height == 0
        if side and (is_sealed or paired.mover == side):
            continue
        winner = None if is_sealed else paired.two if paired.mover == 1 else paired.one
        left, right = _children(standing, winner)
        yield TimeOut(match=match, left=left, right=right)


def _collect(standing: Standing) -> Iterator[Move]:
    for match, amount in standing.earned.items():
        if amount > 0:
            yield Collect(match)


def _redeem(standing: Standing) -> Iterator[Move]:
    """The bond of an entry of ours that is left over, once its claim has confirmed."""
    view = standing.entries.get(standing.dispute.waiting)
    if view is None or view.status != EntryStatus.WAITING or standing.confirmed == ZERO:
        return
    if view.owner == standing.me and view.claim == standing.confirmed:
        yield Redeem(standing.dispute.waiting)


def _open_match(standing: Standing, entry: bytes) -> MatchView | None:
    view = standing.entries.get(entry)
    paired = standing.matches.get(view.match) if view is not None else None
    return paired if paired is not None and paired.status == MatchStatus.OPEN else None


def _side(paired: MatchView, entry: bytes) -> int:
    """1 or 2; 0 for who is not in the match."""
    return {paired.one: 1, paired.two: 2}.get(entry, 0)


def _children(standing: Standing, entry: bytes | None) -> tuple[bytes, bytes]:
    """The children of an entry's trace root; zero for nobody's."""
    if entry is None:
        return ZERO, ZERO
    shown = standing.entered[entry]
    return shown.left, shown.right
