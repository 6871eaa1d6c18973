"""Order: ADMIT a signed order. What follows, step by step, is in `state/matching.py`."""

import struct

from msgspec import Struct

from state.accounts import Account
from state.authentication import Verifier, authorise
from state.eip712 import ORDER_TYPE_HASH, Domain, digest, flag_words
from state.limits import (
    ACCOUNT_ORDERS_MAX,
    ACCOUNT_POSITIONS_MAX,
    ORDER_FRONTS_MAX,
    ORDER_STEPS_MAX,
    TICKS_MAX,
)
from state.machine import OrderInProgress, Phase
from state.margin import is_fresh
from state.markets import BoardRow, Market
from state.orders import BUY, Flags, Life, decode_flags
from state.packing import packed, u
from state.resting import dearer_fee, lots_of, reducible_lots, room_status
from state.status import Status
from state.store import Changes
from state.units import RATE_ONE, notional, ratio_down, ratio_up


class NewOrder(Struct, frozen=True, gc=False):
    """A signed order. Known from the moment it is signed by (account, epoch, sequence)."""

    account: int
    epoch: int
    sequence: int
    market: int
    flags: int
    ticks: int
    lots: int
    expiry: int


_ROW = struct.Struct(">IIQHB3s6s5s")
_NAME_WORDS = struct.Struct(">28xI28xI24xQ30xH")
_TERM_WORDS = struct.Struct(">28xI24xQ24xQ")
"""Words of the widths that `ORDER_TYPE` names, eight times as fast as one by one."""


def encode_new_order(tx: NewOrder) -> bytes:
    terms = u(tx.ticks, 24), u(tx.lots, 48), u(tx.expiry, 40)
    return packed(_ROW, tx.account, tx.epoch, tx.sequence, tx.market, tx.flags, *terms)


def decode_new_order(row: bytes) -> NewOrder:
    account, epoch, sequence, market, flags, ticks, lots, expiry = _ROW.unpack(row)
    big = int.from_bytes
    return NewOrder(
        *(account, epoch, sequence, market, flags),
        *(big(ticks, "big"), big(lots, "big"), big(expiry, "big")),
    )


def order_digest(domain: Domain, tx: NewOrder, flags: Flags) -> bytes:
    return digest(
        domain,
        ORDER_TYPE_HASH,
        _NAME_WORDS.pack(tx.account, tx.epoch, tx.sequence, tx.market),
        flag_words(flags),
        _TERM_WORDS.pack(tx.ticks, tx.lots, tx.expiry),
    )


def admit_order(
    changes: Changes, tx: NewOrder, signature: bytes, verifier: Verifier, steps_left: int
) -> Status:
    """Authenticate, consume the sequence number, check, and put the order in the registers.

    `steps_left` is the budget before this step; one of them is HALT's.
    """
    if steps_left < ORDER_STEPS_MAX + 1:
        return Status.OUT_OF_STEPS
    flags = decode_flags(tx.flags)
    if flags is None or flags.is_market != (tx.ticks == 0):
        return Status.MALFORMED
    digest = order_digest(verifier.domain, tx, flags)
    status = authorise(
        changes,
        verifier,
        tx,
        digest=digest,
        signature=signature,
        epoch=tx.epoch,
    )
    if status:
        return status
    account = changes.account(tx.account)
    status, ticks = admissible(changes, account, tx, flags)
    if status == Status.OK:
        changes.machine.order = registers(tx, flags, ticks)
    return status


def registers(tx: NewOrder, flags: Flags, ticks: int) -> OrderInProgress:
    """What an admitted order leaves in the machine; `ticks` is the limit it trades within."""
    return OrderInProgress(
        phase=Phase.SAVE if flags.life == Life.FOK else Phase.MATCH,
        account=tx.account,
        epoch=tx.epoch,
        sequence=tx.sequence,
        market=tx.market,
        flags=tx.flags,
        ticks=ticks,
        lots=tx.lots,
        expiry=tx.expiry,
        fronts=ORDER_FRONTS_MAX,
    )


def admissible(
    changes: Changes, account: Account, tx: NewOrder, flags: Flags
) -> tuple[Status, int]:
    """Why this order of `account` is refused, or OK and the limit it trades within.

    Who signed it, and until when that counts, was checked before.
    """
    now = changes.machine.time
    market, row = changes.market(tx.market), changes.row(tx.market)
    if market is None or row is None:
        # The order of the codes: the life of an order is its market's to bound.
        return Status.UNKNOWN_MARKET, 0
    if tx.expiry > now + market.order_life_max:
        return Status.EXPIRY_TOO_FAR, 0
    if not is_fresh(row, now):
        return Status.MARKET_CLOSED, 0
    edge = band_edge(market, row, flags.side)
    ticks = edge if flags.is_market else tx.ticks
    if edge == 0 or (ticks > edge if flags.side == BUY else ticks < edge):
        return Status.PRICE_OUT_OF_BAND, 0
    if not 0 < tx.lots <= market.order_lots_max:
        return Status.LOTS_OUT_OF_RANGE, 0
    return _room(changes, account, market, tx, flags, ticks), ticks


def _room(
    changes: Changes,
    account: Account,
    market: Market,
    tx: NewOrder,
    flags: Flags,
    ticks: int,
) -> Status:
    """Whether the order is large enough and the account has slots and margin for it."""
    reducible = reducible_lots(lots_of(account, tx.market), flags.side)
    lots = min(tx.lots, reducible) if flags.reduce_only else tx.lots
    # Closing a position whole needs no least size, unless the order may rest: a dead order at
    # the front of the book must have cost its owner what a live one does.
    closes = flags.reduce_only and not flags.may_rest and reducible <= tx.lots
    if lots > 0 and not closes and notional(lots, ticks * market.tick) < market.min_notional:
        return Status.NOTIONAL_TOO_SMALL
    if flags.may_rest and len(account.orders) == ACCOUNT_ORDERS_MAX:
        return Status.TOO_MANY_ORDERS
    held = account.position(tx.market)
    if held is None and len(account.positions) == ACCOUNT_POSITIONS_MAX:
        return Status.TOO_MANY_POSITIONS
    if lots == 0:
        return Status.NOTHING_TO_REDUCE
    cost = dearer_fee(market, lots, ticks)
    return room_status(changes, account, market, side=flags.side, lots=lots, cost=cost)


def band_edge(market: Market, row: BoardRow, side: int) -> int:
    """The worst price, in ticks, at which an order may trade; zero where there is none.

    A buy: floor(mark x (1 + band) / tick). A sell: ceil(mark x (1 - band) / tick).
    """
    if side == BUY:
        ticks = ratio_down(row.mark, RATE_ONE + market.band, RATE_ONE * market.tick)
        return min(ticks, TICKS_MAX)
    ticks = ratio_up(row.mark, RATE_ONE - market.band, RATE_ONE * market.tick)
    return ticks if ticks <= TICKS_MAX else 0
