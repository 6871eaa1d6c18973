"""A venue with orders to cancel, asked of Python and of the contract."""

from collections.abc import Callable
from functools import cache

from builders import FAR, NOW, key, listing
from evm_engines import Engine, Pyrevm
from msgspec.structs import replace
from step_contracts import RecordedVenue, Rules

from state.accounts import PERMISSIONS_ALL, PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE, SessionKey
from state.orders import BUY, Flags, encode_flags
from state.status import Status
from state.store import Changes
from state.transactions import Cancel, CancelAll, Header, NewOrder

MARK = 500_000
ALICE = 1 << 8
TRADER, CANCELLER, BLOCKER, EVERYTHING, LATE = 3, 4, 5, 6, 7
"""Epochs of alice's session keys; an account has four of them at most."""

KEYS = {
    TRADER: (FAR, PERMIT_TRADE),
    CANCELLER: (NOW + 1, PERMIT_CANCEL),
    BLOCKER: (FAR, PERMIT_BLOCK),
    EVERYTHING: (FAR, PERMISSIONS_ALL),
    LATE: (NOW, PERMIT_TRADE | PERMIT_CANCEL),
}
"""Until when each is good, and for what."""


@cache
def rules(engine: type[Engine] = Pyrevm) -> Rules:
    return Rules(engine(), "cancelling")


def started(*epochs: int) -> RecordedVenue:
    """Two markets; alice, with session keys of these epochs, and bob may place what they like."""
    venue = RecordedVenue(markets=(listing(), listing(9, symbol=b"ETH-USD-PERP")))
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    keys = [SessionKey(epoch, key("bot").address, 5, *KEYS[epoch]) for epoch in epochs]
    changes, account = Changes(venue.state), venue.state.account(ALICE)
    changes.write_account(ALICE, replace(account, key_epoch=LATE, keys=tuple(keys)))
    venue.state.apply(changes)
    return venue


def resting() -> RecordedVenue:
    """Alice has (0, 1), (0, 3), (TRADER, 6) in market 0, (0, 2), (0, 4) in market 9, bob (0, 5)."""
    venue = started(TRADER, CANCELLER, BLOCKER, EVERYTHING)
    venue.buy("alice", 10, MARK - 1)
    venue.buy("alice", 20, MARK - 1, market=9)
    venue.sell("alice", 30, MARK + 1)
    venue.sell("alice", 40, MARK + 1, market=9)
    venue.buy("bob", 50, MARK - 1)
    order = NewOrder(ALICE, TRADER, 6, 0, encode_flags(Flags(BUY)), MARK - 1, 60, FAR)
    assert venue.send("bot", order).status == Status.OK
    venue.run(Header(NOW + 1))
    del venue.cases[:]
    return venue


def check(venue: RecordedVenue, engine: type[Engine] = Pyrevm) -> None:
    """Every step since has the machine and the leaves that Python wrote."""
    for case in venue.cases:
        rules(engine).check(case)


def names(venue: RecordedVenue) -> list[tuple[int, int]]:
    return [(order.epoch, order.sequence) for order in venue.state.account(ALICE).orders]


ALL = [(0, 1), (0, 2), (0, 3), (0, 4), (TRADER, 6)]


SIGNING = {"account": ALICE, "epoch": 0, "sequence": 70, "expiry": FAR}


def a_cancel(**changed: int) -> Cancel:
    """Of alice's first order, by her own key."""
    return Cancel(**(SIGNING | {"order_epoch": 0, "order_sequence": 1} | changed))


def a_cancel_all(**changed: int) -> CancelAll:
    """Of every market, by alice's own key."""
    return CancelAll(**(SIGNING | {"every_market": 1, "market": 0} | changed))


Builder = Callable[..., Cancel | CancelAll]
BUILDERS: tuple[Builder, ...] = (a_cancel, a_cancel_all)
