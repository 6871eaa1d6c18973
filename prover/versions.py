"""Roots of trees after each of many writes, hashed level by level instead of write by write."""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from state.crypto import keccak
from state.radix import hash_level
from state.tree import Tree

Writes = Sequence[tuple[int, bytes]]
"""What was written to one leaf, by ascending step: the leaf from then on; b"" removes it."""

Name = TypeVar("Name", bound=Hashable)


class Versions(Struct, frozen=True):
    """A hash as steps change it: `base` before the first of `steps`, then `hashes`."""

    base: bytes
    steps: Sequence[int]
    hashes: Sequence[bytes]

    def at(self, step: int) -> bytes:
        """The hash once `step` is done."""
        after = bisect_right(self.steps, step)
        return self.hashes[after - 1] if after else self.base


class _Node(Struct):
    """The versions of one place, and the siblings of a path through it before all of them."""

    steps: Sequence[int]
    hashes: Sequence[bytes]
    branch: Sequence[bytes]


_Nodes = dict[int, _Node]


def roots_by_step(
    forest: Mapping[Name, tuple[Tree, Mapping[int, Writes]]],
) -> dict[Name, Versions]:
    """For each tree, its root after every step that wrote to it. Each level takes one call."""
    growing = {name: _leaves(tree, leaves) for name, (tree, leaves) in forest.items() if leaves}
    roots = {name: Versions(tree.root, (), ()) for name, (tree, _) in forest.items()}
    height = 0
    while growing:
        made: list[_Node] = []
        preimages: list[bytes] = []
        for name, nodes in growing.items():
            level = forest[name][0].depth - 1 - height
            growing[name] = _parents(nodes, level, made, preimages)
        hashes, used = hash_level(preimages), 0
        for node in made:
            node.hashes = hashes[used : used + len(node.steps)]
            used += len(node.steps)
        height += 1
        for name in [name for name in growing if forest[name][0].depth == height]:
            root = growing.pop(name)[0]
            roots[name] = Versions(roots[name].base, root.steps, root.hashes)
    return roots


def _leaves(tree: Tree, leaves: Mapping[int, Writes]) -> _Nodes:
    return {
        key: _Node([step for step, _ in writes], [keccak(w) for _, w in writes], tree.branch(key))
        for key, writes in leaves.items()
    }


def _parents(nodes: _Nodes, level: int, made: list[_Node], preimages: list[bytes]) -> _Nodes:
    """The places above `nodes`; what they hash, version by version, goes behind `preimages`.

    Where one child alone was written its sibling is as it was; where both were, the branch
    of each holds the other as it was before.
    """
    parents: _Nodes = {}
    for index, node in nodes.items():
        beside, sibling = nodes.get(index ^ 1), node.branch[level]
        steps = node.steps
        if beside is None:
            if index & 1:
                preimages += [sibling + hashed for hashed in node.hashes]
            else:
                preimages += [hashed + sibling for hashed in node.hashes]
        elif index & 1:
            continue
        else:
            left = Versions(beside.branch[level], node.steps, node.hashes)
            steps, pairs = _paired(left, Versions(sibling, beside.steps, beside.hashes))
            preimages += pairs
        parent = parents[index >> 1] = _Node(steps, (), node.branch)
        made.append(parent)
    return parents


def _paired(left: Versions, right: Versions) -> tuple[list[int], list[bytes]]:
    """Every step at which either changed, and both hashes as they were then."""
    steps = sorted({*left.steps, *right.steps})
    lefts = dict(zip(left.steps, left.hashes, strict=True))
    rights = dict(zip(right.steps, right.hashes, strict=True))
    one, other = left.base, right.base
    pairs = []
    for step in steps:
        one, other = lefts.get(step, one), rights.get(step, other)
        pairs.append(one + other)
    return steps, pairs
