"""A cancel all after its ADMIT: one resting order a step, in the order of the references."""

from state.accounts import Account, OrderReference
from state.machine import NO_ORDER, OrderInProgress
from state.matching import remove_order
from state.resting import resting_at
from state.store import Changes

EVERY_MARKET = 1
"""The register `flags` of a cancel all that is not for one market."""


def next_cancelled(account: Account, registers: OrderInProgress) -> OrderReference | None:
    """The first of the account's orders that the cancel all in `registers` takes."""
    for reference in account.orders:
        if registers.flags == EVERY_MARKET or reference.market == registers.market:
            return reference
    return None


def cancel_step(changes: Changes) -> None:
    """CANCEL: the next order leaves the book; with the last one the cancel all is done."""
    registers = changes.machine.order
    place = next_cancelled(changes.account(registers.account), registers)
    assert place is not None, "a cancel all in progress has an order left"
    resting = resting_at(changes, registers.account, place)
    remove_order(changes, place.market, place.side, place.key, resting)
    if next_cancelled(changes.account(registers.account), registers) is None:
        changes.machine.order = NO_ORDER
