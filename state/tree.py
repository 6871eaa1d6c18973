"""The state's sparse Merkle trees, and the proofs about them.

The hashing is that of `trie.smt`: a leaf hashes to keccak(leaf), an absent leaf is
b"", a node is keccak(left | right), key bits are taken from the most significant,
and a branch lists siblings from the root to the leaf. Heights count from the leaf:
a leaf is at 0, the root at `depth`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from state.crypto import keccak
from state.radix import Fork, Leaf, Node, Update, hash_at


@cache
def empty_hashes(depth: int) -> tuple[bytes, ...]:
    """The hash of the empty subtree of each height, from 0 (a leaf) to `depth` (the root)."""
    hashes = [keccak(b"")]
    for _ in range(depth):
        hashes.append(keccak(hashes[-1] + hashes[-1]))
    return tuple(hashes)


def empty_root(depth: int) -> bytes:
    """The root of a tree without leaves."""
    return empty_hashes(depth)[depth]


class Tree:
    """An immutable tree of `2 ** depth` leaves, nearly all of them absent.

    `update` leaves the tree it is called on as it was, so every tree is a snapshot;
    the new one shares all that did not change.
    """

    __slots__ = ("_leaves", "_root", "depth")

    def __init__(self, depth: int, root: Node | None, leaves: int) -> None:
        self.depth = depth
        self._root = root
        self._leaves = leaves

    @classmethod
    def empty(cls, depth: int) -> "Tree":
        if not 1 <= depth <= 256:
            raise ValueError(f"depth {depth} is not within 1 to 256")
        return cls(depth, None, 0)

    @property
    def root(self) -> bytes:
        return empty_root(self.depth) if self._root is None else self._root.hash

    def __len__(self) -> int:
        return self._leaves

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Every leaf that is not absent, as (key, leaf), in the order of keys."""
        pending = [] if self._root is None else [self._root]
        while pending:
            node = pending.pop()
            if isinstance(node, Leaf):
                yield node.key, node.value
            else:
                pending += (node.right, node.left)

    def first(self) -> tuple[int, bytes] | None:
        """The leftmost leaf, which has the lowest key."""
        return next(iter(self), None)

    def leaf(self, key: int) -> bytes:
        """The leaf at `key`; b"" is absent."""
        check_key(self.depth, key)
        node = self._root
        while isinstance(node, Fork):
            node = node.right if key >> node.height - 1 & 1 else node.left
        return node.value if node is not None and node.key == key else b""

    def update(self, changes: Mapping[int, bytes]) -> "Tree":
        """The tree with `changes` written over it, all at once; b"" removes a leaf."""
        if not changes:
            return self
        for key, leaf in changes.items():
            check_key(self.depth, key)
            check_leaf(leaf)
        update = Update(empty_hashes(self.depth), changes)
        root = update.apply(self._root)
        if root is self._root:
            return self
        return Tree(self.depth, root, self._leaves + update.added)

    def branch(self, key: int) -> tuple[bytes, ...]:
        """The `depth` siblings of the path to `key`, whether its leaf is there or not."""
        check_key(self.depth, key)
        siblings = list(reversed(empty_hashes(self.depth)[:-1]))
        node = self._root
        while node is not None:
            apart = (key >> node.height ^ node.key >> node.height).bit_length()
            if apart:
                below = node.height + apart - 1
                siblings[self.depth - 1 - below] = hash_at(node, below)
                break
            if isinstance(node, Leaf):
                break
            below = node.height - 1
            node, sibling = (node.right, node.left) if key >> below & 1 else (node.left, node.right)
            siblings[self.depth - 1 - below] = sibling.hash
        return tuple(siblings)

    def multiproof(self, keys: Iterable[int]) -> tuple[bytes, ...]:
        """The siblings that, with the leaves at `keys`, make the root.

        They are listed from the leaves up and within a level from the left; one that
        follows from the leaves themselves is left out. Repeated keys count once.
        """
        known = {key: self.branch(key) for key in sorted(set(keys))}
        siblings = []
        for level in range(self.depth - 1, -1, -1):
            above = {}
            for place, branch in known.items():
                if place ^ 1 not in known:
                    siblings.append(branch[level])
                above[place >> 1] = branch
            known = above
        return tuple(siblings)


def calc_root(depth: int, key: int, leaf: bytes, branch: Sequence[bytes]) -> bytes:
    """The root of the tree that has `leaf` at `key` and `branch` beside its path."""
    check_key(depth, key)
    check_leaf(leaf)
    check_branch(depth, branch)
    hashed = keccak(leaf)
    for sibling in reversed(branch):
        hashed = keccak(sibling + hashed if key & 1 else hashed + sibling)
        key >>= 1
    return hashed


