"""The inside of the state tree: a binary radix trie, and the update that makes a new one.

A `Fork` exists only where two subtrees that are not empty meet, so n leaves make
2n - 1 nodes, in a shape that depends on nothing but the set of leaves. The stretch
from a node up to the place below its parent is its climb: one hash with an empty
sibling per level. Climbs are kept, 32 bytes a level, because an insert that splits
one would otherwise hash all of it again.

A node is written by the update that makes it and never afterwards; every tree of
which it is a part shares it.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import ClassVar

from state.crypto import keccak


def hash_level(preimages: list[bytes]) -> list[bytes]:
    """keccak of each 64-byte preimage: one call hashes all the inner nodes of a level."""
    return [keccak(preimage) for preimage in preimages]


class Leaf:
    """A key and its value; `hash` and `climb` are as in `Fork`."""

    __slots__ = ("climb", "hash", "key", "value")
    height: ClassVar[int] = 0

    def __init__(self, key: int, value: bytes, hashed: bytes = b"", climb: bytes = b"") -> None:
        self.key = key
        self.value = value
        self.hash = hashed
        self.climb = climb

    def copy(self) -> "Leaf":
        return Leaf(self.key, self.value, self.hash, self.climb)


class Fork:
    """Two subtrees of `height - 1` that are not empty.

    `key` is the lowest key there can be below it. `hash` belongs to the place below
    the parent; `climb` joins the hashes of the places under that one, from `height` up.
    """

    __slots__ = ("climb", "hash", "height", "key", "left", "right")

    def __init__(
        self,
        key: int,
        height: int,
        left: "Node",
        right: "Node",
        hashed: bytes = b"",
        climb: bytes = b"",
    ) -> None:
        self.key = key
        self.height = height
        self.left = left
        self.right = right
        self.hash = hashed
        self.climb = climb

    def copy(self) -> "Fork":
        return Fork(self.key, self.height, self.left, self.right, self.hash, self.climb)


Node = Leaf | Fork


def hash_at(node: Node, height: int) -> bytes:
    """The hash of the place at `height` on the climb of `node`, below its end."""
    start = 32 * (height - node.height)
    return node.climb[start : start + 32]


class Update:
    """One update: `apply` makes the new shape, then hashes what is new, level by level."""

    __slots__ = ("added", "arriving", "changes", "empties", "forks", "keys", "leaves", "leaving")

    def __init__(self, empties: tuple[bytes, ...], changes: Mapping[int, bytes]) -> None:
        self.empties = empties
        self.changes = changes
        self.keys = sorted(changes)
        self.leaves: list[Leaf] = []
        self.forks: list[list[Fork]] = [[] for _ in empties]
        # By height: the nodes whose climb begins there, and those whose climb ends there.
        self.leaving: list[list[Node]] = [[] for _ in empties]
        self.arriving: list[set[Node]] = [set() for _ in empties]
        self.added = 0

    def apply(self, root: Node | None) -> Node | None:
        """The root after the changes; `added` then counts the leaves gained."""
        merged = self.merge(root, 0, len(self.keys))
        if merged is None or merged is root:
            return merged
        merged = self.place(merged, len(self.empties) - 1)
        self.hash()
        return merged

    def merge(self, node: Node | None, low: int, high: int) -> Node | None:
        """`node` after the changes `low` to `high`: the very same node if nothing differs."""
        if low == high:
            return node
        keys = self.keys
        first = keys[low]
        apart = first ^ keys[high - 1]
        split = False
        left: Node | None = None
        right: Node | None = None
        if node is None:
            height = apart.bit_length()
        else:
            height = (apart | first ^ node.key).bit_length()
            if height > node.height:
                split = True
                left, right = (None, node) if node.key >> height - 1 & 1 else (node, None)
            elif isinstance(node, Fork):
                height, left, right = node.height, node.left, node.right
        if height == 0:
            return self.replace(node, first)

        below = height - 1
        base = first >> height << height
        middle = bisect_left(keys, base | 1 << below, low, high)
        new_left = left if middle == low else self.merge(left, low, middle)
        new_right = right if middle == high else self.merge(right, middle, high)
        if new_left is None or new_right is None:
            return new_left or new_right
        if new_left is not left or split:
            new_left = self.place(new_left, below)
        elif new_right is right:
            return node
        if new_right is not right or split:
            new_right = self.place(new_right, below)
        fork = Fork(base, height, new_left, new_right)
        self.forks[height].append(fork)
        return fork

    def replace(self, node: Node | None, key: int) -> Node | None:
        value = self.changes[key]
        old = node.value if isinstance(node, Leaf) else b""
        if value == old:
            return node
        self.added += bool(value) - bool(old)
        if not value:
            return None
        leaf = Leaf(key, value)
        self.leaves.append(leaf)
        return leaf

    def place(self, node: Node, top: int) -> Node:
        """`node` with its climb ending at height `top`; a node of an older tree is copied."""
        reached = node.height + len(node.climb) // 32
        if reached == top:
            return node
        if node.hash:
            node = node.copy()
        if reached < top:
            self.leaving[reached].append(node)
            self.arriving[top].add(node)
        else:
            node.hash = hash_at(node, top)
            node.climb = node.climb[: 32 * (top - node.height)]
        return node

    def hash(self) -> None:
        """Hash every new place once: those of a level in one call, from the leaves up."""
        for leaf in self.leaves:
            leaf.hash = keccak(leaf.value)
        # A node on its climb, its key, and the hashes of the places it has passed.
        climbing: list[tuple[Node, int, list[bytes]]] = []
        for height, empty in enumerate(self.empties[:-1]):
            if self.arriving[height]:
                climbing = self.settled(climbing, height)
            climbing += [(node, node.key, [node.hash]) for node in self.leaving[height]]
            preimages = [
                empty + trail[-1] if key >> height & 1 else trail[-1] + empty
                for _, key, trail in climbing
            ]
            forks = self.forks[height + 1]
            if forks:
                preimages += [fork.left.hash + fork.right.hash for fork in forks]
            elif not climbing:
                continue
            hashes = hash_level(preimages)
            for (_, _, trail), hashed in zip(climbing, hashes, strict=False):
                trail.append(hashed)
            if forks:
                for fork, hashed in zip(forks, hashes[len(climbing) :], strict=True):
                    fork.hash = hashed
        self.settled(climbing, len(self.empties) - 1)

    def settled(
        self, climbing: list[tuple[Node, int, list[bytes]]], height: int
    ) -> list[tuple[Node, int, list[bytes]]]:
        """Write the climbs that end at `height` into their nodes; returns the others."""
        arriving, going_on = self.arriving[height], []
        for climb in climbing:
            node, _, trail = climb
            if node in arriving:
                node.hash = trail.pop()
                node.climb += b"".join(trail)
            else:
                going_on.append(climb)
        return going_on
