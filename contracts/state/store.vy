# pragma version 0.4.3
"""
@title Store: reading the state before a step, and writing down what it changes
@notice As state/store.py, with the leaves of a witness behind it. What a step asks for and the witness
        does not hold reverts: the proof is none, and nothing is said about the step.
"""

from . import accounts
from . import limits
from . import machine
from . import markets
from . import orders
from . import packing
from . import witness


# The hash of a book without orders: a tree of depth 64 of absent leaves.
EMPTY_BOOK_ROOT: constant(bytes32) = (
    0xb992a50058a2812b0fc4fe1bbbfb3d8ffd476fb89391408212e00a7019e10eff
)

KEY_MASK: constant(uint256) = 2**64 - 1

NO_REWIND: constant(uint256) = 0
REWIND_SAVE: constant(uint256) = 1
REWIND_KEEP: constant(uint256) = 2
REWIND_RESTORE: constant(uint256) = 3

# u8 place | u16 size | leaf
SIZE_BYTES: constant(uint256) = 2
ENTRY_BYTES_MAX: constant(uint256) = packing.LEAF_BYTES_MAX + 3
ACCOUNT_ENTRIES_BYTES_MAX: constant(uint256) = limits.WITNESS_ACCOUNTS_MAX * ENTRY_BYTES_MAX
OTHER_ENTRY_BYTES_MAX: constant(uint256) = markets.MARKET_LEAF_BYTES_MAX + 3


struct Rows:
    # By board key: its place in `rows`, zero where the witness has none.
    places: uint256[limits.MARKETS_MAX]
    rows: markets.MarginRow[limits.WITNESS_ROWS_MAX + 1]  # the first is of no market


struct Front:
    exists: bool
    place: uint256  # among the orders of the witness
    key: uint256
    resting: orders.RestingOrder


struct Changed:
    # One entry each, or none.
    market: Bytes[OTHER_ENTRY_BYTES_MAX]
    row: Bytes[OTHER_ENTRY_BYTES_MAX]
    order: Bytes[OTHER_ENTRY_BYTES_MAX]
    withdrawal: Bytes[OTHER_ENTRY_BYTES_MAX]


# --- reads ---


@internal
@pure
def _leaf(leaves: Bytes[limits.LEAVES_BYTES_MAX], at: uint256) -> Bytes[packing.LEAF_BYTES_MAX]:
    """
    @notice The leaf whose size is at byte `at`.
    """
    size: uint256 = convert(slice(leaves, at, 2), uint256)
    return convert(slice(leaves, at + 2, size), Bytes[packing.LEAF_BYTES_MAX])


@internal
@pure
def _account_place(places: witness.Places, number: uint256) -> uint256:
    """
    @notice Which of the witness's accounts this is.
    """
    return witness._place(places, witness.ACCOUNTS, number) - witness.FIRST_ACCOUNT


@internal
@pure
def _account(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places, number: uint256
) -> accounts.Account:
    """
    @notice The account, all zero where it is absent.
    """
    place: uint256 = self._account_place(places, number)
    at: uint256 = places.leaves[witness.FIRST_ACCOUNT + place]
    return accounts._decode_account(self._leaf(leaves, at))


@internal
@pure
def _market_leaf(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places, number: uint256
) -> Bytes[packing.LEAF_BYTES_MAX]:
    """
    @notice The leaf of the market, empty where it is absent.
    """
    return self._leaf(leaves, places.leaves[witness._place(places, witness.MARKETS, number)])


@internal
@pure
def _market(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places, number: uint256
) -> markets.Market:
    """
    @notice The market; its domain is zero where it is absent.
    """
    return markets._decode_market(self._market_leaf(leaves, places, number))


@internal
@pure
def _rows(leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places) -> Rows:
    """
    @notice Every row of the witness, as margin asks for them.
    """
    rows: Rows = empty(Rows)
    for i: uint256 in range(places.counts[witness.ROWS], bound=limits.WITNESS_ROWS_MAX):
        # A row beyond the last market's can be proven, but nobody asks for it.
        place: uint256 = unsafe_add(witness.FIRST_ROW, i)
        key: uint256 = places.keys[place]
        if key < limits.MARKETS_MAX:
            rows.places[key] = unsafe_add(i, 1)
        rows.rows[unsafe_add(i, 1)] = self._margin_row_at(leaves, places.leaves[place])
    return rows


