# pragma version 0.4.3
"""
@title Status: what became of a transaction or an inbox item
@notice As state/status.py, number by number; checks run in the order of these numbers.
"""

OK: constant(uint256) = 0

# Identity: not authenticated, or not expressible.
OUT_OF_STEPS: constant(uint256) = 1
MALFORMED: constant(uint256) = 2
UNKNOWN_ACCOUNT: constant(uint256) = 3
UNKNOWN_KEY: constant(uint256) = 4
BAD_SIGNATURE: constant(uint256) = 5
SEQUENCE_USED: constant(uint256) = 6

# Refused: authenticated, the sequence number is consumed.
NOT_PERMITTED: constant(uint256) = 32
EXPIRED: constant(uint256) = 33
EXPIRY_TOO_FAR: constant(uint256) = 34
UNKNOWN_MARKET: constant(uint256) = 35
MARKET_CLOSED: constant(uint256) = 36
PRICE_OUT_OF_BAND: constant(uint256) = 37
LOTS_OUT_OF_RANGE: constant(uint256) = 38
NOTIONAL_TOO_SMALL: constant(uint256) = 39
TOO_MANY_ORDERS: constant(uint256) = 40
TOO_MANY_POSITIONS: constant(uint256) = 41
NOTHING_TO_REDUCE: constant(uint256) = 42
MARGIN_TOO_LOW: constant(uint256) = 43
UNKNOWN_ORDER: constant(uint256) = 44
SAME_ACCOUNT: constant(uint256) = 45
NOT_OWN_ACCOUNT: constant(uint256) = 46
AMOUNT_OUT_OF_RANGE: constant(uint256) = 47
WITHDRAWALS_FULL: constant(uint256) = 48
POSITION_LIMIT: constant(uint256) = 49
NO_RECIPIENT: constant(uint256) = 50
TOO_MANY_KEYS: constant(uint256) = 51
BAD_KEY: constant(uint256) = 52
NO_SUCH_KEY: constant(uint256) = 53

# The order ran; what was left of it was dropped.
REMAINDER_DROPPED: constant(uint256) = 64
FRONTS_EXHAUSTED: constant(uint256) = 65
WOULD_TRADE: constant(uint256) = 66
SELF_TRADE: constant(uint256) = 67
TAKER_MARGIN_TOO_LOW: constant(uint256) = 68
POSITION_TOO_LARGE: constant(uint256) = 69
OPEN_INTEREST_TOO_LARGE: constant(uint256) = 70
REST_MARGIN_TOO_LOW: constant(uint256) = 71
BOOK_FULL: constant(uint256) = 72
KILLED: constant(uint256) = 73
NOTHING_LEFT_TO_REDUCE: constant(uint256) = 74
MAKER_MARGIN_TOO_LOW: constant(uint256) = 75

# Header and price.
TIME_BACKWARDS: constant(uint256) = 96
TIME_OUT_OF_BOUNDS: constant(uint256) = 97
UNKNOWN_PUBLISHER: constant(uint256) = 98
PRICE_NOT_NEWER: constant(uint256) = 99
PRICE_FROM_FUTURE: constant(uint256) = 100
PRICE_STALE: constant(uint256) = 101
PRICE_OUT_OF_RANGE: constant(uint256) = 102

# Inbox.
BAD_LISTING: constant(uint256) = 128
MARKET_EXISTS: constant(uint256) = 129
BAD_ITEM: constant(uint256) = 130
NOT_OWNER: constant(uint256) = 131
FIXED_PARAMETER: constant(uint256) = 132


@internal
@pure
def _is_identity(found: uint256) -> bool:
    """
    @notice Whether a signed transaction with this status left its account untouched.
    """
    return found > OK and found <= SEQUENCE_USED
