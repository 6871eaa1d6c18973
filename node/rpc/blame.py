"""Which field of a message a refusal is about."""

from node.rpc.case import Case
from state.status import Status
from state.transactions import AddKey, Amend, BlockTrade, NewOrder, Transfer

FIELDS: dict[Status, str] = {
    Status.UNKNOWN_ACCOUNT: "account",
    Status.UNKNOWN_KEY: "keyEpoch",
    Status.BAD_SIGNATURE: "signature",
    Status.SEQUENCE_USED: "sequence",
    Status.NOT_PERMITTED: "keyEpoch",
    Status.EXPIRED: "expiry",
    Status.EXPIRY_TOO_FAR: "expiry",
    Status.UNKNOWN_MARKET: "market",
    Status.MARKET_CLOSED: "market",
    Status.PRICE_OUT_OF_BAND: "ticks",
    Status.LOTS_OUT_OF_RANGE: "lots",
    Status.NOTIONAL_TOO_SMALL: "lots",
    Status.TOO_MANY_ORDERS: "account",
    Status.TOO_MANY_POSITIONS: "market",
    Status.NOTHING_TO_REDUCE: "side",
    Status.UNKNOWN_ORDER: "orderSequence",
    Status.SAME_ACCOUNT: "toAccount",
    Status.NOT_OWN_ACCOUNT: "toAccount",
    Status.AMOUNT_OUT_OF_RANGE: "amount",
    Status.POSITION_LIMIT: "lots",
    Status.POSITION_TOO_LARGE: "lots",
    Status.OPEN_INTEREST_TOO_LARGE: "lots",
    Status.TAKER_MARGIN_TOO_LOW: "taker",
    Status.MAKER_MARGIN_TOO_LOW: "maker",
    Status.NO_RECIPIENT: "recipient",
    Status.TOO_MANY_KEYS: "account",
    Status.NO_SUCH_KEY: "keyEpoch",
    Status.UNKNOWN_PUBLISHER: "signature",
    Status.PRICE_NOT_NEWER: "time",
    Status.PRICE_FROM_FUTURE: "time",
    Status.PRICE_STALE: "time",
    Status.PRICE_OUT_OF_RANGE: "price",
}

_PARTY_FIELDS = {
    "account": "{party}",
    "keyEpoch": "{party}KeyEpoch",
    "signature": "{party}Signature",
    "sequence": "{party}Sequence",
}


def field_of(case: Case) -> str | None:
    """The message's field, or `signature` beside it; None where it is the venue's doing.

    Of a block trade, fields of a leg are told by `leg_field`.
    """
    tx, status = case.tx, case.status
    match status:
        case Status.MALFORMED:
            return {NewOrder: "ticks", Amend: "ticks", BlockTrade: "legs"}.get(type(tx))
        case Status.MARGIN_TOO_LOW:
            return "lots" if isinstance(tx, NewOrder | Amend) else "amount"
        case Status.BAD_KEY:
            assert isinstance(tx, AddKey)
            return _key_field(tx, case.now)
        case Status.SAME_ACCOUNT if not isinstance(tx, Transfer):
            return "taker"
    name = FIELDS.get(status)
    if isinstance(tx, Amend) and name in ("market", "side"):
        return "orderSequence"
    if isinstance(tx, BlockTrade) and name in _PARTY_FIELDS:
        return _PARTY_FIELDS[name].format(party=case.signer.party)
    return name


def leg_field(case: Case, leg: int) -> str:
    return f"legs[{leg}].{FIELDS[case.status]}"


def _key_field(tx: AddKey, now: int) -> str:
    if not any(tx.key):
        return "key"
    return "keyExpiry" if tx.key_expiry < now else "mayTrade"
