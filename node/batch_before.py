"""A batch that a follower has executed, with the state before it: to be executed once more.

Of the batches that can still be taken back that state is made from a copy; for older ones all
events that the follower keeps are executed again.
"""

from collections.abc import Sequence

from msgspec import Struct

from node.followed import Followed
from node.follower import FollowerService
from node.proving.history import RollupHistory
from node.proving.venue import RebuiltVenue
from node.rollup_events import BatchPosted, ItemAdded
from prover.derivation import Cursor, genesis_cursor
from state.batch import decode_header
from state.inbox import InboxItem
from state.memory import MemoryState


class BatchBefore(Struct, frozen=True, kw_only=True):
    """A batch as it was posted, the items of its inbox range, and what stood before it.

    Nobody else holds `state`.
    """

    posted: BatchPosted
    items: Sequence[InboxItem]
    after: Cursor
    state: MemoryState


def batch_before(follower: FollowerService, followed: Followed, number: int) -> BatchBefore:
    """Batch `number`, which `followed` has. It takes as long as copying the state, or replaying.

    StoreDamaged where the events that are kept were changed.
    """
    state = followed.replayer.state_after(number - 1)
    if state is None:
        return _rebuilt(follower, followed, number)
    before = followed.batch(number - 1)
    after = before.cursor if before is not None else genesis_cursor(followed.terms.domain)
    posted = next(
        event
        for event in follower.kept_events()
        if isinstance(event, BatchPosted) and event.number == number
    )
    added = followed.items[after.inbox : decode_header(posted.header).inbox_to]
    return BatchBefore(posted=posted, items=[one.item for one in added], after=after, state=state)


def _rebuilt(follower: FollowerService, followed: Followed, number: int) -> BatchBefore:
    events = list(follower.kept_events())
    venue = RebuiltVenue(
        RollupHistory(
            terms=followed.terms,
            items=tuple(event for event in events if isinstance(event, ItemAdded)),
            batches=tuple(event for event in events if isinstance(event, BatchPosted)),
            claims=(),
            confirmed=frozenset(),
        )
    )
    while venue.number < number - 1:
        venue.advance()
    return BatchBefore(
        posted=venue.history.batches[number - 1],
        items=venue.derive().batch.items,
        after=venue.cursor,
        state=venue.replayer.state,
    )
