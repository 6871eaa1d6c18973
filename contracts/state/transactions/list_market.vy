# pragma version 0.4.3
"""
@title List market: a new market and its row on the board, from L1's governor
@notice As state/transactions/list_market.py. A listing's publishers stay packed.
"""

from .. import limits
from .. import machine
from .. import markets
from .. import packing
from .. import status
from .. import store
from .. import units
from .. import witness


FEE_MAX: constant(uint256) = 100_000
NOTIONAL_MAX: constant(uint256) = 2**96
LOT_EXPONENT_MAX: constant(uint256) = 18
INTEREST_END: constant(uint256) = 2**63

SYMBOL_BYTES: constant(uint256) = 16
SPACE: constant(uint256) = 32
DELETE: constant(uint256) = 127

# market .. interest_upper; then a byte of count and the tiers, a byte of count and the publishers.
LISTING_LAYOUT: constant(bytes32) = (
    0x0201011004080804040404080801010404040404040408041010000000000000
)
LISTING_BYTES: constant(uint256) = 146
TERMS_WORDS_BYTES: constant(uint256) = (26 + 1 + 3 * limits.TIERS_MAX) * 32
# address | u8 family | u16 weight
LISTED_PUBLISHER_BYTES: constant(uint256) = 23
LISTED_PUBLISHERS_MAX: constant(uint256) = 255


struct Terms:
    market: uint256
    kind: uint256
    lot_exponent: uint256
    symbol: uint256
    tick: uint256
    min_notional: uint256
    order_lots_max: uint256
    band: uint256
    taker_fee: uint256
    maker_fee: uint256
    order_life_max: uint256
    open_interest_max: uint256
    position_max: uint256
    quorum: uint256
    families: uint256
    deviation: uint256
    price_step: uint256
    price_age_max: uint256
    interest: uint256
    damp: uint256
    funding_cap: uint256
    liquidation_fee: uint256
    expiry: uint256
    close_out: uint256
    interest_lower: uint256
    interest_upper: uint256
    tier_count: uint256
    tiers: markets.Tier[limits.TIERS_MAX]


struct Listing:
    terms: Terms
    publishers: Bytes[limits.GIVEN_BYTES_MAX]


@internal
@pure
def _decode_listing(payload: Bytes[limits.GIVEN_BYTES_MAX]) -> (bool, Listing):
    """
    @notice Whether these bytes are a listing, and which; `_is_sound` judges what it says.
    """
    listing: Listing = empty(Listing)
    if len(payload) <= LISTING_BYTES:
        return False, listing
    tiers: uint256 = convert(slice(payload, LISTING_BYTES, 1), uint256)
    at: uint256 = LISTING_BYTES + 1 + tiers * markets.TIER_BYTES
    if tiers == 0 or tiers > limits.TIERS_MAX or len(payload) <= at:
        return False, listing
    publishers: uint256 = convert(slice(payload, at, 1), uint256)
    size: uint256 = publishers * LISTED_PUBLISHER_BYTES
    if len(payload) != at + 1 + size:
        return False, listing
    listing.publishers = slice(payload, at + 1, size)
    # Tiers that are not there are zero.
    words: Bytes[2 * packing.WORDS_BYTES_MAX + 9 * 32] = concat(
        packing._unpack(payload, 0, LISTING_LAYOUT),
        packing._unpack(payload, LISTING_BYTES, markets._tiers_layout(tiers)),
        empty(bytes32), empty(bytes32), empty(bytes32),
        empty(bytes32), empty(bytes32), empty(bytes32),
        empty(bytes32), empty(bytes32), empty(bytes32),
    )
    listing.terms = abi_decode(slice(words, 0, TERMS_WORDS_BYTES), Terms)
    return self._is_ascending(listing), listing


