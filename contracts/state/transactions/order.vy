# pragma version 0.4.3
"""
@title Order: ADMIT a signed order
@notice As state/transactions/order.py. What follows, step by step, is in state/matching.vy.
"""

from . import kinds
from .. import accounts
from .. import authentication
from .. import eip712
from .. import limits
from .. import machine
from .. import margin
from .. import markets
from .. import orders
from .. import packing
from .. import resting
from .. import status
from .. import store
from .. import units
from .. import witness


# u32 account | u32 epoch | u64 sequence | u16 market | u8 flags | u24 ticks | u48 lots | u40 expiry
ORDER_LAYOUT: constant(bytes32) = (
    0x0404080201030605000000000000000000000000000000000000000000000000
)
ORDER_BYTES: constant(uint256) = 33


struct NewOrder:
    account: uint256
    epoch: uint256
    sequence: uint256
    market: uint256
    flags: uint256
    ticks: uint256
    lots: uint256
    expiry: uint256


struct Admission:
    status: uint256
    order: machine.OrderInProgress  # idle unless the order was admitted
    account: accounts.Account  # after it, where the status is no identity status
    resting: Bytes[store.OTHER_ENTRY_BYTES_MAX]  # the entry of an order that changed or left


@internal
@pure
def _decode_new_order(given: Bytes[limits.GIVEN_BYTES_MAX]) -> NewOrder:
    """
    @notice The order in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, ORDER_LAYOUT), NewOrder)


@internal
@pure
def _order_digest(separator: bytes32, transaction: NewOrder, flags: orders.Flags) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each, the flags taken apart.
    """
    return eip712._digest(
        separator,
        eip712.ORDER_TYPE_HASH,
        concat(
            abi_encode(
                transaction.account,
                transaction.epoch,
                transaction.sequence,
                transaction.market,
            ),
            eip712._flag_words(flags),
            abi_encode(transaction.ticks, transaction.lots, transaction.expiry),
        ),
    )


@internal
@pure
def _admit_order(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
    now: uint256,
    steps_left: uint256,
) -> Admission:
    """
    @notice Authenticate, consume the sequence number, check, and put the order in the registers.
    @param steps_left The budget before this step; one of them is HALT's.
    """
    admission: Admission = empty(Admission)
    transaction: NewOrder = self._decode_new_order(given)
    is_sensible: bool = False
    flags: orders.Flags = empty(orders.Flags)
    is_sensible, flags = orders._decode_flags(transaction.flags)
    if steps_left < limits.ORDER_STEPS_MAX + 1:
        admission.status = status.OUT_OF_STEPS
    elif not is_sensible or flags.is_market != (transaction.ticks == 0):
        admission.status = status.MALFORMED
    else:
        admission.status, admission.account = authentication._authorise(
            store._account(leaves, places, transaction.account),
            self._order_digest(separator, transaction, flags),
            slice(given, kinds.ROW + ORDER_BYTES, authentication.SIGNATURE_BYTES),
            transaction.epoch,
            transaction.sequence,
            transaction.expiry,
            accounts.PERMIT_TRADE,
            now,
        )
    if admission.status == status.OK:
        ticks: uint256 = 0
        admission.status, ticks = self._admissible(
            leaves, places, admission.account, transaction, flags, now
        )
        if admission.status == status.OK:
            admission.order = self._registers(transaction, flags, ticks)
    return admission


@internal
@pure
def _registers(
    transaction: NewOrder, flags: orders.Flags, ticks: uint256
) -> machine.OrderInProgress:
    """
    @notice What an admitted order leaves in the machine; `ticks` is the limit it trades within.
    """
    return machine.OrderInProgress(
        phase=machine.SAVE if flags.life == orders.FOK else machine.MATCH,
        account=transaction.account,
        epoch=transaction.epoch,
        sequence=transaction.sequence,
        market=transaction.market,
        flags=transaction.flags,
        ticks=ticks,
        lots=transaction.lots,
        filled=0,
        expiry=transaction.expiry,
        fronts=limits.ORDER_FRONTS_MAX,
    )


@internal
@pure
def _admissible(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    account: accounts.Account,
    transaction: NewOrder,
    flags: orders.Flags,
    now: uint256,
) -> (uint256, uint256):
    """
    @notice Why this order of `account` is refused, or OK and the limit it trades within. Who signed
            it, and until when that counts, was checked before.
    """
    market: markets.Market = store._market(leaves, places, transaction.market)
    row: markets.MarginRow = store._margin_row(leaves, places, transaction.market)
    if market.domain == 0 or row.domain == 0:
        # The order of the codes: the life of an order is its market's to bound.
        return status.UNKNOWN_MARKET, 0
    if transaction.expiry > now + market.order_life_max:
        return status.EXPIRY_TOO_FAR, 0
    if not margin._is_fresh(row, now):
        return status.MARKET_CLOSED, 0
    edge: uint256 = self._band_edge(market, row, flags.side)
    ticks: uint256 = edge if flags.is_market else transaction.ticks
    if edge == 0 or not orders._crosses(flags.side, edge, ticks):
        return status.PRICE_OUT_OF_BAND, 0
    if transaction.lots == 0 or transaction.lots > market.order_lots_max:
        return status.LOTS_OUT_OF_RANGE, 0
    return self._room(leaves, places, account, market, transaction, flags, ticks), ticks


@internal
@pure
def _room(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    account: accounts.Account,
    market: markets.Market,
    transaction: NewOrder,
    flags: orders.Flags,
    ticks: uint256,
) -> uint256:
    """
    @notice Whether the order is large enough and the account has slots and margin for it.
    """
    held: int256 = resting._lots_of(account, transaction.market)
    reducible: uint256 = resting._reducible_lots(held, flags.side)
    lots: uint256 = transaction.lots
    if flags.reduce_only:
        lots = min(lots, reducible)
    # Closing a position whole needs no least size, unless the order may rest: a dead order at
    # the front of the book must have cost its owner what a live one does.
    closes: bool = flags.reduce_only and not flags.may_rest and reducible <= transaction.lots
    value: uint256 = units._notional(lots, ticks * market.tick)
    if lots > 0 and not closes and value < market.min_notional:
        return status.NOTIONAL_TOO_SMALL
    if flags.may_rest and account.order_count == limits.ACCOUNT_ORDERS_MAX:
        return status.TOO_MANY_ORDERS
    if (
        not accounts._has_position(account, transaction.market)
        and account.position_count == limits.ACCOUNT_POSITIONS_MAX
    ):
        return status.TOO_MANY_POSITIONS
    if lots == 0:
        return status.NOTHING_TO_REDUCE
    cost: uint256 = resting._dearer_fee(market, lots, ticks)
    return resting._room_status(
        store._rows(leaves, places), account, market, flags.side, lots, cost
    )


@internal
@pure
def _band_edge(market: markets.Market, row: markets.MarginRow, side: uint256) -> uint256:
    """
    @notice The worst price, in ticks, at which an order may trade; zero where there is none.
            A buy: floor(mark x (1 + band) / tick). A sell: ceil(mark x (1 - band) / tick).
    """
    denominator: uint256 = units.RATE_ONE * market.tick
    if side == orders.BUY:
        highest: uint256 = units._ratio_down(row.mark, units.RATE_ONE + market.band, denominator)
        return min(highest, limits.TICKS_MAX)
    lowest: uint256 = units._ratio_up(row.mark, units.RATE_ONE - market.band, denominator)
    return lowest if lowest <= limits.TICKS_MAX else 0
