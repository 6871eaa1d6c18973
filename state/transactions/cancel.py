"""Cancel: take one resting order of the account off the book."""

from msgspec import Struct

from state.authentication import Verifier, authorise, may_cancel
from state.eip712 import CANCEL_TYPE_HASH, Domain, digest, word
from state.matching import remove_order
from state.packing import Reader, u
from state.resting import resting_at
from state.status import Status
from state.store import Changes


class Cancel(Struct, frozen=True, gc=False):
    """Cancels the order (`order_epoch`, `order_sequence`) of `account`."""

    account: int
    epoch: int
    sequence: int
    order_epoch: int
    order_sequence: int
    expiry: int


def encode_cancel(tx: Cancel) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.epoch, 32) + u(tx.sequence, 64),
            u(tx.order_epoch, 32) + u(tx.order_sequence, 64) + u(tx.expiry, 40),
        ]
    )


def decode_cancel(row: bytes) -> Cancel:
    r = Reader(row)
    return Cancel(r.u(32), r.u(32), r.u(64), r.u(32), r.u(64), r.u(40))


def cancel_digest(domain: Domain, tx: Cancel) -> bytes:
    return digest(
        domain,
        CANCEL_TYPE_HASH,
        word(tx.account) + word(tx.epoch) + word(tx.sequence),
        word(tx.order_epoch) + word(tx.order_sequence) + word(tx.expiry),
    )


def apply_cancel(changes: Changes, tx: Cancel, signature: bytes, verifier: Verifier) -> Status:
    """Any key that may cancel, cancels any order of its account."""
    status = authorise(
        changes,
        verifier,
        tx,
        digest=cancel_digest(verifier.domain, tx),
        signature=signature,
        epoch=tx.epoch,
        may=may_cancel,
    )
    if status:
        return status
    account = changes.account(tx.account)
    place = account.order(tx.order_epoch, tx.order_sequence)
    if place is None:
        return Status.UNKNOWN_ORDER
    remove_order(changes, place.market, place.side, place.key, resting_at(changes, place))
    return Status.OK
