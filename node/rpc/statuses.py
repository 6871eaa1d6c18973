"""The rules' statuses in words: what each says, and how to mend it.

A refusal is an error of code REFUSED + status. A status of an order that ran and lost
what was left of it is a result, and has a sentence here too.
"""

from typing import Any

from node.rpc.errors import REFUSED
from state.status import IDENTITY_LAST, Status

_AGAIN = "sign it anew with the next sequence number"

REFUSALS: dict[Status, tuple[str, str]] = {
    Status.OUT_OF_STEPS: (
        "the batch in progress has no room for this kind",
        "send the same message again: the next batch has",
    ),
    Status.MALFORMED: (
        "the fields of the message do not go together",
        "venue_typedData builds a message that is well formed",
    ),
    Status.UNKNOWN_ACCOUNT: (
        "no such account",
        "deposit on L1 to open it, and wait until the deposit is in a batch",
    ),
    Status.UNKNOWN_KEY: (
        "the account has no session key of this epoch",
        "sign with the owner's key (epoch 0) or with a key that venue_account lists",
    ),
    Status.BAD_SIGNATURE: (
        "the signature is not of the account's key over this message",
        "sign this very message, in the domain of rollup_config, with the key that is expected",
    ),
    Status.SEQUENCE_USED: (
        "the sequence number is not above the last one of this key",
        "sign it with a higher sequence number; nothing was changed",
    ),
    Status.NOT_PERMITTED: (
        "this session key has expired or may not do this",
        "sign with the owner's key, or with a key that venue_account lists as permitted",
    ),
    Status.EXPIRED: (
        "the message ran out before it arrived",
        f"{_AGAIN} and a later expiry",
    ),
    Status.EXPIRY_TOO_FAR: (
        "the order would live longer than its market allows",
        f"{_AGAIN} and an earlier expiry",
    ),
    Status.UNKNOWN_MARKET: ("no such market", "use a market that venue_markets lists"),
    Status.MARKET_CLOSED: (
        "the market is not live, or its mark is too old",
        f"wait for a fresh price, then {_AGAIN}",
    ),
    Status.PRICE_OUT_OF_BAND: (
        "the price is further from the mark than the market allows",
        f"{_AGAIN} and a price within the band",
    ),
    Status.LOTS_OUT_OF_RANGE: (
        "the size is none, or more than one order may have",
        f"{_AGAIN} and a size within the range, or as several orders",
    ),
    Status.NOTIONAL_TOO_SMALL: (
        "the order is worth less than the market's minimum",
        f"{_AGAIN} and a larger size",
    ),
    Status.TOO_MANY_ORDERS: (
        "the account has as many open orders as it may",
        f"cancel one, then {_AGAIN}",
    ),
    Status.TOO_MANY_POSITIONS: (
        "the account has positions or orders in as many markets as it may",
        f"close one, or use another subaccount, then {_AGAIN}",
    ),
    Status.NOTHING_TO_REDUCE: (
        "a reduce-only order needs a position on the other side",
        f"{_AGAIN} without reduceOnly, or on the side that reduces the position",
    ),
    Status.MARGIN_TOO_LOW: (
        "equity, less what filling the order costs, would be below initial margin; or less "
        "the amount that leaves, both at the worse of mark and slow mark, or one mark is too old",
        "deposit, ask for less or close positions, or for an amount wait for fresh prices and the "
        f"slow mark, then {_AGAIN}",
    ),
    Status.UNKNOWN_ORDER: (
        "the account has no such order in the book: it was filled, swept or cancelled",
        "venue_account lists the open orders",
    ),
    Status.SAME_ACCOUNT: (
        "a transfer or a block trade is between two accounts",
        f"{_AGAIN} and another account",
    ),
    Status.NOT_OWN_ACCOUNT: (
        "a transfer stays within the subaccounts of one owner number and one owner",
        f"{_AGAIN} and an account of the same number and owner",
    ),
    Status.AMOUNT_OUT_OF_RANGE: ("the amount is zero", f"{_AGAIN} and an amount above zero"),
    Status.WITHDRAWALS_FULL: (
        "the tree of withdrawals is full",
        "nobody can withdraw from this deployment any more; ask its governor",
    ),
    Status.POSITION_LIMIT: (
        "with its open orders the position could grow past the market's maximum",
        f"{_AGAIN} and a smaller size, or cancel open orders first",
    ),
    Status.NO_RECIPIENT: (
        "the recipient is the zero address, which nobody can be paid at",
        f"{_AGAIN} and the L1 address to pay",
    ),
    Status.TOO_MANY_KEYS: (
        "the account has as many session keys as it may, or no epoch left to give",
        f"revoke a key, then {_AGAIN}",
    ),
    Status.BAD_KEY: (
        "the key is no address, may do nothing, or has expired already",
        f"{_AGAIN}, the key's address, a permission and a later key expiry",
    ),
    Status.NO_SUCH_KEY: (
        "the account has no session key of this epoch",
        "venue_account lists the keys; one that is not there signs nothing",
    ),
    Status.UNKNOWN_PUBLISHER: (
        "the signature is of none of the market's publishers over this price",
        "sign this very message, in the domain of rollup_config, with a publisher's key",
    ),
    Status.PRICE_NOT_NEWER: (
        "the publisher has already sent a price of this time or later",
        "sign a price seen later",
    ),
    Status.PRICE_FROM_FUTURE: (
        "the price is from later than the venue's clock",
        "send it again when the venue's clock has got there; keep the publisher's clock right",
    ),
    Status.PRICE_STALE: (
        "the price is older than a mark of this market may be",
        "sign a price seen now",
    ),
    Status.PRICE_OUT_OF_RANGE: (
        "the price is zero, or more than a price can be",
        "sign a price in nano-USD per lot",
    ),
}
"""What was wrong and how to mend it, per status that leaves an order or action undone."""

