"""Cancel: take one resting order of the account off the book."""

import struct

from msgspec import Struct

from state.authentication import Verifier, authorise, may_cancel
from state.eip712 import CANCEL_TYPE_HASH, Domain, digest
from state.matching import remove_order
from state.packing import packed, u
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


_ROW = struct.Struct(">IIQIQ5s")
_WORDS = struct.Struct(">28xI28xI24xQ28xI24xQ24xQ")
"""Words of the widths that `CANCEL_TYPE` names."""


def encode_cancel(tx: Cancel) -> bytes:
    order, expiry = (tx.order_epoch, tx.order_sequence), u(tx.expiry, 40)
    return packed(_ROW, tx.account, tx.epoch, tx.sequence, *order, expiry)


def decode_cancel(row: bytes) -> Cancel:
    account, epoch, sequence, order_epoch, order_sequence, expiry = _ROW.unpack(row)
    expiry = int.from_bytes(expiry, "big")
    return Cancel(account, epoch, sequence, order_epoch, order_sequence, expiry)


def cancel_digest(domain: Domain, tx: Cancel) -> bytes:
    return digest(
        domain,
        CANCEL_TYPE_HASH,
        _WORDS.pack(
            *(tx.account, tx.epoch, tx.sequence, tx.order_epoch, tx.order_sequence, tx.expiry)
        ),
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
    resting = resting_at(changes, tx.account, place)
    remove_order(changes, place.market, place.side, place.key, resting)
    return Status.OK
