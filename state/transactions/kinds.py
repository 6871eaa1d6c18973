"""The kinds of transaction and the width of their rows.

Sequenced kinds are what a chunk may hold; inbox kinds come from L1 only.
"""

from enum import IntEnum


class Kind(IntEnum):
    """A sequenced transaction."""

    HEADER = 1
    PRICE = 2
    ORDER = 3
    CANCEL = 4
    WITHDRAW = 5
    TRANSFER = 6


class InboxKind(IntEnum):
    """An item of the L1 inbox."""

    DEPOSIT = 1
    LIST_MARKET = 2


ROW_WIDTHS = {
    Kind.HEADER: 5,
    Kind.PRICE: 14,
    Kind.ORDER: 33,
    Kind.CANCEL: 33,
    Kind.WITHDRAW: 45,
    Kind.TRANSFER: 31,
}
"""Bytes of a row, its kind byte and signature not counted."""

SIGNED_KINDS = frozenset(set(Kind) - {Kind.HEADER})
"""Kinds that carry a signature."""

INBOX_WEIGHTS = {InboxKind.DEPOSIT: 1, InboxKind.LIST_MARKET: 1}
"""The most steps an item can take."""