BLOCK_REFUSALS: dict[Status, tuple[str, str]] = {
    Status.TAKER_MARGIN_TOO_LOW: (
        "with every leg traded the taker's equity would be below initial margin, both at the worse "
        "of mark and slow mark, or one of the taker's marks is too old",
        "the taker deposits, trades less or waits for fresh prices and the slow mark; then both "
        "sign anew with their next sequence numbers",
    ),
    Status.MAKER_MARGIN_TOO_LOW: (
        "with every leg traded the maker's equity would be below initial margin, both at the worse "
        "of mark and slow mark, or one of the maker's marks is too old",
        "the maker deposits, trades less or waits for fresh prices and the slow mark; then both "
        "sign anew with their next sequence numbers",
    ),
    Status.POSITION_TOO_LARGE: (
        "a leg would take the position of a party past the market's maximum",
        "make the leg smaller; both sign anew with their next sequence numbers",
    ),
    Status.OPEN_INTEREST_TOO_LARGE: (
        "a leg would take the market's open interest past its maximum",
        "make the leg smaller, or wait; both sign anew with their next sequence numbers",
    ),
}
"""What of a block trade is a refusal, since it is done whole or not at all."""

DROPPED: dict[Status, str] = {
    Status.REMAINDER_DROPPED: "nothing more to trade with within the limit; the rest was dropped",
    Status.FRONTS_EXHAUSTED: "the order met as many others as one may; the rest was dropped",
    Status.WOULD_TRADE: "a post-only order would have traded at once, so it was dropped",
    Status.SELF_TRADE: "the order met one of its own account; the rest was dropped",
    Status.TAKER_MARGIN_TOO_LOW: "the margin does not carry the next fill; the rest was dropped",
    Status.POSITION_TOO_LARGE: "the position would be too large; the rest was dropped",
    Status.OPEN_INTEREST_TOO_LARGE: "the market's open interest is full; the rest was dropped",
    Status.REST_MARGIN_TOO_LOW: "the margin does not carry a resting order; the rest was dropped",
    Status.BOOK_FULL: "the book has given all its order numbers; the rest was dropped",
    Status.KILLED: "the order could not be filled whole, so nothing of it was",
    Status.NOTHING_LEFT_TO_REDUCE: "there was nothing left to reduce; the rest was dropped",
}
"""What became of an order that ran."""

NEVER_SUBMITTED = frozenset(
    {
        Status.TIME_BACKWARDS,
        Status.TIME_OUT_OF_BOUNDS,
        Status.BAD_LISTING,
        Status.BAD_ITEM,
        Status.MARKET_EXISTS,
        Status.NOT_OWNER,
        Status.FIXED_PARAMETER,
    }
)
"""Statuses of what only the sequencer or L1 brings."""

RETRYABLE = frozenset({Status.OUT_OF_STEPS, Status.UNKNOWN_ACCOUNT, Status.PRICE_FROM_FUTURE})
"""Refusals after which the same signed message may succeed later."""


def reason_of(status: Status) -> str:
    """The stable name of a status."""
    return status.name.lower()


def overview() -> list[dict[str, Any]]:
    """Every refusal, for `rpc.discover`."""
    refusals = list((REFUSALS | BLOCK_REFUSALS).items())
    return [
        {
            "code": REFUSED + status,
            "name": reason_of(status),
            "message": message,
            "mend": mend,
            "retryable": status in RETRYABLE,
            "consumesSequence": Status.UNKNOWN_PUBLISHER > status > IDENTITY_LAST,
        }
        for status, (message, mend) in refusals
    ]
