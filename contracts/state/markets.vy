# pragma version 0.4.3
"""
@title Markets: the leaf with everything about one market, and its row on the board
@notice As state/markets.py. Leaves that come here have been proven and are canonical
        (steps/leaves.vy); a domain of zero stands for an absent one.
"""

from . import limits
from . import packing


MARKET_DOMAIN: constant(uint256) = 2
BOARD_DOMAIN: constant(uint256) = 3
PERPETUAL: constant(uint256) = 1

# What a market lets traders do.
LIVE: constant(uint256) = 1
REDUCE_ONLY: constant(uint256) = 2
HALTED: constant(uint256) = 3
SETTLED: constant(uint256) = 4

# domain .. bad_debt; dust .. settlement; then a byte of count and the publishers.
MARKET_LAYOUT: constant(bytes32) = (
    0x0102010110040808040404040808202008010104049002089004040404109010
)
MARKET_TAIL_LAYOUT: constant(bytes32) = (
    0x9008080000000000000000000000000000000000000000000000000000000000
)
MARKET_TAIL: constant(uint256) = 261
MARKET_BYTES: constant(uint256) = 293
# address | u8 family | u16 weight | u64 price | u64 time
PUBLISHER_BYTES: constant(uint256) = 39
PUBLISHERS_BYTES_MAX: constant(uint256) = limits.PUBLISHERS_MAX * PUBLISHER_BYTES
MARKET_LEAF_BYTES_MAX: constant(uint256) = MARKET_BYTES + 1 + PUBLISHERS_BYTES_MAX
BIDS_ROOT: constant(uint256) = 73
ASKS_ROOT: constant(uint256) = 105

# domain .. interest_upper; then a byte of count and the tiers.
ROW_LAYOUT: constant(bytes32) = (
    0x0102010808080804080408909008040890900410100000000000000000000000
)
ROW_BYTES: constant(uint256) = 180
TIERS_LAYOUT: constant(bytes32) = (
    0x0110040410040410040410040400000000000000000000000000000000000000
)
TIER_BYTES: constant(uint256) = 24
ROW_LEAF_BYTES_MAX: constant(uint256) = ROW_BYTES + 1 + limits.TIERS_MAX * TIER_BYTES

# Where both sides begin and end, and their fields.
SIDES: constant(uint256) = 40
SIDES_END: constant(uint256) = 144
SIDES_LAYOUT: constant(bytes32) = (
    0x0804089090080408909000000000000000000000000000000000000000000000
)

# Words of a row's leaf: its first one, and those that end behind these fields.
LONG_LOTS_WORD: constant(uint256) = 48 - 32
SHORT_LOTS_WORD: constant(uint256) = 100 - 32
INTEREST_WORD: constant(uint256) = ROW_BYTES - 32
COUNT_WORD: constant(uint256) = ROW_BYTES + 1 - 32

# Of a tier in one word.
TIER_START: constant(uint256) = 64
TIER_INITIAL: constant(uint256) = 32

U8: constant(uint256) = 2**8 - 1
U16: constant(uint256) = 2**16 - 1
U32: constant(uint256) = 2**32 - 1
U64: constant(uint256) = 2**64 - 1
U128: constant(uint256) = 2**128 - 1
U192: constant(uint256) = 2**192 - 1

ROW_WORDS_BYTES: constant(uint256) = 21 * 32
TIERS_WORDS_BYTES: constant(uint256) = (1 + 3 * limits.TIERS_MAX) * 32


struct Publisher:
    publisher: uint256  # its address
    family: uint256
    weight: uint256
    price: uint256
    time: uint256


struct Tier:
    start: uint256
    initial: uint256
    maintenance: uint256


struct Side:
    lots: uint256
    legs: uint256
    a: uint256
    k: int256
    f: int256


struct Sides:
    long: Side
    short: Side


struct BoardRow:
    domain: uint256
    market: uint256
    mode: uint256
    mark: uint256
    slow_mark: uint256
    index: uint256
    time: uint256
    price_age_max: uint256
    long: Side
    short: Side
    close_out: uint256
    interest_lower: uint256
    interest_upper: uint256
    tier_count: uint256
    tiers: Tier[limits.TIERS_MAX]