@internal
@pure
def _margin_row_at(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], at: uint256
) -> markets.MarginRow:
    """
    @notice What margin asks of the row whose size is at byte `at`; zero where it is absent.
    """
    size: uint256 = convert(slice(leaves, at, SIZE_BYTES), uint256)
    if size == 0:
        return empty(markets.MarginRow)
    return markets._decode_margin_row(leaves, at + SIZE_BYTES)


@internal
@pure
def _row_place(places: witness.Places, market: uint256) -> uint256:
    """
    @notice Where the row that this market would have stands among the witness's leaves.
    """
    return witness._place(places, witness.ROWS, markets._board_key(market))


@internal
@pure
def _row_leaf(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places, market: uint256
) -> Bytes[packing.LEAF_BYTES_MAX]:
    """
    @notice The leaf where this market's row would stand: empty, its own, or another market's.
    """
    return self._leaf(leaves, places.leaves[self._row_place(places, market)])


@internal
@pure
def _row(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places, market: uint256
) -> markets.BoardRow:
    """
    @notice The market's row; its domain is zero where there is none, or another market's.
    """
    row: markets.BoardRow = markets._decode_board_row(self._row_leaf(leaves, places, market))
    if row.market != market:
        return empty(markets.BoardRow)
    return row


@internal
@pure
def _margin_row(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places, market: uint256
) -> markets.MarginRow:
    """
    @notice What margin asks of `_row`.
    """
    at: uint256 = places.leaves[self._row_place(places, market)]
    row: markets.MarginRow = self._margin_row_at(leaves, at)
    if row.market != market:
        return empty(markets.MarginRow)
    return row


@internal
@pure
def _order_place(
    places: witness.Places, market: uint256, side: uint256, key: uint256
) -> uint256:
    """
    @notice Which of the witness's orders this is.
    """
    order_key: uint256 = witness._order_key(market, side, key)
    return witness._place(places, witness.ORDERS, order_key) - witness.FIRST_ORDER


@internal
@pure
def _order(
    leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places, place: uint256
) -> orders.RestingOrder:
    """
    @notice The order at this place of the witness; its domain is zero where it is absent.
    """
    at: uint256 = places.leaves[witness.FIRST_ORDER + place]
    return orders._decode_order(self._leaf(leaves, at))


@internal
@pure
def _front(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    fronts: uint256,
    market: markets.Market,
    number: uint256,
    side: uint256,
) -> Front:
    """
    @notice The leftmost order of a book: none is better. Of an empty book the root is the proof.
    @param market The market of this number; the books of an absent one are empty.
    """
    root: bytes32 = market.bids_root if side == orders.BUY else market.asks_root
    if market.domain == 0 or root == EMPTY_BOOK_ROOT:
        return empty(Front)
    book: uint256 = witness._order_key(number, side, 0) >> witness.SIDE_BIT
    for i: uint256 in range(places.counts[witness.ORDERS], bound=limits.WITNESS_ORDERS_MAX):
        key: uint256 = places.keys[witness.FIRST_ORDER + i]
        if key >> witness.SIDE_BIT == book and (fronts >> i) & 1 == 1:
            return Front(
                exists=True,
                place=i,
                key=key & KEY_MASK,
                resting=self._order(leaves, places, i),
            )
    raise "store: front missing"


# --- writes ---


@internal
@pure
def _entry(place: uint256, leaf: Bytes[packing.LEAF_BYTES_MAX]) -> Bytes[ENTRY_BYTES_MAX]:
    """
    @notice u8 place | u16 size | leaf
    """
    return concat(
        convert(convert(place, uint8), bytes1), convert(convert(len(leaf), uint16), bytes2), leaf
    )


@internal
@pure
def _account_entry(
    places: witness.Places, number: uint256, account: accounts.Account
) -> Bytes[ENTRY_BYTES_MAX]:
    """
    @notice The entry of an account that somebody owns.
    """
    return self._entry(self._account_place(places, number), accounts._encode_account(account))


