"""Cancel all: take the account's resting orders off the book, of one market or of every one."""

from msgspec import Struct

from state.authentication import Verifier, authorise, may_cancel
from state.cancelling import EVERY_MARKET, next_cancelled
from state.eip712 import CANCEL_ALL_TYPE_HASH, Domain, digest, word
from state.limits import CANCEL_ALL_STEPS_MAX
from state.machine import OrderInProgress, Phase
from state.packing import Reader, u
from state.status import Status
from state.store import Changes


class CancelAll(Struct, frozen=True, gc=False):
    """`every_market` is 0 or 1; where it is 1, `market` says nothing."""

    account: int
    epoch: int
    sequence: int
    every_market: int
    market: int
    expiry: int


def encode_cancel_all(tx: CancelAll) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.epoch, 32) + u(tx.sequence, 64),
            u(tx.every_market, 8) + u(tx.market, 16) + u(tx.expiry, 40),
        ]
    )


def decode_cancel_all(row: bytes) -> CancelAll:
    r = Reader(row)
    return CancelAll(r.u(32), r.u(32), r.u(64), r.u(8), r.u(16), r.u(40))


def cancel_all_digest(domain: Domain, tx: CancelAll) -> bytes:
    return digest(
        domain,
        CANCEL_ALL_TYPE_HASH,
        word(tx.account) + word(tx.epoch) + word(tx.sequence),
        word(tx.every_market) + word(tx.market) + word(tx.expiry),
    )


def apply_cancel_all(
    changes: Changes, tx: CancelAll, signature: bytes, verifier: Verifier, steps_left: int
) -> Status:
    """ADMIT: a CANCEL step for each order follows; with none, as in no market, it is done.

    `steps_left` is the budget before this step; one of them is HALT's.
    """
    if steps_left < CANCEL_ALL_STEPS_MAX + 1:
        return Status.OUT_OF_STEPS
    if tx.every_market > EVERY_MARKET:
        return Status.MALFORMED
    status = authorise(
        changes,
        verifier,
        tx,
        digest=cancel_all_digest(verifier.domain, tx),
        signature=signature,
        epoch=tx.epoch,
        may=may_cancel,
    )
    if status:
        return status
    account = changes.account(tx.account)
    registers = OrderInProgress(
        phase=Phase.CANCEL, account=tx.account, market=tx.market, flags=tx.every_market
    )
    if next_cancelled(account, registers) is not None:
        changes.machine.order = registers
    return Status.OK
