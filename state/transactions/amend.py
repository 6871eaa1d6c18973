"""Amend: change price, size or expiry of a resting order; smaller keeps its priority."""

from msgspec import Struct
from msgspec.structs import replace

from state.accounts import Account, OrderReference
from state.authentication import Verifier, authorise
from state.eip712 import AMEND_TYPE_HASH, Domain, digest, word
from state.limits import ORDER_STEPS_MAX
from state.matching import remove_order
from state.orders import RestingOrder, decode_flags, key_ticks
from state.packing import Reader, u
from state.resting import resting_at, with_resting_lots, without_resting
from state.status import Status
from state.store import Changes
from state.transactions.order import NewOrder, admissible, registers
from state.units import notional


class Amend(Struct, frozen=True, gc=False):
    """`lots` of the order (`order_epoch`, `order_sequence`) shall be open from now on."""

    account: int
    epoch: int
    sequence: int
    order_epoch: int
    order_sequence: int
    ticks: int
    lots: int
    expiry: int


def encode_amend(tx: Amend) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.epoch, 32) + u(tx.sequence, 64),
            u(tx.order_epoch, 32) + u(tx.order_sequence, 64),
            u(tx.ticks, 24) + u(tx.lots, 48) + u(tx.expiry, 40),
        ]
    )


def decode_amend(row: bytes) -> Amend:
    r = Reader(row)
    return Amend(r.u(32), r.u(32), r.u(64), r.u(32), r.u(64), r.u(24), r.u(48), r.u(40))


def amend_digest(domain: Domain, tx: Amend) -> bytes:
    return digest(
        domain,
        AMEND_TYPE_HASH,
        word(tx.account) + word(tx.epoch) + word(tx.sequence),
        word(tx.order_epoch) + word(tx.order_sequence),
        word(tx.ticks) + word(tx.lots) + word(tx.expiry),
    )


def apply_amend(
    changes: Changes, tx: Amend, signature: bytes, verifier: Verifier, steps_left: int
) -> Status:
    """Change the order where it stands, or ADMIT it anew under its old name.

    `steps_left` is the budget before this step; one of them is HALT's.
    """
    if steps_left < ORDER_STEPS_MAX + 1:
        return Status.OUT_OF_STEPS
    if tx.ticks == 0:
        return Status.MALFORMED
    status = authorise(
        changes,
        verifier,
        tx,
        digest=amend_digest(verifier.domain, tx),
        signature=signature,
        epoch=tx.epoch,
    )
    if status:
        return status
    account = changes.account(tx.account)
    place = account.order(tx.order_epoch, tx.order_sequence)
    if place is None:
        return Status.UNKNOWN_ORDER
    resting = resting_at(changes, tx.account, place)
    if _keeps_priority(tx, place, resting):
        return _amend_in_place(changes, account, tx, place, resting)
    return _admit_anew(changes, account, tx, place, resting)


def amended_order(tx: Amend, place: OrderReference, resting: RestingOrder) -> NewOrder:
    """What the amend makes of a resting order, under its old name and flags."""
    return NewOrder(
        account=tx.account,
        epoch=tx.order_epoch,
        sequence=tx.order_sequence,
        market=place.market,
        flags=resting.flags,
        ticks=tx.ticks,
        lots=tx.lots,
        expiry=tx.expiry,
    )


def _keeps_priority(tx: Amend, place: OrderReference, resting: RestingOrder) -> bool:
    same_price = tx.ticks == key_ticks(place.side, place.key)
    return same_price and tx.lots <= resting.lots and tx.expiry <= resting.expiry


def _amend_in_place(
    changes: Changes, account: Account, tx: Amend, place: OrderReference, resting: RestingOrder
) -> Status:
    """Less for the same price frees margin, so a closed market does not matter."""
    market = changes.market(place.market)
    assert market is not None, "an order rests in a market"
    if tx.lots == 0:
        return Status.LOTS_OUT_OF_RANGE
    if notional(tx.lots, tx.ticks * market.tick) < market.min_notional:
        return Status.NOTIONAL_TOO_SMALL
    account = with_resting_lots(account, place.market, place.side, tx.lots - resting.lots)
    changes.write_account(tx.account, account)
    amended = replace(resting, lots=tx.lots, expiry=tx.expiry)
    changes.write_order(place.market, place.side, place.key, amended)
    return Status.OK


def _admit_anew(
    changes: Changes, account: Account, tx: Amend, place: OrderReference, resting: RestingOrder
) -> Status:
    """Checked as an order of an account without the old one, which goes only if it is admitted."""
    flags = decode_flags(resting.flags)
    assert flags is not None, "ADMIT lets no other flags in"
    order = amended_order(tx, place, resting)
    without = without_resting(account, place.market, place.side, resting)
    status, ticks = admissible(changes, without, order, flags)
    if status == Status.OK:
        remove_order(changes, place.market, place.side, place.key, resting)
        changes.machine.order = registers(order, flags, ticks)
    return status
