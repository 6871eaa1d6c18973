"""What a step is called, and every pair of kind and status that the protocol allows.

A transaction's or an item's own step sets the status; of what follows an order only the
last one does. Steps that set none are counted under None.
"""

from enum import StrEnum

from prover.step import StepInput
from state.machine import Machine, Phase
from state.status import Status
from state.steps import Step, next_step
from state.store import Changes
from state.transactions.kinds import InboxKind, Kind


class StepKind(StrEnum):
    """What the machine did. The first three stand between transactions, the last ones inside."""

    BOOT = "BOOT"
    OPEN = "OPEN"
    HALT = "HALT"
    HEADER = "header"
    PRICE = "price"
    ORDER = "order"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    CANCEL_ALL = "cancel all"
    AMEND = "amend"
    ADD_KEY = "add key"
    REVOKE_KEY = "revoke key"
    BLOCK_TRADE = "block trade"
    ITEM_DEPOSIT = "item: deposit"
    ITEM_LIST_MARKET = "item: list market"
    ITEM_REVOKE_KEY = "item: revoke key"
    ITEM_ROTATE_OWNER = "item: rotate owner"
    ITEM_SET_PARAMETERS = "item: set parameters"
    ITEM_UNKNOWN = "item: unknown"
    SAVE = "SAVE"
    MATCH = "MATCH"
    SWEEP = "SWEEP"
    REST = "REST"
    DROP = "DROP"
    DONE = "DONE"
    KEEP = "KEEP"
    RESTORE = "RESTORE"
    CANCEL_ONE = "CANCEL"
    LEG = "LEG"
    SETTLE = "SETTLE"


TRANSACTION_KINDS = {kind: StepKind[kind.name] for kind in Kind}
ITEM_KINDS = {kind: StepKind[f"ITEM_{kind.name}"] for kind in InboxKind}

Pair = tuple[StepKind, Status | None]

_NOBODYS = (Status.UNKNOWN_ACCOUNT, Status.BAD_SIGNATURE, Status.SEQUENCE_USED)
_OWNERS = (Status.OK, *_NOBODYS, Status.EXPIRED)
_ANY_KEYS = (*_OWNERS, Status.UNKNOWN_KEY, Status.NOT_PERMITTED)
_TERMS = (
    *(Status.EXPIRY_TOO_FAR, Status.MARKET_CLOSED, Status.PRICE_OUT_OF_BAND),
    *(Status.LOTS_OUT_OF_RANGE, Status.NOTIONAL_TOO_SMALL, Status.NOTHING_TO_REDUCE),
    *(Status.MARGIN_TOO_LOW, Status.POSITION_LIMIT),
)

