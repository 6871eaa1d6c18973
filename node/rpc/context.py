"""What every method is given besides its params."""

from typing import Protocol

from msgspec import Struct

from node.clock import Clock
from node.rpc.streams.topic import Wanted
from node.rpc.switches import Switches
from node.view import VenueView


class Connection(Protocol):
    """The WebSocket a call came over, as far as subscriptions need it."""

    def subscribe(self, wanted: Wanted) -> str:
        """Begin to send; the subscription's name. RpcError where there are too many."""
        ...

    def unsubscribe(self, name: str) -> bool:
        """Whether there was such a subscription."""
        ...


class Context(Struct, frozen=True):
    """The node, its clock, the connection where it can carry notifications, and the switches
    of a node that takes transactions.
    """

    view: VenueView
    clock: Clock
    connection: Connection | None = None
    switches: Switches | None = None

    @property
    def now(self) -> int:
        """The venue's clock, or the machine's where that is ahead: a quiet venue's stands still."""
        return max(self.view.state.machine.time, int(self.clock.now()))
