"""Topics: what a subscription may be about, and how each follows the venue.

A topic reads the node's state and tape only while they are exactly what updates have told:
when it begins, and when an update is published. So its image and its deltas fit together, and
neither has anything that is not on disk.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import ClassVar

from msgspec import Struct

from node.rpc.results import Result
from node.tape.records import OrderName
from node.view import Executed, Update, VenueView
from state.store import Fill
from state.transactions import Amend, NewOrder


class Wanted(Struct, frozen=True):
    """What a reader asked for: the channel, and what of it. Equal ones share a topic."""

    channel: str
    market: int | None = None
    account: int | None = None
    interval: str | None = None


class Told:
    """An update, sorted for topics when the first of them asks."""

    def __init__(self, update: Update) -> None:
        self.update = update

    @cached_property
    def fills(self) -> list[tuple[int, Fill]]:
        """In order, with the venue's time."""
        return [(ran.time, fill) for ran in self.update.executed for fill in ran.receipt.fills]

    @cached_property
    def orders(self) -> Mapping[int, list[tuple[int, int]]]:
        """By market: side and key of every order that may differ."""
        found: dict[int, list[tuple[int, int]]] = {}
        for name, key in self.update.places:
            if name == "orders":
                found.setdefault(key[0], []).append(key[1:])
        return found

    @cached_property
    def names(self) -> Mapping[int, list[OrderName]]:
        """By account: the orders to which something happened, in order and each once."""
        found: dict[int, dict[OrderName, None]] = {}
        for ran in self.update.executed:
            for name in _names_of(ran):
                found.setdefault(name[0], {})[name] = None
        return {account: list(names) for account, names in found.items()}


def _names_of(ran: Executed) -> Iterator[OrderName]:
    """Of the order that was placed or amended, and of all that changed in the book."""
    if isinstance(ran.tx, NewOrder):
        yield ran.tx.account, ran.tx.epoch, ran.tx.sequence
    elif isinstance(ran.tx, Amend):
        yield ran.tx.account, ran.tx.order_epoch, ran.tx.order_sequence
    for change in ran.book:
        for order in (change.before, change.after):
            if order is not None:
                yield order.account, order.epoch, order.sequence


class Topic(ABC):
    """One thing that readers follow; `looks` where it changes without an update too.

    NotFound from any method: there is no such thing any more.
    """

    looks: ClassVar[bool] = False

    def __init__(self, view: VenueView, wanted: Wanted) -> None:
        self.view = view
        self.wanted = wanted

    @abstractmethod
    def begin(self) -> None:
        """Forget what was, and read the venue as it stands."""

    @abstractmethod
    def image(self) -> Result:
        """The data of a snapshot: what `begin` read, with every `take` since."""

    @abstractmethod
    def take(self, told: Told, /) -> Result | None:
        """The data of a delta; None where nothing changed. Never of a rewind."""

    def look(self) -> Result | None:
        """The data of a delta for what changes without an update."""
        return None
