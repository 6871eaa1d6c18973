"""How disputes begin and end: a right entry against a wrong one, and who is left."""

from dispute_world import HONEST, DisputeWorld, Entry
from toy_machine import ToyTrace

from contracts import dispute_views as views
from contracts.dispute_views import EntryStatus


def both(world: DisputeWorld, lie: ToyTrace, *, honest_first: bool) -> tuple[Entry, Entry, bytes]:
    """The right entry and the liar's, and their match; who enters first also moves first."""
    if honest_first:
        right, wrong = world.enter(world.honest(), HONEST), world.enter(lie)
    else:
        wrong, right = world.enter(lie), world.enter(world.honest(), HONEST)
    return right, wrong, world.match_of(right)


def won(entry: Entry) -> views.DisputeResult:
    """The result of a dispute that this entry has won."""
    return views.DisputeResult(views.ResultStatus.WON, entry.claim, entry.id)


def check_won(world: DisputeWorld, right: Entry, *wrong: Entry) -> None:
    """Only the right entry is left, and wins once the window is over."""
    assert {world.entry(entry.id).status for entry in wrong} == {EntryStatus.LOST}
    assert world.entry(right.id).status == EntryStatus.WAITING
    world.end_entries()
    assert world.result() == won(right)