@internal
@pure
def _is_ascending(listing: Listing) -> bool:
    """
    @notice Tiers strictly by their start, the first from zero; publishers strictly by address.
    """
    if listing.terms.tiers[0].start != 0:
        return False
    for i: uint256 in range(1, limits.TIERS_MAX):
        if i < listing.terms.tier_count:
            if listing.terms.tiers[i].start <= listing.terms.tiers[i - 1].start:
                return False
    last: uint256 = 0
    for i: uint256 in range(LISTED_PUBLISHERS_MAX):
        at: uint256 = i * LISTED_PUBLISHER_BYTES
        if at == len(listing.publishers):
            break
        publisher: uint256 = convert(slice(listing.publishers, at, 20), uint256)
        if i > 0 and publisher <= last:
            return False
        last = publisher
    return True


@internal
@pure
def _apply_list_market(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    payload: Bytes[limits.GIVEN_BYTES_MAX],
) -> (machine.Machine, store.Changed):
    """
    @notice BAD_LISTING for what no market can be; MARKET_EXISTS where its row is taken.
    """
    after: machine.Machine = m
    changed: store.Changed = empty(store.Changed)
    is_listing: bool = False
    listing: Listing = empty(Listing)
    is_listing, listing = self._decode_listing(payload)
    if not is_listing or not self._is_sound(listing):
        after.status = status.BAD_LISTING
        return after, changed
    places: witness.Places = witness._places(leaves)
    number: uint256 = listing.terms.market
    # Whichever market's row it is, the place is taken; then the market itself is not read.
    is_taken: bool = len(store._row_leaf(leaves, places, number)) > 0
    if not is_taken:
        is_taken = len(store._market_leaf(leaves, places, number)) > 0
    if is_taken:
        after.status = status.MARKET_EXISTS
        return after, changed
    changed.market = store._market_entry(
        places, self._market(listing.terms), self._publishers(listing.publishers, b"", 0)
    )
    changed.row = store._row_entry(
        places,
        number,
        markets._encode_board_row(self._row(listing.terms)),
    )
    after.status = status.OK
    return after, changed


@internal
@pure
def _is_sound(listing: Listing) -> bool:
    """
    @notice Whether every figure is within the venue's limits and they agree with one another.
    """
    x: Terms = listing.terms
    return (
        x.kind == markets.PERPETUAL and x.expiry == 0 and x.lot_exponent <= LOT_EXPONENT_MAX
        and self._is_name(x.symbol)
        and x.tick > 0 and x.band > 0 and x.band < units.RATE_ONE
        and max(x.taker_fee, x.maker_fee) <= FEE_MAX
        and x.order_life_max > 0 and x.price_age_max > 0
        and x.order_lots_max > 0 and x.order_lots_max <= x.position_max
        and x.position_max <= limits.LOTS_MAX
        and x.open_interest_max > 0 and x.open_interest_max < INTEREST_END
        and x.deviation <= units.RATE_ONE and x.price_step <= units.RATE_ONE
        and x.interest <= units.RATE_ONE and x.damp <= units.RATE_ONE
        and x.funding_cap <= units.RATE_ONE and x.liquidation_fee <= units.RATE_ONE
        and x.close_out <= units.RATE_ONE
        and x.interest_lower <= x.interest_upper and x.interest_upper < NOTIONAL_MAX
        and self._are_tiers_sound(x)
        # One publisher for now: the weighted median of several is a later rule.
        and len(listing.publishers) == LISTED_PUBLISHER_BYTES
        and x.quorum == 1 and x.families == 1
        and convert(slice(listing.publishers, 0, 20), uint256) > 0
        and convert(slice(listing.publishers, 21, 2), uint256) > 0
    )


@internal
@pure
def _is_name(symbol: uint256) -> bool:
    """
    @notice At least one printable byte that is no space, then zeros.
    """
    is_over: bool = False
    for i: uint256 in range(SYMBOL_BYTES):
        byte: uint256 = (symbol >> (8 * (SYMBOL_BYTES - 1 - i))) & 255
        if byte == 0:
            is_over = True
        elif is_over or byte <= SPACE or byte >= DELETE:
            return False
    return symbol > 0


