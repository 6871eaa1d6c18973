# pragma version 0.4.3
"""
@title Witness state: every leaf is proven before the step may read it
@notice As prover/witness_state.py. The leaves themselves are read by whoever needs them; here is what
        it takes to prove them, and to compute the root once some of them are written.
"""

from ..state import limits
from ..state import machine
from ..state import markets
from ..state import orders
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
    # Bit i is set where order i is there and leftmost in its book.
    fronts: uint256


@internal
@pure
def _state_root(roots: bytes32[3], machine_hash: bytes32) -> bytes32:
    """
    @notice keccak(u16 version | accounts_root | markets_root | board_root | keccak(machine))
    """
    return keccak256(concat(VERSION, abi_encode(roots), machine_hash))


@internal
@pure
def _prove(
    roots: bytes32[3],
    withdrawals_root: bytes32,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    proofs: Bytes[limits.PROOFS_BYTES_MAX],
) -> Proven:
    """
    @notice Reverts unless every leaf is proven: rules WTN-1 to WTN-3, WTN-5 and WTN-7. Leaves
            come here canonical.
    """
    proven: Proven = self._leaf_hashes(witness._places(leaves), leaves)
    proven.branches, proven.siblings = self._expand_proofs(proven.places.counts, proofs)
    proven.book_roots = self._book_roots(proven.market_leaf)
    for list: uint256 in range(witness.LISTS):
        if list == witness.ROWS:
            if proven.places.counts[list] > 0:
                assert self._board_root(proven) == roots[list], "witness: rows of another board"
            continue
        for i: uint256 in range(proven.places.counts[list], bound=limits.WITNESS_ACCOUNTS_MAX):
            place: uint256 = witness.FIRSTS[list] + i
            root: bytes32 = withdrawals_root
            if list < witness.ROWS:
                root = roots[list]
            elif list == witness.ORDERS:
                root = self._book_root(proven, place)
                if self._is_front(proven, place):
                    proven.fronts |= 1 << i
            self._check(proven, place, DEPTHS[list], root)
    return proven


@internal
@pure
def _leaf_hashes(
    places: witness.Places, leaves: Bytes[limits.LEAVES_BYTES_MAX]
) -> Proven:
    """
    @notice The hash of every leaf, and the leaf of the market itself.
    """
    proven: Proven = empty(Proven)
    proven.places = places
    for list: uint256 in range(witness.LISTS):
        for i: uint256 in range(places.counts[list], bound=limits.WITNESS_ROWS_MAX):
            place: uint256 = witness.FIRSTS[list] + i
            if list == witness.WITHDRAWALS:
                proven.hashes[place] = tree.EMPTY_LEAF_HASH
                continue
            at: uint256 = places.leaves[place]
            size: uint256 = convert(slice(leaves, at, 2), uint256)
            proven.hashes[place] = keccak256(slice(leaves, at + 2, size))
            if list == witness.MARKETS:
                proven.market_leaf = convert(
                    slice(leaves, at + 2, size), Bytes[markets.MARKET_LEAF_BYTES_MAX]
                )
    return proven


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
def _book_root(proven: Proven, place: uint256) -> bytes32:
    """
    @notice The root of the book of the order at `place`, which its market's leaf holds.
    """
    name: uint256 = proven.places.keys[place]
    assert (
        proven.places.counts[witness.MARKETS] > 0
        and proven.places.keys[witness.FIRST_MARKET] == name >> (witness.SIDE_BIT + 8)
    ), "witness: market missing"
    return proven.book_roots[(name >> witness.SIDE_BIT) & 1]


@internal
@pure
def _is_front(proven: Proven, place: uint256) -> bool:
    """
    @notice Whether the order at `place` is there, with none in front of it.
    """
    if proven.hashes[place] == tree.EMPTY_LEAF_HASH:
        return False
    key: uint256 = proven.places.keys[place] & store.KEY_MASK
    return tree._is_leftmost(key, proven.branches[self._branch_place(place)])


@internal
@pure
def _check(proven: Proven, place: uint256, depth: uint256, root: bytes32):
    """
    @notice Reverts unless the branch of the leaf at `place` leads to `root`.
    """
    # Of an order's name the lowest bits are its key, and no path is longer than they are.
    found: bytes32 = tree._climb(
        proven.places.keys[place],
        proven.hashes[place],
        proven.branches[self._branch_place(place)].siblings,
        depth,
    )
    assert found == root, "witness: branch to another root"


@internal
@pure
def _board_root(proven: Proven) -> bytes32:
    """
    @notice The board's root that the rows, at least one, make together.
    """
    rows: tree.Leaves = empty(tree.Leaves)
    rows.count = proven.places.counts[witness.ROWS]
    for i: uint256 in range(rows.count, bound=limits.WITNESS_ROWS_MAX):
        rows.keys[i] = proven.places.keys[witness.FIRST_ROW + i]
        rows.hashes[i] = proven.hashes[witness.FIRST_ROW + i]
    return tree._multiproof_root(limits.BOARD_DEPTH, rows, proven.siblings)
