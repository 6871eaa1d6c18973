"""Which rules of the protocol decide a step, by what it is and what it answers.

The ids are those of docs/rules.md; a test holds the two together. A step that answers OK, or
nothing yet, is decided by the rules of what it writes.
"""

from node.parity.kinds import Pair, StepKind
from state.status import Status

Rules = tuple[str, ...]

_AUTHENTIC: dict[Status, Rules] = {
    Status.UNKNOWN_ACCOUNT: ("AUTH-1",),
    Status.UNKNOWN_KEY: ("AUTH-2",),
    Status.BAD_SIGNATURE: ("AUTH-3",),
    Status.SEQUENCE_USED: ("AUTH-4",),
    Status.NOT_PERMITTED: ("AUTH-5",),
    Status.EXPIRED: ("AUTH-6",),
}

_TERMS: dict[Status, Rules] = {
    Status.UNKNOWN_MARKET: ("ORD-2",),
    Status.EXPIRY_TOO_FAR: ("ORD-3",),
    Status.MARKET_CLOSED: ("ORD-4",),
    Status.PRICE_OUT_OF_BAND: ("ORD-5", "ORD-6"),
    Status.LOTS_OUT_OF_RANGE: ("ORD-7",),
    Status.NOTIONAL_TOO_SMALL: ("ORD-9",),
    Status.TOO_MANY_ORDERS: ("ORD-10",),
    Status.TOO_MANY_POSITIONS: ("ORD-11",),
    Status.NOTHING_TO_REDUCE: ("ORD-12",),
    Status.MARGIN_TOO_LOW: ("ORD-13", "ROOM-1", "HLTH-4", "HLTH-5", "HLTH-6"),
    Status.POSITION_LIMIT: ("ORD-13", "ROOM-2"),
}

_CANCELLING = _AUTHENTIC | {Status.NOT_PERMITTED: ("CNCL-1",)}
_LONG = {Status.OUT_OF_STEPS: ("STEP-5",)}
_AS_AN_ORDER = {status: ("AMND-5", *rules) for status, rules in _TERMS.items()}

_DROPPED: dict[Status, Rules] = {
    Status.REMAINDER_DROPPED: ("REST-1",),
    Status.FRONTS_EXHAUSTED: ("MTCH-2",),
    Status.WOULD_TRADE: ("MTCH-9",),
    Status.SELF_TRADE: ("MTCH-4",),
    Status.TAKER_MARGIN_TOO_LOW: ("MTCH-10", "HLTH-1", "HLTH-3", "HLTH-4", "HLTH-5", "HLTH-6"),
    Status.POSITION_TOO_LARGE: ("MTCH-10", "HLTH-1"),
    Status.OPEN_INTEREST_TOO_LARGE: ("MTCH-10", "HLTH-2"),
    Status.REST_MARGIN_TOO_LOW: ("REST-3", "ROOM-1", "ROOM-2"),
    Status.BOOK_FULL: ("REST-5",),
    Status.NOTHING_LEFT_TO_REDUCE: ("MTCH-6", "REST-2"),
}

_LEG_REFUSED: dict[Status, Rules] = {
    **dict.fromkeys(
        (
            Status.UNKNOWN_MARKET,
            Status.MARKET_CLOSED,
            Status.PRICE_OUT_OF_BAND,
            Status.LOTS_OUT_OF_RANGE,
            Status.NOTIONAL_TOO_SMALL,
        ),
        ("BLK-4", "BLK-8"),
    ),
    **dict.fromkeys(
        (
            Status.TOO_MANY_POSITIONS,
            Status.OPEN_INTEREST_TOO_LARGE,
            Status.POSITION_TOO_LARGE,
        ),
        ("BLK-5", "BLK-8"),
    ),
}