STATUSES_OF: dict[StepKind, tuple[Status | None, ...]] = {
    StepKind.BOOT: (Status.OK,),
    StepKind.OPEN: (None,),
    StepKind.HALT: (Status.OK,),
    StepKind.HEADER: (Status.OK, Status.TIME_BACKWARDS, Status.TIME_OUT_OF_BOUNDS),
    StepKind.PRICE: (
        *(Status.OK, Status.UNKNOWN_MARKET, Status.UNKNOWN_PUBLISHER, Status.PRICE_NOT_NEWER),
        *(Status.PRICE_FROM_FUTURE, Status.PRICE_STALE, Status.PRICE_OUT_OF_RANGE),
    ),
    StepKind.ORDER: (
        *(*_ANY_KEYS, Status.OUT_OF_STEPS, Status.MALFORMED, Status.UNKNOWN_MARKET, *_TERMS),
        *(Status.TOO_MANY_ORDERS, Status.TOO_MANY_POSITIONS),
    ),
    StepKind.CANCEL: (*_ANY_KEYS, Status.UNKNOWN_ORDER),
    StepKind.WITHDRAW: (
        *(*_OWNERS, Status.MARGIN_TOO_LOW, Status.AMOUNT_OUT_OF_RANGE),
        *(Status.WITHDRAWALS_FULL, Status.NO_RECIPIENT),
    ),
    StepKind.TRANSFER: (
        *(*_OWNERS, Status.MARGIN_TOO_LOW, Status.SAME_ACCOUNT),
        *(Status.NOT_OWN_ACCOUNT, Status.AMOUNT_OUT_OF_RANGE),
    ),
    StepKind.CANCEL_ALL: (*_ANY_KEYS, Status.OUT_OF_STEPS, Status.MALFORMED),
    # An amended order leaves its own place free, and rests in a market.
    StepKind.AMEND: (
        *(*_ANY_KEYS, Status.OUT_OF_STEPS, Status.MALFORMED, Status.UNKNOWN_ORDER, *_TERMS),
    ),
    StepKind.ADD_KEY: (*_OWNERS, Status.MALFORMED, Status.TOO_MANY_KEYS, Status.BAD_KEY),
    StepKind.REVOKE_KEY: (*_OWNERS, Status.NO_SUCH_KEY),
    StepKind.BLOCK_TRADE: (
        *(*_ANY_KEYS, Status.OUT_OF_STEPS, Status.MALFORMED, Status.SAME_ACCOUNT),
    ),
    StepKind.ITEM_DEPOSIT: (Status.OK, Status.BAD_ITEM),
    StepKind.ITEM_LIST_MARKET: (Status.OK, Status.BAD_LISTING, Status.MARKET_EXISTS),
    StepKind.ITEM_REVOKE_KEY: (
        *(Status.OK, Status.BAD_ITEM, Status.UNKNOWN_ACCOUNT),
        *(Status.NO_SUCH_KEY, Status.NOT_OWNER),
    ),
    StepKind.ITEM_ROTATE_OWNER: (Status.OK, Status.BAD_ITEM, Status.UNKNOWN_ACCOUNT),
    StepKind.ITEM_SET_PARAMETERS: (
        *(Status.OK, Status.BAD_LISTING, Status.UNKNOWN_MARKET, Status.FIXED_PARAMETER),
    ),
    StepKind.ITEM_UNKNOWN: (Status.BAD_ITEM,),
    StepKind.SAVE: (None,),
    StepKind.MATCH: (None,),
    StepKind.SWEEP: (None,),
    StepKind.REST: (Status.OK,),
    StepKind.DROP: (
        *(Status.REMAINDER_DROPPED, Status.FRONTS_EXHAUSTED, Status.WOULD_TRADE),
        *(Status.SELF_TRADE, Status.TAKER_MARGIN_TOO_LOW, Status.POSITION_TOO_LARGE),
        *(Status.OPEN_INTEREST_TOO_LARGE, Status.REST_MARGIN_TOO_LOW, Status.BOOK_FULL),
        Status.NOTHING_LEFT_TO_REDUCE,
    ),
    StepKind.DONE: (Status.OK,),
    StepKind.KEEP: (Status.OK,),
    StepKind.RESTORE: (Status.KILLED,),
    StepKind.CANCEL_ONE: (None,),
    StepKind.LEG: (
        *(None, Status.UNKNOWN_MARKET, Status.MARKET_CLOSED, Status.PRICE_OUT_OF_BAND),
        *(Status.LOTS_OUT_OF_RANGE, Status.NOTIONAL_TOO_SMALL, Status.TOO_MANY_POSITIONS),
        *(Status.OPEN_INTEREST_TOO_LARGE, Status.POSITION_TOO_LARGE),
    ),
    StepKind.SETTLE: (Status.OK, Status.TAKER_MARGIN_TOO_LOW, Status.MAKER_MARGIN_TOO_LOW),
}
"""What each kind of step can answer."""

ALL_PAIRS: frozenset[Pair] = frozenset(
    (kind, status) for kind, statuses in STATUSES_OF.items() for status in statuses
)


def pair_of(before: Machine, given: StepInput, kind: int, changes: Changes) -> Pair:
    """What a step did; `kind` is that of its transaction, if it was one."""
    status = Status(changes.machine.status)
    match next_step(before):
        case Step.BOOT:
            return StepKind.BOOT, status
        case Step.OPEN:
            return StepKind.OPEN, None
        case Step.HALT:
            return StepKind.HALT, status
        case Step.INBOX:
            assert given.item is not None
            return ITEM_KINDS.get(given.item.kind, StepKind.ITEM_UNKNOWN), status  # type: ignore[call-overload]
        case Step.TRANSACTION:
            return TRANSACTION_KINDS[Kind(kind)], status
        case Step.ORDER:
            return _progress(before, changes, status)


def _progress(before: Machine, changes: Changes, status: Status) -> Pair:
    ended = changes.machine.order.phase == Phase.IDLE
    match before.order.phase:
        case Phase.SAVE:
            return StepKind.SAVE, None
        case Phase.CANCEL:
            return StepKind.CANCEL_ONE, None
        case Phase.LEG:
            settles = before.block.leg == before.block.count
            return (StepKind.SETTLE if settles else StepKind.LEG), status if ended else None
        case _:
            return _front(before, changes, status if ended else None)


def _front(before: Machine, changes: Changes, status: Status | None) -> Pair:
    if status is None:
        filled = changes.machine.order.filled > before.order.filled
        return (StepKind.MATCH if filled else StepKind.SWEEP), None
    if changes.rewind == "keep":
        return StepKind.KEEP, status
    if changes.rewind == "restore":
        return StepKind.RESTORE, status
    if status != Status.OK:
        return StepKind.DROP, status
    return (StepKind.REST if before.order.lots else StepKind.DONE), status
