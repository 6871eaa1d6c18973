# pragma version 0.4.3
"""
@title Cancelling: a cancel all after its ADMIT, one resting order a step, in the order of references
@notice As state/cancelling.py.
"""

from . import accounts
from . import limits
from . import machine
from . import orders
from . import removal
from . import resting
from . import store
from . import witness


# The register `flags` of a cancel all that is not for one market.
EVERY_MARKET: constant(uint256) = 1

# A reference begins with epoch u32 | sequence u64 | market u16.
MARKET_END_BITS: constant(uint256) = accounts.NAME_BITS + 16
MARKET_MASK: constant(uint256) = 2**16 - 1


@internal
@pure
def _next_cancelled(
    account: accounts.Account, registers: machine.OrderInProgress
) -> (bool, accounts.OrderReference):
    """
    @notice Whether an order of the account is left for the cancel all in `registers`, and the first.
    """
    references: Bytes[accounts.REFERENCES_BYTES_MAX] = accounts._references(account)
    padded: Bytes[accounts.REFERENCES_BYTES_MAX + 32] = concat(references, empty(bytes32))
    place: uint256 = 0
    for _: uint256 in range(limits.ACCOUNT_ORDERS_MAX):
        if place == len(references):
            break
        word: uint256 = extract32(padded, place, output_type=uint256)
        market: uint256 = (word >> (256 - MARKET_END_BITS)) & MARKET_MASK
        if registers.flags == EVERY_MARKET or market == registers.market:
            return True, accounts._reference_at(references, place)
        place += accounts.REFERENCE_BYTES
    return False, empty(accounts.OrderReference)


@internal
@pure
def _cancel_step(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
) -> (machine.Machine, accounts.Account, Bytes[store.OTHER_ENTRY_BYTES_MAX]):
    """
    @notice CANCEL: the next order leaves the book; with the last one the cancel all is done.
    @return The machine and the account after it, and the entry of the order that left.
    """
    is_left: bool = False
    reference: accounts.OrderReference = empty(accounts.OrderReference)
    account: accounts.Account = store._account(leaves, places, m.order.account)
    is_left, reference = self._next_cancelled(account, m.order)
    assert is_left, "cancelling: a cancel all in progress has an order left"
    order: orders.RestingOrder = resting._resting_at(
        leaves, places, m.order.account, reference
    )
    after: accounts.Account = removal._remove_order(
        account, reference.market, reference.side, order
    )
    removed: Bytes[store.OTHER_ENTRY_BYTES_MAX] = removal._removed(
        places, reference.market, reference.side, reference.key
    )
    written: machine.Machine = m
    is_left, reference = self._next_cancelled(after, m.order)
    if not is_left:
        written.order = empty(machine.OrderInProgress)
    return written, after, removed
