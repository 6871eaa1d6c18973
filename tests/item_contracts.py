"""Inbox items held against their contract."""

from step_contracts import RecordedVenue, Rules

from state.orders import BUY
from state.status import Status


def answer(
    items: Rules, venue: RecordedVenue, kind: int, payload: bytes, sender: bytes = bytes(20)
) -> Status:
    """The status of an item, the same on both sides, as is all that it writes."""
    status = venue.item(kind, payload, sender)
    items.check(venue.cases[-1])
    return status


def peopled() -> RecordedVenue:
    """Alice with two session keys, a position and resting orders; bob on the other side."""
    venue = RecordedVenue()
    for name in ("alice", "bob"):
        venue.open(name, 1_000)
    venue.add_key("alice", "bot")
    venue.add_key("alice", "other bot")
    venue.sell("bob", 100, 500_000)
    venue.buy("alice", 110, 500_000)
    venue.order("alice", BUY, 5, 499_000)
    return venue
