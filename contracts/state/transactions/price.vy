# pragma version 0.4.3
"""
@title Price: a publisher's signed price of one market
@notice As state/transactions/price.py. Publishers stay packed: one is found by its address, and its
        price and time are written over.
"""

from . import kinds
from .. import authentication
from .. import eip712
from .. import limits
from .. import machine
from .. import markets
from .. import packing
from .. import status
from .. import store
from .. import units
from .. import witness


# In dt seconds the slow mark covers dt / (dt + this) of its distance to the mark.
SLOW_MARK_SECONDS: constant(uint256) = 600

# u16 market | u56 price | u40 time
PRICE_LAYOUT: constant(bytes32) = (
    0x0207050000000000000000000000000000000000000000000000000000000000
)
PRICE_BYTES: constant(uint256) = 14

# Where price and time begin in a packed publisher.
PUBLISHER_PRICE: constant(uint256) = 23
PUBLISHER_TIME: constant(uint256) = 31


struct SignedPrice:
    market: uint256
    price: uint256
    time: uint256


@internal
@pure
def _decode_price(given: Bytes[limits.GIVEN_BYTES_MAX]) -> SignedPrice:
    """
    @notice The price in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, PRICE_LAYOUT), SignedPrice)


@internal
@pure
def _price_digest(separator: bytes32, transaction: SignedPrice) -> bytes32:
    """
    @notice What the publisher signs.
    """
    return eip712._digest(separator, eip712.PRICE_TYPE_HASH, abi_encode(transaction))


@internal
@pure
def _apply_price(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
) -> (machine.Machine, store.Changed):
    """
    @notice Index and mark become the price; the slow mark follows it. The price must be from one of
            the market's publishers, newer than that publisher's last, not from the future, and
            not older than the market lets a mark grow.
    """
    after: machine.Machine = m
    changed: store.Changed = empty(store.Changed)
    transaction: SignedPrice = self._decode_price(given)
    places: witness.Places = witness._places(leaves)
    leaf: Bytes[packing.LEAF_BYTES_MAX] = store._market_leaf(leaves, places, transaction.market)
    row: markets.BoardRow = store._row(leaves, places, transaction.market)
    if len(leaf) == 0 or row.domain == 0:
        after.status = status.UNKNOWN_MARKET
        return after, changed
    signer: uint256 = authentication._recover(
        self._price_digest(separator, transaction),
        slice(given, kinds.ROW + PRICE_BYTES, authentication.SIGNATURE_BYTES),
    )
    publishers: Bytes[markets.PUBLISHERS_BYTES_MAX] = markets._publishers(leaf)
    at: uint256 = markets._publisher_at(publishers, signer)
    if signer == 0 or at == len(publishers):
        after.status = status.UNKNOWN_PUBLISHER
        return after, changed
    last: uint256 = convert(slice(publishers, at + PUBLISHER_TIME, 8), uint256)
    after.status = self._price_status(transaction, last, row.price_age_max, m.time)
    if after.status == status.OK:
        changed.market = store._market_entry(
            places, markets._decode_market(leaf), self._with_price(publishers, at, transaction)
        )
        changed.row = store._row_entry(
            places,
            transaction.market,
            markets._encode_board_row(self._priced(row, transaction)),
        )
    return after, changed


@internal
@pure
def _price_status(
    transaction: SignedPrice, last: uint256, price_age_max: uint256, now: uint256
) -> uint256:
    """
    @notice Why a publisher's price does not count, or OK. `last` is the time of its last.
    """
    if transaction.time <= last:
        return status.PRICE_NOT_NEWER
    if transaction.time > now:
        return status.PRICE_FROM_FUTURE
    if now - transaction.time > price_age_max:
        return status.PRICE_STALE
    if transaction.price == 0 or transaction.price > limits.PRICE_MAX:
        return status.PRICE_OUT_OF_RANGE
    return status.OK


@internal
@pure
def _with_price(
    publishers: Bytes[markets.PUBLISHERS_BYTES_MAX], at: uint256, transaction: SignedPrice
) -> Bytes[markets.PUBLISHERS_BYTES_MAX]:
    """
    @notice `publishers` with the price and time of the one that begins at byte `at` replaced.
    """
    rest: uint256 = at + markets.PUBLISHER_BYTES
    return convert(
        concat(
            slice(publishers, 0, at + PUBLISHER_PRICE),
            convert(convert(transaction.price, uint64), bytes8),
            convert(convert(transaction.time, uint64), bytes8),
            slice(publishers, rest, len(publishers) - rest),
        ),
        Bytes[markets.PUBLISHERS_BYTES_MAX],
    )


@internal
@pure
def _priced(row: markets.BoardRow, transaction: SignedPrice) -> markets.BoardRow:
    """
    @notice `row` after a price that counts. Nothing that the venue sums up is in it.
    """
    after: markets.BoardRow = row
    after.slow_mark = self._next_slow_mark(row, transaction.price, transaction.time)
    after.index = transaction.price
    after.mark = transaction.price
    after.time = transaction.time
    return after


@internal
@pure
def _next_slow_mark(row: markets.BoardRow, mark: uint256, time: uint256) -> uint256:
    """
    @notice slow + (row.mark - slow) x dt / (dt + SLOW_MARK_SECONDS), the step rounded down. It
            follows the mark that stood during dt; the new `mark` counts from now on, and only
            the very first is taken as it is.
    """
    if row.mark == 0:
        return mark
    elapsed: uint256 = time - row.time
    distance: uint256 = max(row.mark, row.slow_mark) - min(row.mark, row.slow_mark)
    step: uint256 = units._ratio_down(distance, elapsed, elapsed + SLOW_MARK_SECONDS)
    if row.mark >= row.slow_mark:
        return row.slow_mark + step
    return row.slow_mark - step