@internal
@pure
def _are_tiers_sound(x: Terms) -> bool:
    """
    @notice 0 < maintenance <= initial <= 100 %, and a start that a notional can reach.
    """
    for i: uint256 in range(x.tier_count, bound=limits.TIERS_MAX):
        tier: markets.Tier = x.tiers[i]
        if tier.maintenance == 0 or tier.maintenance > tier.initial:
            return False
        if tier.initial > units.RATE_ONE or tier.start >= NOTIONAL_MAX:
            return False
    return True


@internal
@pure
def _market(x: Terms) -> markets.Market:
    """
    @notice The market that is listed, with empty books.
    """
    market: markets.Market = empty(markets.Market)
    market.domain = markets.MARKET_DOMAIN
    market.bids_root = store.EMPTY_BOOK_ROOT
    market.asks_root = store.EMPTY_BOOK_ROOT
    return self._with_market_terms(market, x)


@internal
@pure
def _with_market_terms(market: markets.Market, x: Terms) -> markets.Market:
    """
    @notice `market` with what a listing says of its leaf, publishers apart.
    """
    after: markets.Market = market
    after.market = x.market
    after.kind = x.kind
    after.symbol = x.symbol
    after.lot_exponent = x.lot_exponent
    after.tick = x.tick
    after.min_notional = x.min_notional
    after.order_lots_max = x.order_lots_max
    after.band = x.band
    after.taker_fee = x.taker_fee
    after.maker_fee = x.maker_fee
    after.order_life_max = x.order_life_max
    after.open_interest_max = x.open_interest_max
    after.position_max = x.position_max
    after.quorum = x.quorum
    after.families = x.families
    after.deviation = x.deviation
    after.price_step = x.price_step
    after.interest = x.interest
    after.damp = x.damp
    after.funding_cap = x.funding_cap
    after.liquidation_fee = x.liquidation_fee
    after.expiry = x.expiry
    return after


@internal
@pure
def _row(x: Terms) -> markets.BoardRow:
    """
    @notice Its row on the board, without a price.
    """
    row: markets.BoardRow = empty(markets.BoardRow)
    row.domain = markets.BOARD_DOMAIN
    row.mode = markets.LIVE
    row.long.a = units.INDEX_ONE
    row.short.a = units.INDEX_ONE
    return self._with_row_terms(row, x)


@internal
@pure
def _with_row_terms(row: markets.BoardRow, x: Terms) -> markets.BoardRow:
    """
    @notice `row` with what a listing says of it.
    """
    after: markets.BoardRow = row
    after.market = x.market
    after.tier_count = x.tier_count
    after.tiers = x.tiers
    after.price_age_max = x.price_age_max
    after.close_out = x.close_out
    after.interest_lower = x.interest_lower
    after.interest_upper = x.interest_upper
    return after


@internal
@pure
def _publishers(
    listed: Bytes[limits.GIVEN_BYTES_MAX],
    held: Bytes[markets.PUBLISHERS_BYTES_MAX],
    since: uint256,
) -> Bytes[markets.PUBLISHERS_BYTES_MAX]:
    """
    @notice The publishers of a sound listing: who is among `held` keeps price and time, who is
            new has none and begins at `since`.
    """
    publishers: Bytes[markets.PUBLISHERS_BYTES_MAX] = b""
    for i: uint256 in range(limits.PUBLISHERS_MAX):
        at: uint256 = i * LISTED_PUBLISHER_BYTES
        if at == len(listed):
            break
        last: Bytes[16] = concat(empty(bytes8), convert(convert(since, uint64), bytes8))
        publisher: uint256 = convert(slice(listed, at, 20), uint256)
        held_at: uint256 = markets._publisher_at(held, publisher)
        if held_at < len(held):
            last = slice(held, held_at + LISTED_PUBLISHER_BYTES, 16)
        publishers = convert(
            concat(publishers, slice(listed, at, LISTED_PUBLISHER_BYTES), last),
            Bytes[markets.PUBLISHERS_BYTES_MAX],
        )
    return publishers