def is_leftmost(depth: int, key: int, branch: Sequence[bytes]) -> bool:
    """Whether every sibling to the left of the path to `key` is an empty subtree.

    With `calc_root` this proves that no leaf has a lower key. It says nothing about
    the leaf at `key`, which may be absent.
    """
    check_key(depth, key)
    check_branch(depth, branch)
    empties = reversed(empty_hashes(depth)[:-1])
    return all(
        sibling == empty or not key >> depth - 1 - level & 1
        for level, (sibling, empty) in enumerate(zip(branch, empties, strict=True))
    )


def multiproof_root(depth: int, leaves: Mapping[int, bytes], siblings: Sequence[bytes]) -> bytes:
    """The root of the tree that has `leaves`, b"" for an absent one, beside `siblings`.

    The siblings are those of `Tree.multiproof`, in its order: no more and no fewer.
    """
    if not leaves:
        raise ValueError("a multiproof is of at least one leaf, not of none")
    for key, leaf in leaves.items():
        check_key(depth, key)
        check_leaf(leaf)
    check_hashes(siblings)
    known = {key: keccak(leaves[key]) for key in sorted(leaves)}
    used = 0
    for _ in range(depth):
        above = {}
        for place, hashed in known.items():
            beside = known.get(place ^ 1)
            if beside is None:
                if used == len(siblings):
                    raise ValueError(f"a sibling is missing: only {used} were listed")
                beside = siblings[used]
                used += 1
            elif place & 1:
                continue
            above[place >> 1] = keccak(beside + hashed if place & 1 else hashed + beside)
        known = above
    if used != len(siblings):
        raise ValueError(f"{len(siblings)} siblings were listed, but {used} are needed")
    return known[0]


def compress_branch(depth: int, branch: Sequence[bytes]) -> bytes:
    """A bitmap in ceil(depth / 8) bytes, then the siblings that are not empty, root to leaf.

    Bit h of the bitmap, read as one big-endian number, stands for the sibling at height h.
    """
    check_branch(depth, branch)
    empties = reversed(empty_hashes(depth)[:-1])
    bitmap = 0
    listed = []
    for sibling, empty in zip(branch, empties, strict=True):
        bitmap = bitmap << 1 | (sibling != empty)
        if sibling != empty:
            listed.append(sibling)
    return bitmap.to_bytes((depth + 7) // 8) + b"".join(listed)


def expand_branch(depth: int, data: bytes) -> tuple[tuple[bytes, ...], int]:
    """The branch that `data` begins with, and how many bytes it took.

    Only what `compress_branch` writes is taken: a bit beyond the depth or an empty
    sibling that is written out is refused.
    """
    used = (depth + 7) // 8
    if len(data) < used:
        raise ValueError(f"the bitmap of a branch has {used} bytes, not {len(data)}")
    bitmap = int.from_bytes(data[:used])
    if bitmap >> depth:
        raise ValueError(f"the bitmap has a bit beyond the {depth} of the depth")
    size = used + 32 * bitmap.bit_count()
    if len(data) < size:
        raise ValueError(f"the branch takes {size} bytes, but {len(data)} are left")
    branch = []
    empties = empty_hashes(depth)
    for height in range(depth - 1, -1, -1):
        sibling = empty = empties[height]
        if bitmap >> height & 1:
            sibling = data[used : used + 32]
            used += 32
            if sibling == empty:
                raise ValueError(f"the sibling at height {height} is empty and must be left out")
        branch.append(sibling)
    return tuple(branch), used


def check_key(depth: int, key: int) -> None:
    # A negative number never shifts to zero, so this finds it too.
    if key >> depth:
        raise ValueError(f"key {key} is not within 0 to 2^{depth} - 1")


def check_leaf(leaf: bytes) -> None:
    """A leaf of 64 bytes could be read as an inner node, so there is none."""
    if len(leaf) == 64:
        raise ValueError("a leaf never has 64 bytes: that is the size of an inner node")


def check_hashes(hashes: Sequence[bytes]) -> None:
    for hashed in hashes:
        if len(hashed) != 32:
            raise ValueError(f"a sibling has 32 bytes, not {len(hashed)}")


def check_branch(depth: int, branch: Sequence[bytes]) -> None:
    if len(branch) != depth:
        raise ValueError(f"a branch of depth {depth} has {depth} siblings, not {len(branch)}")
    check_hashes(branch)
