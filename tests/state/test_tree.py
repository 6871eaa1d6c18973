"""The tree against `trie.smt` as its oracle, and against itself built anew."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.smt import SparseMerkleTree
from trie.smt import calc_root as oracle_root

import state.radix
from state.crypto import keccak
from state.radix import Fork, Node
from state.tree import Tree, calc_root, empty_hashes, empty_root, is_leftmost

DEPTHS = [8, 16, 32, 64]
Leaves = dict[int, bytes]


def keys(depth: int) -> st.SearchStrategy[int]:
    """Keys anywhere, and keys that meet low in the tree, so that paths are shared and split."""
    top = 2**depth - 1
    near = st.builds(lambda low, flip: low ^ flip, st.integers(0, 3), st.sampled_from([0, top]))
    forked = st.builds(lambda bit, low: 1 << bit | low, st.integers(0, depth - 1), near)
    return st.one_of(near, forked.map(lambda key: key & top), st.integers(0, top))


def leaves(depth: int, size_max: int = 12) -> st.SearchStrategy[Leaves]:
    return st.dictionaries(keys(depth), st.binary(min_size=1, max_size=40), max_size=size_max)


def updates(depth: int) -> st.SearchStrategy[list[Leaves]]:
    """Batches that insert, overwrite and remove, whatever was there."""
    leaf = st.sampled_from([b"", b"", b"one", b"two"])
    return st.lists(st.dictionaries(keys(depth), leaf, max_size=8), max_size=5)


def key_bytes(depth: int, key: int) -> bytes:
    return key.to_bytes(depth // 8)


def nodes(node: Node | None) -> Iterator[tuple[int, int, bytes, bytes]]:
    if node is None:
        return
    yield node.key, node.height, node.hash, node.climb
    if isinstance(node, Fork):
        yield from nodes(node.left)
        yield from nodes(node.right)


def inner_nodes(depth: int, kept: Leaves) -> dict[tuple[int, int], bytes]:
    """The preimage of every inner node that is not empty, by height and prefix: naively."""
    hashes = {key: keccak(leaf) for key, leaf in kept.items()}
    preimages = {}
    for height, empty in enumerate(empty_hashes(depth)[:-1], start=1):
        above = {}
        for prefix in {key >> 1 for key in hashes}:
            pair = hashes.get(2 * prefix, empty) + hashes.get(2 * prefix + 1, empty)
            preimages[height, prefix] = pair
            above[prefix] = keccak(pair)
        hashes = above
    return preimages


@pytest.mark.parametrize("depth", DEPTHS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_tree_has_the_roots_leaves_and_branches_of_its_oracle(
    depth: int, data: st.DataObject
) -> None:
    oracle = SparseMerkleTree(key_size=depth // 8)
    tree = Tree.empty(depth)
    kept: Leaves = {}
    for changes in data.draw(updates(depth)):
        tree = tree.update(changes)
        for key, leaf in changes.items():
            oracle.set(key_bytes(depth, key), leaf)
            kept[key] = leaf
        kept = {key: leaf for key, leaf in kept.items() if leaf}
        assert tree.root == oracle.root_hash
        assert list(tree) == sorted(kept.items())
        assert len(tree) == len(kept)
        for key in changes:
            leaf, branch = oracle._get(key_bytes(depth, key))
            assert tree.leaf(key) == leaf
            assert tree.branch(key) == branch


@pytest.mark.parametrize("depth", DEPTHS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_oracle_accepts_every_branch_of_presence_and_of_absence(
    depth: int, data: st.DataObject
) -> None:
    tree = Tree.empty(depth).update(data.draw(leaves(depth)))
    for key in {*dict(tree), data.draw(keys(depth)), data.draw(keys(depth))}:
        leaf, branch = tree.leaf(key), tree.branch(key)
        assert oracle_root(key_bytes(depth, key), leaf, branch) == tree.root
        assert calc_root(depth, key, leaf, branch) == tree.root


@pytest.mark.parametrize("depth", DEPTHS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_later_update_leaves_every_snapshot_as_it_was(depth: int, data: st.DataObject) -> None:
    tree = Tree.empty(depth).update(data.draw(leaves(depth)))
    taken = []
    for changes in data.draw(updates(depth)):
        taken.append((tree, list(nodes(tree._root)), list(tree), tree.root))
        tree = tree.update(changes)
    for snapshot, was_nodes, was_leaves, was_root in taken:
        assert list(nodes(snapshot._root)) == was_nodes
        assert list(snapshot) == was_leaves
        assert snapshot.root == was_root


@pytest.mark.parametrize("depth", DEPTHS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_shape_depends_on_nothing_but_the_leaves(depth: int, data: st.DataObject) -> None:
    tree = Tree.empty(depth)
    for changes in data.draw(updates(depth)):
        tree = tree.update(changes)
    rebuilt = list(nodes(Tree.empty(depth).update(dict(tree))._root))
    assert list(nodes(tree._root)) == rebuilt
    assert len(rebuilt) == max(0, 2 * len(tree) - 1)


@pytest.mark.parametrize("depth", DEPTHS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_an_update_hashes_each_dirty_node_once_and_no_other(
    depth: int, data: st.DataObject
) -> None:
    before = Tree.empty(depth).update(data.draw(leaves(depth)))
    changes = data.draw(
        st.one_of(leaves(depth, 6), updates(depth).map(lambda u: u[0] if u else {}))
    )
    calls: list[list[bytes]] = []

    def hash_level(preimages: list[bytes]) -> list[bytes]:
        calls.append(preimages)
        return [keccak(preimage) for preimage in preimages]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state.radix, "hash_level", hash_level)
        after = before.update(changes)

    changed = [key for key, leaf in changes.items() if leaf != before.leaf(key)]
    dirty = {(height, key >> height) for key in changed for height in range(1, depth + 1)}
    left = inner_nodes(depth, dict(after))
    expected = Counter(left[place] for place in dirty if place in left)
    assert Counter(preimage for call in calls for preimage in call) == expected
    assert len(calls) <= depth and all(calls)


@pytest.mark.parametrize("depth", DEPTHS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_first_leaf_and_leftmost_branches_agree_with_the_sorted_keys(
    depth: int, data: st.DataObject
) -> None:
    tree = Tree.empty(depth).update(data.draw(leaves(depth)))
    ordered = sorted(dict(tree))
    assert tree.first() == ((ordered[0], tree.leaf(ordered[0])) if ordered else None)
    for key in {*ordered, data.draw(keys(depth))}:
        nothing_before = not ordered or ordered[0] >= key
        assert is_leftmost(depth, key, tree.branch(key)) is nothing_before


def test_an_empty_tree_has_the_empty_root_and_no_leaf() -> None:
    tree = Tree.empty(8)
    assert tree.root == empty_root(8) == SparseMerkleTree(key_size=1).root_hash
    assert (len(tree), list(tree), tree.first(), tree.leaf(7)) == (0, [], None, b"")
    assert tree.branch(7) == empty_hashes(8)[:8][::-1]


def test_what_changes_nothing_returns_the_same_tree() -> None:
    tree = Tree.empty(8).update({1: b"one", 9: b"nine"})
    assert tree.update({}) is tree
    assert tree.update({1: b"one", 2: b"", 200: b""}) is tree


def test_removing_every_leaf_leaves_the_empty_tree() -> None:
    tree = Tree.empty(16).update(dict.fromkeys(range(0, 2**16, 4099), b"leaf"))
    emptied = tree.update(dict.fromkeys(dict(tree), b""))
    assert emptied.root == empty_root(16)
    assert len(emptied) == 0


def test_a_chain_as_long_as_the_deepest_tree_is_updated() -> None:
    chain = {0: b"end"} | {1 << bit: b"leaf" for bit in range(256)}
    tree = Tree.empty(256).update(chain)
    oracle = SparseMerkleTree(key_size=32)
    for key, leaf in chain.items():
        oracle.set(key.to_bytes(32), leaf)
    assert tree.root == oracle.root_hash
    assert tree.update(dict.fromkeys(chain, b"")).root == empty_root(256)


@pytest.mark.parametrize(
    ("depth", "changes", "message"),
    [
        (8, {256: b"leaf"}, "key 256 is not within 0 to 2^8 - 1"),
        (8, {-1: b"leaf"}, "key -1 is not within 0 to 2^8 - 1"),
        (8, {1: bytes(64)}, "a leaf never has 64 bytes"),
    ],
)
def test_an_update_refuses(depth: int, changes: Leaves, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        Tree.empty(depth).update(changes)
    assert message in str(refusal.value)


@pytest.mark.parametrize("depth", [0, 257])
def test_a_depth_out_of_range_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="is not within 1 to 256"):
        Tree.empty(depth)


@pytest.mark.parametrize("key", [-1, 256])
def test_a_key_out_of_range_is_refused_when_reading(key: int) -> None:
    tree = Tree.empty(8)
    for read in (tree.leaf, tree.branch, lambda key: tree.multiproof([key])):
        with pytest.raises(ValueError, match="is not within"):
            read(key)
