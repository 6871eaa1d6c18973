# pragma version 0.4.3
"""
@title Tree: the state's sparse Merkle trees, and the proofs about them
@notice As state/tree.py. A leaf hashes to keccak(leaf), an absent leaf is b"", a node is
        keccak(left | right). Heights count from the leaf: a leaf is at 0, the root at the depth.
@dev Siblings are kept by height, so bit h of a bitmap and place h of a branch say the same.
     Empty hashes are computed once and handed down: as a table they would be 2 kB of code.
"""

from . import limits


HASH_BYTES: constant(uint256) = 32
BITMAP_BYTES_MAX: constant(uint256) = 8
BRANCH_BYTES_MAX: constant(uint256) = BITMAP_BYTES_MAX + limits.BOOK_DEPTH * HASH_BYTES

# Of 32 rows no two of which share a node below height 3: three siblings each. Fewer rows,
# or closer ones, need no more.
SIBLINGS_MAX: constant(uint256) = 96

EMPTY_LEAF_HASH: constant(bytes32) = keccak256(b"")

struct Branch:
    bitmap: uint256  # bit h is set where the sibling at height h is not the empty subtree
    siblings: bytes32[limits.BOOK_DEPTH]


struct Leaves:
    count: uint256
    keys: uint256[limits.WITNESS_ROWS_MAX]
    hashes: bytes32[limits.WITNESS_ROWS_MAX]


@internal
@pure
def _empty_hashes() -> bytes32[limits.BOOK_DEPTH + 1]:
    """
    @notice The hash of the empty subtree of each height, from 0 (a leaf) to 64.
    """
    hashes: bytes32[limits.BOOK_DEPTH + 1] = empty(bytes32[limits.BOOK_DEPTH + 1])
    hashes[0] = EMPTY_LEAF_HASH
    for height: uint256 in range(limits.BOOK_DEPTH):
        hashes[height + 1] = keccak256(abi_encode(hashes[height], hashes[height]))
    return hashes


@internal
@pure
def _expand_branch(
    depth: uint256,
    data: Bytes[BRANCH_BYTES_MAX],
    empties: bytes32[limits.BOOK_DEPTH + 1],
) -> (Branch, uint256):
    """
    @notice The branch that `data` begins with, and how many bytes it took. Reverts where it is
            cut, or lists an empty sibling. Depths are whole bytes: no bit is beyond one.
    """
    branch: Branch = empty(Branch)
    # What is read past the end is zero, and found out at the end.
    padded: Bytes[BRANCH_BYTES_MAX + HASH_BYTES] = concat(data, empty(bytes32))
    used: uint256 = depth >> 3
    branch.bitmap = extract32(padded, 0, output_type=uint256) >> (256 - (used << 3))
    for level: uint256 in range(1, depth + 1, bound=limits.BOOK_DEPTH):
        height: uint256 = depth - level
        branch.siblings[height] = empties[height]
        if (branch.bitmap >> height) & 1 == 1:
            assert used + HASH_BYTES <= len(data), "witness: branch cut"
            sibling: bytes32 = extract32(padded, used)
            assert sibling != empties[height], "witness: empty sibling listed"
            branch.siblings[height] = sibling
            used += HASH_BYTES
    assert used <= len(data), "witness: branch cut"
    return branch, used


@internal
@pure
def _climb(
    key: uint256, hashed: bytes32, siblings: bytes32[limits.BOOK_DEPTH], height: uint256
) -> bytes32:
    """
    @notice The hash at `height` on the path from the leaf at `key`, which hashes to `hashed`: the
            root where that is the depth.
    """
    path: bytes32 = hashed
    side: uint256 = key
    for i: uint256 in range(height, bound=limits.BOOK_DEPTH):
        if side & 1 == 1:
            path = keccak256(abi_encode(siblings[i], path))
        else:
            path = keccak256(abi_encode(path, siblings[i]))
        side >>= 1
    return path


@internal
@pure
def _is_leftmost(key: uint256, branch: Branch) -> bool:
    """
    @notice Whether every sibling to the left of the path to `key` is an empty subtree. With its
            root this proves that no leaf has a lower key.
    """
    return key & branch.bitmap == 0


@internal
@pure
def _meeting_height(one: uint256, other: uint256) -> uint256:
    """
    @notice The height below which the paths of two keys are apart: there each is the other's
            sibling.
    """
    apart: uint256 = one ^ other
    height: uint256 = 0
    for _: uint256 in range(limits.BOOK_DEPTH):
        if apart <= 1:
            break
        apart >>= 1
        height += 1
    return height


@internal
@pure
def _multiproof_root(
    depth: uint256, leaves: Leaves, siblings: DynArray[bytes32, SIBLINGS_MAX]
) -> bytes32:
    """
    @notice The root of the tree that has `leaves`, one or more and ascending, beside `siblings`:
            from the leaves up and within a level from the left, no more and no fewer.
    """
    known: Leaves = leaves
    used: uint256 = 0
    for _level: uint256 in range(depth, bound=limits.BOARD_DEPTH):
        above: uint256 = 0
        at: uint256 = 0
        for _node: uint256 in range(limits.WITNESS_ROWS_MAX):
            if at >= known.count:
                break
            key: uint256 = known.keys[at]
            path: bytes32 = known.hashes[at]
            at += 1
            if key & 1 == 0 and at < known.count and known.keys[at] == key + 1:
                path = keccak256(abi_encode(path, known.hashes[at]))
                at += 1
            else:
                assert used < len(siblings), "witness: a sibling is missing"
                if key & 1 == 1:
                    path = keccak256(abi_encode(siblings[used], path))
                else:
                    path = keccak256(abi_encode(path, siblings[used]))
                used += 1
            known.keys[above] = key >> 1
            known.hashes[above] = path
            above += 1
        known.count = above
    assert used == len(siblings), "witness: a sibling too many"
    return known.hashes[0]