@internal
@pure
def _market_entry(
    places: witness.Places,
    market: markets.Market,
    publishers: Bytes[markets.PUBLISHERS_BYTES_MAX],
) -> Bytes[OTHER_ENTRY_BYTES_MAX]:
    """
    @notice The entry of a market, at the place of its own number.
    """
    place: uint256 = witness._place(places, witness.MARKETS, market.market)
    entry: Bytes[ENTRY_BYTES_MAX] = self._entry(
        place - witness.FIRST_MARKET, markets._encode_market(market, publishers)
    )
    return convert(entry, Bytes[OTHER_ENTRY_BYTES_MAX])


@internal
@pure
def _row_entry(
    places: witness.Places, market: uint256, leaf: Bytes[packing.LEAF_BYTES_MAX]
) -> Bytes[OTHER_ENTRY_BYTES_MAX]:
    """
    @notice The entry of a row, at the place of its market.
    """
    return convert(
        self._entry(self._row_place(places, market) - witness.FIRST_ROW, leaf),
        Bytes[OTHER_ENTRY_BYTES_MAX],
    )


@internal
@pure
def _other_entry(
    place: uint256, leaf: Bytes[packing.PACKED_BYTES_MAX]
) -> Bytes[OTHER_ENTRY_BYTES_MAX]:
    """
    @notice The entry of a leaf that is no account's.
    """
    return convert(self._entry(place, leaf), Bytes[OTHER_ENTRY_BYTES_MAX])


@internal
@pure
def _write_account(
    m: machine.Machine, before: accounts.Account, after: accounts.Account
) -> machine.Machine:
    """
    @notice The sum of cash moves by what the account's did.
    """
    assert after.head.owner != 0, "store: an account is never closed"
    written: machine.Machine = m
    written.sums.cash += after.head.cash - before.head.cash
    return written


@internal
@pure
def _write_row(
    m: machine.Machine, before: markets.Sides, after: markets.Sides
) -> machine.Machine:
    """
    @notice The sums of long and short lots follow.
    """
    written: machine.Machine = m
    written.sums.long_lots = written.sums.long_lots + after.long.lots - before.long.lots
    written.sums.short_lots = written.sums.short_lots + after.short.lots - before.short.lots
    return written


@internal
@pure
def _keep(m: machine.Machine) -> machine.Machine:
    """
    @notice Forget what was saved; the roots with it, which steps/step.vy clears.
    """
    kept: machine.Machine = m
    kept.saved = 0
    kept.saved_sums = empty(machine.Sums)
    return kept


@internal
@pure
def _restore(m: machine.Machine) -> machine.Machine:
    """
    @notice Bring back the sums that were saved; steps/step.vy brings back the roots.
    """
    assert m.saved == 1
    restored: machine.Machine = self._keep(m)
    restored.sums = m.saved_sums
    return restored


@internal
@pure
def _changes(
    rewind: uint256,
    account_count: uint256,
    account_entries: Bytes[ACCOUNT_ENTRIES_BYTES_MAX],
    changed: Changed,
) -> Bytes[limits.CHANGES_BYTES_MAX]:
    """
    @notice What a step writes beside the machine, as docs/step.md lays it out. A withdrawal's entry
            is its size and leaf, without a place.
    """
    return concat(
        convert(convert(rewind, uint8), bytes1),
        convert(convert(account_count, uint8), bytes1),
        account_entries,
        self._one(len(changed.market)),
        changed.market,
        self._one(len(changed.row)),
        changed.row,
        self._one(len(changed.order)),
        changed.order,
        self._one(len(changed.withdrawal)),
        changed.withdrawal,
    )


@internal
@pure
def _no_changes() -> Bytes[limits.CHANGES_BYTES_MAX]:
    """
    @notice Of a step that writes the machine alone.
    """
    return self._changes(NO_REWIND, 0, b"", empty(Changed))


@internal
@pure
def _account_changes(
    places: witness.Places, number: uint256, account: accounts.Account
) -> Bytes[limits.CHANGES_BYTES_MAX]:
    """
    @notice Of a step that writes one account beside the machine.
    """
    return self._changes(
        NO_REWIND, 1, self._account_entry(places, number, account), empty(Changed)
    )


@internal
@pure
def _one(size: uint256) -> bytes1:
    """
    @notice The count of a list of one entry, or of none.
    """
    return 0x01 if size > 0 else 0x00
