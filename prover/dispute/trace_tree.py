"""The Merkle tree over the trace of a batch, and what is proven under its root.

    node = keccak(left | right), a leaf stands for itself

A branch lists siblings from the leaf's up to the child of the root.
"""

from collections.abc import Sequence
from typing import TypedDict

from state.crypto import keccak
from state.radix import hash_level

TRACE_HEIGHT = 16
"""2^16 leaves: as many as a batch may take steps."""


class TraceEnds(TypedDict):
    """What `enter` is shown of a trace, by the names of its arguments: the root with its children,
    the first leaf, and the branches of the first and of the last one.
    """

    trace_root: bytes
    left: bytes
    right: bytes
    first: bytes
    first_branch: list[bytes]
    last_branch: list[bytes]


class TraceTree:
    """The roots after each step, then the last one again up to 2^height leaves.

    Subtrees that hold nothing but padding are all alike at one height and hashed once, so a tree
    costs one hash a node above its `size` own leaves. ValueError where there are none or too many.
    """

    __slots__ = ("_levels", "_padding", "height")

    def __init__(self, leaves: Sequence[bytes], height: int = TRACE_HEIGHT) -> None:
        if not 0 < len(leaves) <= 1 << height:
            raise ValueError(f"a tree of height {height} cannot be made of {len(leaves)} leaves")
        self.height = height
        self._levels = [list(leaves)]
        self._padding = [leaves[-1]]
        for _ in range(height):
            self._grow()

    def _grow(self) -> None:
        below, padding = self._levels[-1], self._padding[-1]
        rights = below[1::2] if len(below) % 2 == 0 else [*below[1::2], padding]
        pairs = [left + right for left, right in zip(below[::2], rights, strict=True)]
        self._levels.append(hash_level(pairs))
        self._padding.append(keccak(padding + padding))

    @property
    def root(self) -> bytes:
        return self._levels[self.height][0]

    @property
    def size(self) -> int:
        """Leaves before the padding."""
        return len(self._levels[0])

    @property
    def leaves(self) -> Sequence[bytes]:
        """The leaves before the padding."""
        return self._levels[0]

    def node(self, height: int, index: int) -> bytes:
        """The node `height` above the leaves, `index` counted from the left."""
        if not (0 <= height <= self.height and 0 <= index < 1 << self.height - height):
            raise ValueError(f"a tree of height {self.height} has no node {index} at {height}")
        level = self._levels[height]
        return level[index] if index < len(level) else self._padding[height]

    def leaf(self, index: int) -> bytes:
        """The root after step index + 1."""
        return self.node(0, index)

    def children(self, height: int, index: int) -> tuple[bytes, bytes]:
        """Left and right below the node `index` at `height`, which is at least 1."""
        return self.node(height - 1, 2 * index), self.node(height - 1, 2 * index + 1)

    def branch(self, index: int) -> list[bytes]:
        """`height` siblings from the leaf's own up."""
        return [self.node(height, index >> height ^ 1) for height in range(self.height)]

    def ends(self) -> TraceEnds:
        """What an entry shows of it."""
        left, right = self.children(self.height, 0)
        return TraceEnds(
            trace_root=self.root,
            left=left,
            right=right,
            first=self.leaf(0),
            first_branch=self.branch(0),
            last_branch=self.branch(last_leaf_index(self.height)),
        )

    def first_difference(self, other: "TraceTree | Sequence[bytes]") -> int | None:
        """The first leaf in which the two differ, leaves without padding getting theirs."""
        tree = other if isinstance(other, TraceTree) else TraceTree(other, self.height)
        if tree.height != self.height:
            raise ValueError(f"heights differ: {self.height} and {tree.height}")
        if tree.root == self.root:
            return None
        index = 0
        for height in range(self.height, 0, -1):
            is_left = tree.node(height - 1, 2 * index) != self.node(height - 1, 2 * index)
            index = 2 * index if is_left else 2 * index + 1
        return index


def root_of(index: int, leaf: bytes, branch: Sequence[bytes]) -> bytes:
    """Where `branch` leads from the leaf at `index`."""
    node = leaf
    for height, sibling in enumerate(branch):
        node = keccak(sibling + node if index >> height & 1 else node + sibling)
    return node


def last_leaf_index(height: int) -> int:
    """2^height - 1, where the state root stands that a trace's output must have."""
    return (1 << height) - 1
