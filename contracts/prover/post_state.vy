# pragma version 0.4.3
"""
@title Post state: the root after a step, from its witness and what it wrote
@notice As prover/post_state.py. A branch belongs to the state before the step, so where two accounts
        are written the second one's branch gets the sibling that the first one changed.
"""

from . import witness_state
from ..state import limits
from ..state import machine
from ..state import markets
from ..state import orders
from ..state import packing
from ..state import store
from ..state import tree
from ..state import witness


# A step removes an order, or cuts it down; it never writes two, nor two rows.
ENTRIES_MAX: constant(uint256[witness.LISTS]) = [
    limits.WITNESS_ACCOUNTS_MAX, 1, 1, 1, limits.WITNESS_WITHDRAWALS_MAX
]

BOOK_ROOTS_END: constant(uint256) = markets.ASKS_ROOT + tree.HASH_BYTES
SIZE_BYTES: constant(uint256) = 2


struct Written:
    rewind: uint256
    # Of every leaf, by its place: whether it was written, and what it hashes to now.
    is_written: bool[witness.PLACES_MAX]
    hashes: bytes32[witness.PLACES_MAX]
    # Empty where the market's own figures stay.
    market_leaf: Bytes[markets.MARKET_LEAF_BYTES_MAX]


@internal
@pure
def _root_after(
    before: machine.Machine,
    after: machine.Machine,
    roots: bytes32[3],
    proven: witness_state.Proven,
    changes: Bytes[limits.CHANGES_BYTES_MAX],
) -> bytes32:
    """
    @notice The state root once `changes` and the machine are written. RESTORE brings back the roots that
            SAVE kept, and writes nothing else.
    """
    written: Written = self._written(
        proven.places, proven.hashes, before.withdrawals, changes
    )
    m: machine.Machine = after
    new: bytes32[3] = roots
    if written.rewind == store.REWIND_RESTORE:
        new = before.saved_roots
    else:
        new[witness.ACCOUNTS] = self._accounts_root(
            proven, written, roots[witness.ACCOUNTS]
        )
        new[witness.MARKETS] = self._markets_root(
            proven, written, roots[witness.MARKETS]
        )
        new[witness.ROWS] = self._board_root(proven, written, roots[witness.ROWS])
    m.withdrawals_root = self._withdrawals_root(proven, written, before.withdrawals_root)
    if written.rewind == store.REWIND_SAVE:
        m.saved_roots = new
    elif written.rewind == store.NO_REWIND:
        m.saved_roots = before.saved_roots
    else:
        m.saved_roots = empty(bytes32[3])
    return witness_state._state_root(new, keccak256(machine._encode_machine(m)))


@internal
@pure
def _written(
    places: witness.Places,
    hashes: bytes32[witness.PLACES_MAX],
    withdrawals: uint256,
    changes: Bytes[limits.CHANGES_BYTES_MAX],
) -> Written:
    """
    @notice The changes of docs/step.md, section 3, by the places of their leaves. They come from a
            contract of rules: one of another form is its bug.
    """
    written: Written = empty(Written)
    written.hashes = hashes
    padded: Bytes[limits.CHANGES_BYTES_MAX + 32] = concat(changes, empty(bytes32))
    written.rewind = extract32(padded, 0, output_type=uint256) >> 248
    at: uint256 = 1
    for list: uint256 in range(witness.LISTS):
        count: uint256 = extract32(padded, at, output_type=uint256) >> 248
        assert count <= ENTRIES_MAX[list]
        at += 1
        for _: uint256 in range(count, bound=limits.WITNESS_ACCOUNTS_MAX):
            index: uint256 = 0
            if list == witness.WITHDRAWALS:
                # A withdrawal has the next number, and stands at it.
                key: uint256 = places.keys[witness.FIRST_WITHDRAWAL]
                is_there: bool = places.counts[list] > 0
                assert is_there and key == withdrawals, "witness: withdrawal missing"
            else:
                index = extract32(padded, at, output_type=uint256) >> 248
                assert index < places.counts[list]
                at += 1
            size: uint256 = extract32(padded, at, output_type=uint256) >> 240
            at += SIZE_BYTES
            place: uint256 = witness.FIRSTS[list] + index
            written.is_written[place] = True
            leaf: Bytes[packing.LEAF_BYTES_MAX] = convert(
                slice(changes, at, size), Bytes[packing.LEAF_BYTES_MAX]
            )
            written.hashes[place] = keccak256(leaf)
            if list == witness.MARKETS:
                written.market_leaf = convert(leaf, Bytes[markets.MARKET_LEAF_BYTES_MAX])
            at += size
    assert at == len(changes)
    return written


