# pragma version 0.4.3
"""
@title Witness state: every leaf is proven before the step may read it
@notice As prover/witness_state.py. The leaves themselves are read by whoever needs them; here is what
        it takes to prove them, and to compute the root once some of them are written.
"""

from ..state import limits
from ..state import markets
from ..state import packing
from ..state import store
from ..state import tree
from ..state import witness


VERSION: constant(bytes2) = 0x0001

# Every list but the rows has a branch a leaf.
BRANCHES_MAX: constant(uint256) = witness.PLACES_MAX - limits.WITNESS_ROWS_MAX

DEPTHS: constant(uint256[witness.LISTS]) = [
    limits.ACCOUNTS_DEPTH,
    limits.MARKETS_DEPTH,
    limits.BOARD_DEPTH,
    limits.BOOK_DEPTH,
    limits.WITHDRAWALS_DEPTH,
]

U16_BYTES: constant(uint256) = 2


struct Proven:
    places: witness.Places
    # Of every leaf, by its place.
    hashes: bytes32[witness.PLACES_MAX]
    branches: tree.Branch[BRANCHES_MAX]
    siblings: DynArray[bytes32, tree.SIBLINGS_MAX]  # of all rows together
    market_leaf: Bytes[markets.MARKET_LEAF_BYTES_MAX]
    book_roots: bytes32[2]


@internal
@pure
def _state_root(roots: bytes32[3], machine_hash: bytes32) -> bytes32:
    """
    @notice keccak(u16 version | accounts_root | markets_root | board_root | keccak(machine))
    """
    return keccak256(concat(VERSION, abi_encode(roots), machine_hash))


@internal
@pure
def _prove(roots: bytes32[3], withdrawals_root: bytes32, proven: Proven) -> uint256:
    """
    @notice Reverts unless the branch of every leaf leads to its root: rule WTN-5. Otherwise the
            fronts among the orders: bit i is set where order i is there and leftmost.
    @dev Reading the parts of `proven` is left to the caller, who has leaves and proofs: either is
         16 kB, and memory costs by its square.
    """
    fronts: uint256 = 0
    for list: uint256 in range(witness.LISTS):
        if list == witness.ROWS:
            if proven.places.counts[list] > 0:
                board_root: bytes32 = self._board_root(
                    proven.places, proven.hashes, proven.siblings
                )
                assert board_root == roots[list], "witness: rows of another board"
            continue
        for i: uint256 in range(proven.places.counts[list], bound=limits.WITNESS_ACCOUNTS_MAX):
            place: uint256 = witness.FIRSTS[list] + i
            root: bytes32 = withdrawals_root
            if list < witness.ROWS:
                root = roots[list]
            elif list == witness.ORDERS:
                root = self._book_root(proven.places, proven.book_roots, place)
                if proven.hashes[place] != tree.EMPTY_LEAF_HASH and tree._is_leftmost(
                    proven.places.keys[place] & store.KEY_MASK,
                    proven.branches[self._branch_place(place)],
                ):
                    fronts |= 1 << i
            # Of an order's name the lowest bits are its key, and no path is longer than they are.
            found: bytes32 = tree._climb(
                proven.places.keys[place],
                proven.hashes[place],
                proven.branches[self._branch_place(place)].siblings,
                DEPTHS[list],
            )
            assert found == root, "witness: branch to another root"
    return fronts


@internal
@pure
def _leaf_hashes(
    places: witness.Places, leaves: Bytes[limits.LEAVES_BYTES_MAX]
) -> (bytes32[witness.PLACES_MAX], Bytes[markets.MARKET_LEAF_BYTES_MAX]):
    """
    @notice The hash of every leaf, and the leaf of the market itself. Leaves come here canonical.
    """
    hashes: bytes32[witness.PLACES_MAX] = empty(bytes32[witness.PLACES_MAX])
    market: Bytes[markets.MARKET_LEAF_BYTES_MAX] = b""
    for list: uint256 in range(witness.LISTS):
        for i: uint256 in range(places.counts[list], bound=limits.WITNESS_ROWS_MAX):
            place: uint256 = witness.FIRSTS[list] + i
            if list == witness.WITHDRAWALS:
                hashes[place] = tree.EMPTY_LEAF_HASH
                continue
            at: uint256 = places.leaves[place]
            size: uint256 = convert(slice(leaves, at, 2), uint256)
            leaf: Bytes[packing.LEAF_BYTES_MAX] = convert(
                slice(leaves, at + 2, size), Bytes[packing.LEAF_BYTES_MAX]
            )
            hashes[place] = keccak256(leaf)
            if list == witness.MARKETS:
                market = convert(leaf, Bytes[markets.MARKET_LEAF_BYTES_MAX])
    return hashes, market