_REFUSALS: dict[StepKind, dict[Status, Rules]] = {
    StepKind.HEADER: {
        Status.TIME_BACKWARDS: ("TIME-1",),
        Status.TIME_OUT_OF_BOUNDS: ("TIME-2",),
    },
    StepKind.PRICE: {
        Status.UNKNOWN_MARKET: ("PRICE-1",),
        Status.UNKNOWN_PUBLISHER: ("PRICE-2",),
        Status.PRICE_NOT_NEWER: ("PRICE-3",),
        Status.PRICE_FROM_FUTURE: ("PRICE-4",),
        Status.PRICE_STALE: ("PRICE-5",),
        Status.PRICE_OUT_OF_RANGE: ("PRICE-6",),
    },
    StepKind.ORDER: _AUTHENTIC | _TERMS | _LONG | {Status.MALFORMED: ("TX-6", "TX-7", "ORD-1")},
    StepKind.CANCEL: _CANCELLING | {Status.UNKNOWN_ORDER: ("CNCL-2",)},
    StepKind.WITHDRAW: _AUTHENTIC
    | {
        Status.MARGIN_TOO_LOW: ("WDR-1", "WDR-2"),
        Status.AMOUNT_OUT_OF_RANGE: ("WDR-3",),
        Status.WITHDRAWALS_FULL: ("WDR-4",),
        Status.NO_RECIPIENT: ("WDR-5",),
    },
    StepKind.TRANSFER: _AUTHENTIC
    | {
        Status.MARGIN_TOO_LOW: ("WDR-1", "WDR-2"),
        Status.SAME_ACCOUNT: ("XFER-1",),
        Status.NOT_OWN_ACCOUNT: ("XFER-2", "OWNR-9"),
        Status.AMOUNT_OUT_OF_RANGE: ("WDR-3",),
    },
    StepKind.CANCEL_ALL: _CANCELLING | _LONG | {Status.MALFORMED: ("TX-9",)},
    StepKind.AMEND: _AUTHENTIC
    | _AS_AN_ORDER
    | _LONG
    | {
        Status.MALFORMED: ("TX-8",),
        Status.UNKNOWN_ORDER: ("AMND-1",),
        Status.LOTS_OUT_OF_RANGE: ("AMND-4", "AMND-5", "ORD-7"),
        Status.NOTIONAL_TOO_SMALL: ("AMND-4", "AMND-5", "ORD-9"),
    },
    StepKind.ADD_KEY: _AUTHENTIC
    | {
        Status.MALFORMED: ("TX-10",),
        Status.TOO_MANY_KEYS: ("KEY-2",),
        Status.BAD_KEY: ("KEY-3",),
    },
    StepKind.REVOKE_KEY: _AUTHENTIC | {Status.NO_SUCH_KEY: ("KEY-4",)},
    StepKind.BLOCK_TRADE: {status: ("BLK-1", *rules) for status, rules in _AUTHENTIC.items()}
    | _LONG
    | {
        Status.MALFORMED: ("TX-11",),
        Status.NOT_PERMITTED: ("BLK-2",),
        Status.EXPIRED: ("BLK-2",),
        Status.SAME_ACCOUNT: ("BLK-3",),
    },
    StepKind.ITEM_DEPOSIT: {Status.BAD_ITEM: ("ITEM-1", "ITEM-2")},
    StepKind.ITEM_LIST_MARKET: {
        Status.BAD_LISTING: tuple(f"LIST-{number}" for number in range(1, 9)),
        Status.MARKET_EXISTS: ("LIST-9",),
    },
    StepKind.ITEM_REVOKE_KEY: {
        Status.BAD_ITEM: ("ITEM-1",),
        Status.UNKNOWN_ACCOUNT: ("ITEM-3",),
        Status.NO_SUCH_KEY: ("ITEM-3",),
        Status.NOT_OWNER: ("ITEM-3",),
    },
    StepKind.ITEM_ROTATE_OWNER: {
        Status.BAD_ITEM: ("ITEM-1", "ITEM-4"),
        Status.UNKNOWN_ACCOUNT: ("ITEM-4",),
    },
    StepKind.ITEM_SET_PARAMETERS: {
        Status.BAD_LISTING: ("PARAM-1",),
        Status.UNKNOWN_MARKET: ("PARAM-1",),
        Status.FIXED_PARAMETER: ("PARAM-2",),
    },
    StepKind.ITEM_UNKNOWN: {Status.BAD_ITEM: ("ITEM-1",)},
    StepKind.DROP: _DROPPED,
    StepKind.RESTORE: {Status.KILLED: ("FOK-1",)},
    StepKind.LEG: _LEG_REFUSED,
    StepKind.SETTLE: {
        Status.TAKER_MARGIN_TOO_LOW: ("BLK-7", "BLK-8", "WDR-2"),
        Status.MAKER_MARGIN_TOO_LOW: ("BLK-7", "BLK-8", "WDR-2"),
    },
}

_WRITES: dict[StepKind, Rules] = {
    StepKind.BOOT: ("STEP-2", "STEP-3", "STEP-6"),
    StepKind.OPEN: ("STEP-1", "BATCH-2"),
    StepKind.HALT: ("STEP-1", "LEAF-18"),
    StepKind.HEADER: ("TIME-1", "TIME-2"),
    StepKind.PRICE: ("PRICE-7", "PRICE-8"),
    StepKind.ORDER: ("AUTH-4", "ORD-5", "ORD-8", "ORD-13"),
    StepKind.CANCEL: ("AUTH-4", "CNCL-3"),
    StepKind.WITHDRAW: ("AUTH-4", "WDR-1", "WDR-4"),
    StepKind.TRANSFER: ("AUTH-4", "WDR-1", "XFER-3"),
    StepKind.CANCEL_ALL: ("AUTH-4", "CALL-1", "CALL-2", "CALL-3"),
    StepKind.AMEND: ("AUTH-4", "AMND-2", "AMND-3", "AMND-5", "AMND-6"),
    StepKind.ADD_KEY: ("AUTH-4", "KEY-1"),
    StepKind.REVOKE_KEY: ("AUTH-4", "KEY-5"),
    StepKind.BLOCK_TRADE: ("BLK-1", "BLK-3"),
    StepKind.ITEM_DEPOSIT: ("ITEM-2", "ITEM-5"),
    StepKind.ITEM_LIST_MARKET: ("LIST-1", "LIST-9"),
    StepKind.ITEM_REVOKE_KEY: ("ITEM-3",),
    StepKind.ITEM_ROTATE_OWNER: ("ITEM-4", "ITEM-5"),
    StepKind.ITEM_SET_PARAMETERS: ("PARAM-3", "PARAM-4"),
    StepKind.SAVE: ("FOK-1", "FOK-2"),
    StepKind.MATCH: ("MTCH-1", "MTCH-7", "MTCH-8", "MTCH-10", "HLTH-1", "HLTH-2", "FEE-1"),
    StepKind.SWEEP: ("MTCH-3", "MTCH-4", "MTCH-5", "MTCH-8"),
    StepKind.REST: ("MTCH-1", "REST-2", "REST-3", "REST-4"),
    StepKind.DONE: ("MTCH-7",),
    StepKind.KEEP: ("FOK-1",),
    StepKind.CANCEL_ONE: ("CALL-1", "CNCL-3"),
    StepKind.LEG: ("BLK-4", "BLK-5", "BLK-6", "FEE-1"),
    StepKind.SETTLE: ("BLK-7", "BLK-8"),
}


def deciding_rules(pair: Pair) -> Rules:
    """The ids of the rules that decide such a step. KeyError for a pair that no step can be."""
    kind, status = pair
    if status is None or status == Status.OK:
        return _WRITES[kind]
    return _REFUSALS[kind][status]