# What margin and admission ask of a row. It is no row, and nothing can write it.
struct MarginRow:
    domain: uint256
    market: uint256
    mode: uint256
    mark: uint256
    slow_mark: uint256
    time: uint256
    price_age_max: uint256
    long_lots: uint256
    short_lots: uint256
    interest_lower: uint256
    interest_upper: uint256
    tier_count: uint256
    tiers: uint256[limits.TIERS_MAX]  # u128 start | u32 initial | u32 maintenance


struct Market:
    domain: uint256
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
    bids_root: bytes32
    asks_root: bytes32
    next_order: uint256
    quorum: uint256
    families: uint256
    deviation: uint256
    price_step: uint256
    premium_sum: int256
    premium_samples: uint256
    sampled_at: uint256
    basis: int256
    interest: uint256
    damp: uint256
    funding_cap: uint256
    liquidation_fee: uint256
    insurance: uint256
    pool: int256
    bad_debt: uint256
    dust: int256
    expiry: uint256
    settlement: uint256


@internal
@pure
def _board_key(market: uint256) -> uint256:
    """
    @notice Where a market's row stands; live markets differ in it.
    """
    return market % limits.MARKETS_MAX


@internal
@pure
def _decode_market(leaf: Bytes[packing.LEAF_BYTES_MAX]) -> Market:
    """
    @notice The market of a canonical leaf, without its publishers.
    """
    if len(leaf) == 0:
        return empty(Market)
    return abi_decode(
        concat(
            packing.ONE,
            packing._unpack(leaf, 0, MARKET_LAYOUT),
            packing._unpack(leaf, MARKET_TAIL, MARKET_TAIL_LAYOUT),
        ),
        DynArray[Market, 1],
    )[0]


@internal
@pure
def _publishers(leaf: Bytes[packing.LEAF_BYTES_MAX]) -> Bytes[PUBLISHERS_BYTES_MAX]:
    """
    @notice The publishers of a canonical leaf, PUBLISHER_BYTES each.
    """
    at: uint256 = MARKET_BYTES + 1
    return convert(slice(leaf, at, len(leaf) - at), Bytes[PUBLISHERS_BYTES_MAX])


@internal
@pure
def _publisher_at(publishers: Bytes[PUBLISHERS_BYTES_MAX], publisher: uint256) -> uint256:
    """
    @notice The byte at which the publisher with this address begins; the end where there is none.
    """
    padded: Bytes[PUBLISHERS_BYTES_MAX + 32] = concat(publishers, empty(bytes32))
    at: uint256 = 0
    for _: uint256 in range(limits.PUBLISHERS_MAX):
        if at == len(publishers) or extract32(padded, at, output_type=uint256) >> 96 == publisher:
            break
        at += PUBLISHER_BYTES
    return at


