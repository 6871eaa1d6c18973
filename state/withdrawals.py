"""Withdrawals: the leaves that L1 pays, one index each, in a tree that only grows."""

from msgspec import Struct

from state.packing import NotCanonical, Reader, u

DOMAIN = 5


class Withdrawal(Struct, frozen=True, gc=False):
    """`amount` micro-USDC leave `account` for the L1 address `recipient`."""

    index: int
    account: int
    recipient: bytes
    amount: int


def encode_withdrawal(w: Withdrawal) -> bytes:
    """The leaf that L1 pays."""
    return u(DOMAIN, 8) + u(w.index, 32) + u(w.account, 32) + w.recipient + u(w.amount, 64)


def decode_withdrawal(leaf: bytes) -> Withdrawal:
    """The withdrawal of `leaf`. NotCanonical for anything `encode_withdrawal` never writes."""
    r = Reader(leaf)
    if r.u(8) != DOMAIN:
        raise NotCanonical("not a withdrawal leaf")
    withdrawal = Withdrawal(r.u(32), r.u(32), r.raw(20), r.u(64))
    r.end()
    return withdrawal
