"""What `venue_cancelOnDisconnect` and `venue_deadManSwitch` give."""

from node.rpc.results import Result
from node.rpc.wire import U64


class SwitchStanding(Result, frozen=True):
    """A switch of one key of an account, after the call.

    `on` is "disconnect" or "deadMan"; `fires_at` is in seconds since 1970 by the node's clock.
    After `expiry` the message is worth nothing any more. `warnings` say what may keep it from
    working.
    """

    on: str
    armed: bool
    account: int
    key_epoch: int
    sequence: U64
    expiry: int
    fires_at: int | None
    warnings: list[str]
