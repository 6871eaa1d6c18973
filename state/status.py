"""What became of a transaction: one numbered code each, in order of precedence.

Checks run in the order of these numbers, the same in Python and in Vyper, so a
transaction with several faults has one answer. Codes up to `IDENTITY_LAST` leave
no trace but the cursor; higher ones consume the sequence number of the trader who signed.
A price consumes none: it must be newer than its publisher's last.
"""

from enum import IntEnum


class Status(IntEnum):
    """The outcome of a transaction or an inbox item."""

    OK = 0

    # --- identity: not authenticated, or not expressible ---
    OUT_OF_STEPS = 1
    MALFORMED = 2
    UNKNOWN_ACCOUNT = 3
    UNKNOWN_KEY = 4
    BAD_SIGNATURE = 5
    SEQUENCE_USED = 6

    # --- refused: authenticated, the sequence number is consumed ---
    NOT_PERMITTED = 32
    EXPIRED = 33
    EXPIRY_TOO_FAR = 34
    UNKNOWN_MARKET = 35
    MARKET_CLOSED = 36
    PRICE_OUT_OF_BAND = 37
    LOTS_OUT_OF_RANGE = 38
    NOTIONAL_TOO_SMALL = 39
    TOO_MANY_ORDERS = 40
    TOO_MANY_POSITIONS = 41
    NOTHING_TO_REDUCE = 42
    MARGIN_TOO_LOW = 43
    UNKNOWN_ORDER = 44
    SAME_ACCOUNT = 45
    NOT_OWN_ACCOUNT = 46
    AMOUNT_OUT_OF_RANGE = 47
    WITHDRAWALS_FULL = 48
    POSITION_LIMIT = 49
    NO_RECIPIENT = 50
    TOO_MANY_KEYS = 51
    BAD_KEY = 52
    NO_SUCH_KEY = 53

    # --- the order ran; what was left of it was dropped ---
    REMAINDER_DROPPED = 64
    FRONTS_EXHAUSTED = 65
    WOULD_TRADE = 66
    SELF_TRADE = 67
    TAKER_MARGIN_TOO_LOW = 68
    POSITION_TOO_LARGE = 69
    OPEN_INTEREST_TOO_LARGE = 70
    REST_MARGIN_TOO_LOW = 71
    BOOK_FULL = 72
    KILLED = 73
    NOTHING_LEFT_TO_REDUCE = 74
    MAKER_MARGIN_TOO_LOW = 75

    # --- header and price ---
    TIME_BACKWARDS = 96
    TIME_OUT_OF_BOUNDS = 97
    UNKNOWN_PUBLISHER = 98
    PRICE_NOT_NEWER = 99
    PRICE_FROM_FUTURE = 100
    PRICE_STALE = 101
    PRICE_OUT_OF_RANGE = 102

    # --- inbox ---
    BAD_LISTING = 128
    MARKET_EXISTS = 129
    BAD_ITEM = 130
    NOT_OWNER = 131
    FIXED_PARAMETER = 132


STATUSES = {int(status): status for status in Status}
"""By number; a call of `Status` takes five times as long, and every transaction asks."""

IDENTITY_LAST = Status.SEQUENCE_USED


def is_identity(status: Status) -> bool:
    """Whether a signed transaction with this status left its account untouched."""
    return Status.OK < status <= IDENTITY_LAST
