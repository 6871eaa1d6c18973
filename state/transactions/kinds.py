"""The kinds of transaction and the width of their rows.

Sequenced kinds are what a chunk may hold; inbox kinds come from L1 only.
"""

from enum import IntEnum

from state.limits import SIGNATURE_BYTES


class Kind(IntEnum):
    """A sequenced transaction."""

    HEADER = 1
    PRICE = 2
    ORDER = 3
    CANCEL = 4
    WITHDRAW = 5
    TRANSFER = 6
    CANCEL_ALL = 7
    AMEND = 8
    ADD_KEY = 9
    REVOKE_KEY = 10
    BLOCK_TRADE = 11


class InboxKind(IntEnum):
    """An item of the L1 inbox."""

    DEPOSIT = 1
    LIST_MARKET = 2
    REVOKE_KEY = 3
    ROTATE_OWNER = 4
    SET_PARAMETERS = 5


ROW_WIDTHS = {
    Kind.HEADER: 5,
    Kind.PRICE: 14,
    Kind.ORDER: 33,
    Kind.CANCEL: 33,
    Kind.WITHDRAW: 45,
    Kind.TRANSFER: 31,
    Kind.CANCEL_ALL: 24,
    Kind.AMEND: 42,
    Kind.ADD_KEY: 44,
    Kind.REVOKE_KEY: 21,
    Kind.BLOCK_TRADE: 86,
}
"""Bytes of a row, its kind byte and signatures not counted."""

SIGNATURE_WIDTHS = dict.fromkeys(Kind, SIGNATURE_BYTES) | {
    Kind.HEADER: 0,
    Kind.BLOCK_TRADE: 2 * SIGNATURE_BYTES,
}
"""Bytes of a transaction's signatures: two of a block trade, the maker's first."""

SIGNED_KINDS = frozenset(kind for kind, width in SIGNATURE_WIDTHS.items() if width)
"""Kinds that carry a signature."""

INBOX_WEIGHTS = dict.fromkeys(InboxKind, 1)
"""The most steps an item can take."""
