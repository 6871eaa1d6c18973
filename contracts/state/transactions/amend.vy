# pragma version 0.4.3
"""
@title Amend: change price, size or expiry of a resting order; smaller keeps its priority
@notice As state/transactions/amend.py.
"""

from . import kinds
from . import order
from .. import accounts
from .. import authentication
from .. import eip712
from .. import limits
from .. import markets
from .. import orders
from .. import packing
from .. import removal
from .. import resting
from .. import status
from .. import store
from .. import units
from .. import witness


# u32 account | u32 epoch | u64 sequence | u32 order epoch | u64 order sequence | u24 ticks
# | u48 lots | u40 expiry
AMEND_LAYOUT: constant(bytes32) = (
    0x0404080408030605000000000000000000000000000000000000000000000000
)
AMEND_BYTES: constant(uint256) = 42


struct Amend:
    account: uint256
    epoch: uint256
    sequence: uint256
    order_epoch: uint256
    order_sequence: uint256
    ticks: uint256
    lots: uint256  # that shall be open from now on
    expiry: uint256


@internal
@pure
def _decode_amend(given: Bytes[limits.GIVEN_BYTES_MAX]) -> Amend:
    """
    @notice The amend in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, AMEND_LAYOUT), Amend)


@internal
@pure
def _amend_digest(separator: bytes32, transaction: Amend) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each.
    """
    return eip712._digest(separator, eip712.AMEND_TYPE_HASH, abi_encode(transaction))


@internal
@pure
def _authorise_amend(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
    now: uint256,
    steps_left: uint256,
) -> order.Admission:
    """
    @notice What `apply_amend` asks first: why the amend is nobody's or is refused, and the account
            after it. Apart, since both hold the leaves and memory is paid by its square.
    @param steps_left The budget before this step; one of them is HALT's.
    """
    admission: order.Admission = empty(order.Admission)
    transaction: Amend = self._decode_amend(given)
    if steps_left < limits.ORDER_STEPS_MAX + 1:
        admission.status = status.OUT_OF_STEPS
    elif transaction.ticks == 0:
        admission.status = status.MALFORMED
    else:
        admission.status, admission.account = authentication._authorise(
            store._account(leaves, places, transaction.account),
            self._amend_digest(separator, transaction),
            slice(given, kinds.ROW + AMEND_BYTES, authentication.SIGNATURE_BYTES),
            transaction.epoch,
            transaction.sequence,
            transaction.expiry,
            accounts.PERMIT_TRADE,
            now,
        )
    return admission


@internal
@pure
def _apply_amend(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    account: accounts.Account,
    transaction: Amend,
    now: uint256,
) -> order.Admission:
    """
    @notice Change the order where it stands, or ADMIT it anew under its old name: checked as an order
            of an account without the old one, which goes only if that is OK.
    """
    admission: order.Admission = empty(order.Admission)
    admission.account = account
    is_there: bool = False
    place: accounts.OrderReference = empty(accounts.OrderReference)
    is_there, place = accounts._order(
        account, transaction.order_epoch, transaction.order_sequence
    )
    if not is_there:
        admission.status = status.UNKNOWN_ORDER
        return admission
    before: orders.RestingOrder = resting._resting_at(
        leaves, places, transaction.account, place
    )
    if self._keeps_priority(transaction, place, before):
        return self._amend_in_place(leaves, places, account, transaction, place, before)
    flags: orders.Flags = self._flags(before)
    amended: order.NewOrder = self._amended_order(transaction, place, before)
    without: accounts.Account = removal._remove_order(account, place.market, place.side, before)
    ticks: uint256 = 0
    admission.status, ticks = order._admissible(leaves, places, without, amended, flags, now)
    if admission.status == status.OK:
        admission.account = without
        admission.resting = removal._removed(places, place.market, place.side, place.key)
        admission.order = order._registers(amended, flags, ticks)
    return admission


@internal
@pure
def _flags(before: orders.RestingOrder) -> orders.Flags:
    """
    @notice The flags of a resting order: ADMIT lets no other in than those that say something.
    """
    is_sensible: bool = False
    flags: orders.Flags = empty(orders.Flags)
    is_sensible, flags = orders._decode_flags(before.flags)
    assert is_sensible
    return flags


@internal
@pure
def _amended_order(
    transaction: Amend, place: accounts.OrderReference, before: orders.RestingOrder
) -> order.NewOrder:
    """
    @notice What the amend makes of a resting order, under its old name and flags.
    """
    return order.NewOrder(
        account=transaction.account,
        epoch=transaction.order_epoch,
        sequence=transaction.order_sequence,
        market=place.market,
        flags=before.flags,
        ticks=transaction.ticks,
        lots=transaction.lots,
        expiry=transaction.expiry,
    )


@internal
@pure
def _keeps_priority(
    transaction: Amend, place: accounts.OrderReference, before: orders.RestingOrder
) -> bool:
    """
    @notice The same price, for no more lots and no longer.
    """
    return (
        transaction.ticks == orders._key_ticks(place.side, place.key)
        and transaction.lots <= before.lots
        and transaction.expiry <= before.expiry
    )


@internal
@pure
def _amend_in_place(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    account: accounts.Account,
    transaction: Amend,
    place: accounts.OrderReference,
    before: orders.RestingOrder,
) -> order.Admission:
    """
    @notice Less for the same price frees margin, so a closed market does not matter.
    """
    admission: order.Admission = empty(order.Admission)
    admission.account = account
    market: markets.Market = store._market(leaves, places, place.market)
    assert market.domain > 0  # an order rests in a market
    if transaction.lots == 0:
        admission.status = status.LOTS_OUT_OF_RANGE
    elif units._notional(transaction.lots, transaction.ticks * market.tick) < market.min_notional:
        admission.status = status.NOTIONAL_TOO_SMALL
    else:
        admission.account = resting._with_resting_lots(
            account,
            place.market,
            place.side,
            convert(transaction.lots, int256) - convert(before.lots, int256),
        )
        amended: orders.RestingOrder = before
        amended.lots = transaction.lots
        amended.expiry = transaction.expiry
        admission.resting = convert(
            store._entry(
                store._order_place(places, place.market, place.side, place.key),
                orders._encode_order(amended),
            ),
            Bytes[store.OTHER_ENTRY_BYTES_MAX],
        )
    return admission