@internal
@pure
def _encode_market(
    market: Market, publishers: Bytes[PUBLISHERS_BYTES_MAX]
) -> Bytes[MARKET_LEAF_BYTES_MAX]:
    """
    @notice The leaf of a market; the roots of its books are kept as they were read.
    """
    words: Bytes[35 * 32] = abi_encode(market)
    head: Bytes[packing.PACKED_BYTES_MAX] = packing._pack(slice(words, 0, 1_024), MARKET_LAYOUT)
    tail: Bytes[packing.PACKED_BYTES_MAX] = packing._pack(
        slice(words, 1_024, 96), MARKET_TAIL_LAYOUT
    )
    count: bytes1 = convert(convert(len(publishers) // PUBLISHER_BYTES, uint8), bytes1)
    return convert(concat(head, tail, count, publishers), Bytes[MARKET_LEAF_BYTES_MAX])


@internal
@pure
def _tiers_layout(count: uint256) -> bytes32:
    """
    @notice The layout of the count and of that many tiers.
    """
    unused: uint256 = 8 * (31 - 3 * count)
    return convert((convert(TIERS_LAYOUT, uint256) >> unused) << unused, bytes32)


@internal
@pure
def _decode_board_row(leaf: Bytes[packing.LEAF_BYTES_MAX]) -> BoardRow:
    """
    @notice The row of a canonical leaf.
    """
    if len(leaf) == 0:
        return empty(BoardRow)
    count: uint256 = convert(slice(leaf, ROW_BYTES, 1), uint256)
    # Tiers that are not there are zero.
    words: Bytes[2 * packing.WORDS_BYTES_MAX + TIERS_WORDS_BYTES + 64] = concat(
        packing.ONE,
        packing._unpack(leaf, 0, ROW_LAYOUT),
        packing._unpack(leaf, ROW_BYTES, self._tiers_layout(count)),
        abi_encode(empty(Tier[limits.TIERS_MAX])),
    )
    return abi_decode(
        slice(words, 0, len(packing.ONE) + ROW_WORDS_BYTES + TIERS_WORDS_BYTES),
        DynArray[BoardRow, 1],
    )[0]


@internal
@pure
def _decode_margin_row(leaves: Bytes[limits.LEAVES_BYTES_MAX], at: uint256) -> MarginRow:
    """
    @notice What margin asks of the canonical leaf that begins at byte `at`. A witness can have 31 of
            them, so nothing else is decoded; no word that is read here reaches past the leaf.
    """
    first: uint256 = extract32(leaves, at, output_type=uint256)
    long: uint256 = extract32(leaves, unsafe_add(at, LONG_LOTS_WORD), output_type=uint256)
    short: uint256 = extract32(leaves, unsafe_add(at, SHORT_LOTS_WORD), output_type=uint256)
    interest: uint256 = extract32(leaves, unsafe_add(at, INTEREST_WORD), output_type=uint256)
    count: uint256 = extract32(leaves, unsafe_add(at, COUNT_WORD), output_type=uint256) & U8
    row: MarginRow = MarginRow(
        domain=first >> 248,
        market=(first >> 232) & U16,
        mode=(first >> 224) & U8,
        mark=(first >> 160) & U64,
        slow_mark=(first >> 96) & U64,
        time=(long >> 96) & U64,
        price_age_max=(long >> 64) & U32,
        long_lots=long & U64,
        short_lots=short & U64,
        interest_lower=interest >> 128,
        interest_upper=interest & U128,
        tier_count=count,
        tiers=empty(uint256[limits.TIERS_MAX]),
    )
    end: uint256 = unsafe_add(at, COUNT_WORD)
    for i: uint256 in range(count, bound=limits.TIERS_MAX):
        end = unsafe_add(end, TIER_BYTES)
        row.tiers[i] = extract32(leaves, end, output_type=uint256) & U192
    return row


@internal
@pure
def _decode_sides(leaf: Bytes[packing.LEAF_BYTES_MAX]) -> Sides:
    """
    @notice Both sides of the row of a canonical leaf.
    """
    return abi_decode(
        concat(packing.ONE, packing._unpack(leaf, SIDES, SIDES_LAYOUT)), DynArray[Sides, 1]
    )[0]


@internal
@pure
def _with_sides(
    leaf: Bytes[packing.LEAF_BYTES_MAX], sides: Sides
) -> Bytes[packing.LEAF_BYTES_MAX]:
    """
    @notice The leaf of the row of `leaf` with these sides: a trade changes nothing else of it.
    """
    return convert(
        concat(
            slice(leaf, 0, SIDES),
            packing._pack(abi_encode(sides), SIDES_LAYOUT),
            slice(leaf, SIDES_END, len(leaf) - SIDES_END),
        ),
        Bytes[packing.LEAF_BYTES_MAX],
    )


@internal
@pure
def _encode_board_row(row: BoardRow) -> Bytes[ROW_LEAF_BYTES_MAX]:
    """
    @notice The leaf of a market's row on the board.
    """
    words: Bytes[ROW_WORDS_BYTES + TIERS_WORDS_BYTES] = abi_encode(row)
    head: Bytes[packing.PACKED_BYTES_MAX] = packing._pack(
        slice(words, 0, ROW_WORDS_BYTES), ROW_LAYOUT
    )
    tiers: Bytes[packing.PACKED_BYTES_MAX] = packing._pack(
        slice(slice(words, ROW_WORDS_BYTES, TIERS_WORDS_BYTES), 0, (1 + 3 * row.tier_count) * 32),
        self._tiers_layout(row.tier_count),
    )
    return convert(concat(head, tiers), Bytes[ROW_LEAF_BYTES_MAX])