@internal
@pure
def _expand_proofs(
    counts: uint256[witness.LISTS], proofs: Bytes[limits.PROOFS_BYTES_MAX]
) -> (tree.Branch[BRANCHES_MAX], DynArray[bytes32, tree.SIBLINGS_MAX]):
    """
    @notice The branch of every leaf but the rows, which share their siblings.
    """
    empties: bytes32[limits.BOOK_DEPTH + 1] = tree._empty_hashes()
    branches: tree.Branch[BRANCHES_MAX] = empty(tree.Branch[BRANCHES_MAX])
    siblings: DynArray[bytes32, tree.SIBLINGS_MAX] = []
    at: uint256 = 0
    for list: uint256 in range(witness.LISTS):
        if list == witness.ROWS:
            siblings = self._siblings(proofs, at)
            assert counts[list] > 0 or len(siblings) == 0, "witness: siblings of no row"
            at += U16_BYTES + len(siblings) * tree.HASH_BYTES
            continue
        for i: uint256 in range(counts[list], bound=limits.WITNESS_ACCOUNTS_MAX):
            used: uint256 = 0
            place: uint256 = self._branch_place(witness.FIRSTS[list] + i)
            size: uint256 = min(len(proofs) - at, tree.BRANCH_BYTES_MAX)
            branches[place], used = tree._expand_branch(
                DEPTHS[list],
                convert(slice(proofs, at, size), Bytes[tree.BRANCH_BYTES_MAX]),
                empties,
            )
            at += used
    assert at == len(proofs), "witness: proofs too long"
    return branches, siblings


@internal
@pure
def _siblings(
    proofs: Bytes[limits.PROOFS_BYTES_MAX], start: uint256
) -> DynArray[bytes32, tree.SIBLINGS_MAX]:
    """
    @notice The siblings of the rows, which begin with their u16 count at byte `start`.
    """
    siblings: DynArray[bytes32, tree.SIBLINGS_MAX] = []
    first: uint256 = start + U16_BYTES
    count: uint256 = 0
    if first <= len(proofs):
        count = convert(slice(proofs, start, U16_BYTES), uint256)
    assert first + count * tree.HASH_BYTES <= len(proofs), "witness: siblings cut"
    assert count <= tree.SIBLINGS_MAX, "witness: a sibling too many"
    for i: uint256 in range(count, bound=tree.SIBLINGS_MAX):
        siblings.append(extract32(proofs, first + i * tree.HASH_BYTES))
    return siblings


@internal
@pure
def _book_roots(leaf: Bytes[markets.MARKET_LEAF_BYTES_MAX]) -> bytes32[2]:
    """
    @notice Of bids and asks; the books of an absent market are empty.
    """
    if len(leaf) == 0:
        return [store.EMPTY_BOOK_ROOT, store.EMPTY_BOOK_ROOT]
    return [extract32(leaf, markets.BIDS_ROOT), extract32(leaf, markets.ASKS_ROOT)]


@internal
@pure
def _branch_place(place: uint256) -> uint256:
    """
    @notice Which of the branches belongs to the leaf at `place`, which is no row.
    """
    if place < witness.FIRST_ROW:
        return place
    return place - limits.WITNESS_ROWS_MAX


@internal
@pure
def _book_root(places: witness.Places, book_roots: bytes32[2], place: uint256) -> bytes32:
    """
    @notice The root of the book of the order at `place`, which its market's leaf holds.
    """
    name: uint256 = places.keys[place]
    assert (
        places.counts[witness.MARKETS] > 0
        and places.keys[witness.FIRST_MARKET] == name >> (witness.SIDE_BIT + 8)
    ), "witness: market missing"
    return book_roots[(name >> witness.SIDE_BIT) & 1]


@internal
@pure
def _board_root(
    places: witness.Places,
    hashes: bytes32[witness.PLACES_MAX],
    siblings: DynArray[bytes32, tree.SIBLINGS_MAX],
) -> bytes32:
    """
    @notice The board's root that the rows, at least one, make together.
    """
    rows: tree.Leaves = empty(tree.Leaves)
    rows.count = places.counts[witness.ROWS]
    for i: uint256 in range(rows.count, bound=limits.WITNESS_ROWS_MAX):
        rows.keys[i] = places.keys[witness.FIRST_ROW + i]
        rows.hashes[i] = hashes[witness.FIRST_ROW + i]
    return tree._multiproof_root(limits.BOARD_DEPTH, rows, siblings)