@internal
@pure
def _accounts_root(
    proven: witness_state.Proven, written: Written, before: bytes32
) -> bytes32:
    """
    @notice Two accounts at most, one after the other.
    """
    first: uint256 = witness.FIRST_ACCOUNT
    second: uint256 = first + 1
    if not written.is_written[second]:
        if not written.is_written[first]:
            return before
        return tree._climb(
            proven.places.keys[first],
            written.hashes[first],
            proven.branches[first].siblings,
            limits.ACCOUNTS_DEPTH,
        )
    siblings: bytes32[limits.BOOK_DEPTH] = proven.branches[second].siblings
    if written.is_written[first]:
        height: uint256 = tree._meeting_height(
            proven.places.keys[first], proven.places.keys[second]
        )
        siblings[height] = tree._climb(
            proven.places.keys[first],
            written.hashes[first],
            proven.branches[first].siblings,
            height,
        )
    return tree._climb(
        proven.places.keys[second], written.hashes[second], siblings, limits.ACCOUNTS_DEPTH
    )


@internal
@pure
def _markets_root(
    proven: witness_state.Proven, written: Written, before: bytes32
) -> bytes32:
    """
    @notice A market's leaf changes with its own figures and with the roots of its books.
    """
    market: uint256 = witness.FIRST_MARKET
    is_touched: bool = written.is_written[market]
    leaf: Bytes[markets.MARKET_LEAF_BYTES_MAX] = proven.market_leaf
    if is_touched:
        leaf = written.market_leaf
    book_roots: bytes32[2] = proven.book_roots
    for place: uint256 in range(
        witness.FIRST_ORDER, witness.FIRST_ORDER + limits.WITNESS_ORDERS_MAX
    ):
        if written.is_written[place]:
            side: uint256 = (proven.places.keys[place] >> witness.SIDE_BIT) & 1
            book_roots[side] = tree._climb(
                proven.places.keys[place],
                written.hashes[place],
                proven.branches[witness_state._branch_place(place)].siblings,
                limits.BOOK_DEPTH,
            )
            is_touched = True
    if not is_touched:
        return before
    # A step that writes into a book has found its market.
    assert len(leaf) > 0
    patched: Bytes[markets.MARKET_LEAF_BYTES_MAX + BOOK_ROOTS_END] = concat(
        slice(leaf, 0, markets.BIDS_ROOT),
        book_roots[orders.BUY],
        book_roots[orders.SELL],
        slice(leaf, BOOK_ROOTS_END, len(leaf) - BOOK_ROOTS_END),
    )
    return tree._climb(
        proven.places.keys[market],
        keccak256(patched),
        proven.branches[witness_state._branch_place(market)].siblings,
        limits.MARKETS_DEPTH,
    )


@internal
@pure
def _board_root(proven: witness_state.Proven, written: Written, before: bytes32) -> bytes32:
    """
    @notice The rows share one proof, before and after.
    """
    is_touched: bool = False
    for i: uint256 in range(limits.WITNESS_ROWS_MAX):
        if written.is_written[witness.FIRST_ROW + i]:
            is_touched = True
    if not is_touched:
        return before
    return witness_state._board_root(proven.places, written.hashes, proven.siblings)


@internal
@pure
def _withdrawals_root(
    proven: witness_state.Proven, written: Written, before: bytes32
) -> bytes32:
    """
    @notice Withdrawals only ever join; the place was absent.
    """
    place: uint256 = witness.FIRST_WITHDRAWAL
    if not written.is_written[place]:
        return before
    return tree._climb(
        proven.places.keys[place],
        written.hashes[place],
        proven.branches[witness_state._branch_place(place)].siblings,
        limits.WITHDRAWALS_DEPTH,
    )
