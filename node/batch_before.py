"""A batch that a follower has executed, with the state before it: to be executed once more.

Of the batches that can still be taken back that state is made from a copy; for older ones the
batches since the nearest earlier state that the follower keeps are executed again.
"""

from collections.abc import Iterator, Sequence

import structlog
from msgspec import Struct

from node.errors import Retry
from node.followed import Followed
from node.follower import FollowerService
from node.rollup_events import BatchPosted
from node.signatures import recover
from node.store import StoreDamaged
from prover.derivation import Cursor, Derived, derive_batch, genesis_cursor
from prover.replay import Replayer
from state.authentication import Verifier
from state.batch import decode_header
from state.inbox import InboxItem
from state.memory import MemoryState

log = structlog.get_logger(__name__)


class BatchBefore(Struct, frozen=True, kw_only=True):
    """A batch as it was posted, the items of its inbox range, and what stood before it.

    Nobody else holds `state`.
    """

    posted: BatchPosted
    items: Sequence[InboxItem]
    after: Cursor
    state: MemoryState

    def derive(self) -> Derived:
        """The batch itself."""
        return _derived(self.posted, self.items, self.after)


def batch_before(follower: FollowerService, followed: Followed, number: int) -> BatchBefore:
    """Batch `number`, which `followed` has. It takes as long as copying the state, or executing
    the batches between two snapshots; where no earlier state is kept, all of them from genesis.

    StoreDamaged where the events that are kept were changed, Retry where L1 took the batch back.
    """
    state = followed.replayer.state_after(number - 1)
    if state is None:
        state = _executed_again(follower, followed, number - 1)
    (posted,) = _posted(follower, followed, number, number)
    after = _cursor(followed, number - 1)
    return BatchBefore(posted=posted, items=_items(followed, posted), after=after, state=state)


def _executed_again(follower: FollowerService, followed: Followed, number: int) -> MemoryState:
    """The state after batch `number`. What it led to was checked when it was new."""
    replayer = _nearest(follower, followed, number)
    log.info("executing again", after=replayer.number, up_to=number)
    for posted in _posted(follower, followed, replayer.number + 1, number):
        after = _cursor(followed, posted.number - 1)
        replayer.apply(_derived(posted, _items(followed, posted), after))
    return replayer.state


def _nearest(follower: FollowerService, followed: Followed, number: int) -> Replayer:
    """At the newest earlier state that makes the root that it must, or at genesis."""
    verifier = Verifier(followed.terms.domain, recover)
    try:
        state = follower.earlier_state(number)
    except StoreDamaged as damage:
        log.warning("no earlier state: beginning at genesis", problem=str(damage))
        state = None
    if state is not None:
        replayer = Replayer(verifier, check=False)
        replayer.resume(state)
        found = replayer.commitment().state_root
        expected = followed.batches[replayer.number - 1].record.state_root
        if found == expected:
            return replayer
        log.warning(
            "an earlier state is damaged: beginning at genesis",
            batch=replayer.number,
            found=found.hex(),
            expected=expected.hex(),
        )
    return Replayer(verifier, check=False)


def _posted(
    follower: FollowerService, followed: Followed, first: int, last: int
) -> Iterator[BatchPosted]:
    """Batches `first` to `last`, one after the other. Retry where they are no longer there."""
    number = first
    if number > last:
        return
    for event in follower.kept_events(followed.batches[first - 1].record.posted_block):
        if not isinstance(event, BatchPosted) or event.number < number:
            continue
        if event.batch_hash != followed.batches[number - 1].record.batch_hash:
            break
        yield event
        number += 1
        if number > last:
            return
    raise Retry(f"batch {number} is no longer what it was: L1 took it back")


def _derived(posted: BatchPosted, items: Sequence[InboxItem], after: Cursor) -> Derived:
    return derive_batch(
        posted.header, posted.payload, items, after=after, batch_hash=posted.batch_hash
    )


def _items(followed: Followed, posted: BatchPosted) -> list[InboxItem]:
    header = decode_header(posted.header)
    return [added.item for added in followed.items[header.inbox_from : header.inbox_to]]


def _cursor(followed: Followed, number: int) -> Cursor:
    batch = followed.batch(number)
    return batch.cursor if batch is not None else genesis_cursor(followed.terms.domain)
