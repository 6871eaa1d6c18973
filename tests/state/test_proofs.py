"""Branches, multiproofs and compressed branches, and the ways to forge them."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from state.crypto import keccak
from state.tree import (
    Tree,
    calc_root,
    compress_branch,
    empty_hashes,
    expand_branch,
    is_leftmost,
    multiproof_root,
)

DEPTH = 8
LEAVES = {0: b"zero", 1: b"one", 64: b"sixty-four", 200: b"two hundred"}
TREE = Tree.empty(DEPTH).update(LEAVES)
BRANCH = TREE.branch(64)
PROVEN = [0, 64, 65]
SIBLINGS = TREE.multiproof(PROVEN)
Branch = tuple[bytes, ...]

trees = st.dictionaries(st.integers(0, 255), st.binary(min_size=1, max_size=8)).map(
    Tree.empty(DEPTH).update
)
keys = st.integers(0, 255)


@pytest.mark.parametrize(
    ("key", "leaf", "branch", "message"),
    [
        (256, b"sixty-four", BRANCH, "key 256 is not within 0 to 2^8 - 1"),
        (-1, b"sixty-four", BRANCH, "key -1 is not within 0 to 2^8 - 1"),
        (64, bytes(64), BRANCH, "a leaf never has 64 bytes"),
        (64, b"sixty-four", (), "a branch of depth 8 has 8 siblings, not 0"),
        (64, b"sixty-four", BRANCH[1:], "a branch of depth 8 has 8 siblings, not 7"),
        (64, b"sixty-four", (*BRANCH, BRANCH[0]), "a branch of depth 8 has 8 siblings, not 9"),
        (64, b"sixty-four", (*BRANCH[1:], b"short"), "a sibling has 32 bytes, not 5"),
        (64, b"sixty-four", (*BRANCH[1:], bytes(33)), "a sibling has 32 bytes, not 33"),
    ],
)
def test_a_branch_of_the_wrong_form_is_refused(
    key: int, leaf: bytes, branch: Branch, message: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        calc_root(DEPTH, key, leaf, branch)
    assert message in str(refusal.value)


@given(tree=trees, key=keys, other=keys, leaf=st.binary(max_size=8))
def test_a_branch_proves_its_own_key_and_leaf_only(
    tree: Tree, key: int, other: int, leaf: bytes
) -> None:
    branch = tree.branch(key)
    proves = calc_root(DEPTH, other, leaf, branch) == tree.root
    assert proves is (tree.leaf(other) == leaf and tree.branch(other) == branch)


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    inner = keccak(b"zero") + keccak(b"one")
    shallow = TREE.branch(0)[:-1]
    hashed = keccak(inner)
    for sibling in reversed(shallow):
        hashed = keccak(hashed + sibling)
    # Only its size gives it away: read as a leaf one level up it leads to the real root.
    assert hashed == TREE.root and len(inner) == 64
    for depth, branch in ((DEPTH - 1, shallow), (DEPTH, TREE.branch(0)), (DEPTH, shallow)):
        with pytest.raises(ValueError):
            calc_root(depth, 0, inner, branch)


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        (BRANCH[1:], "a branch of depth 8 has 8 siblings, not 7"),
        ((*BRANCH[1:], b""), "a sibling has 32 bytes, not 0"),
    ],
)
def test_only_a_whole_branch_can_be_leftmost(branch: Branch, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        is_leftmost(DEPTH, 0, branch)
    assert message in str(refusal.value)


@given(tree=trees, chosen=st.lists(keys, min_size=1, max_size=20))
def test_a_multiproof_gives_the_root_in_any_order_of_keys(tree: Tree, chosen: list[int]) -> None:
    siblings = tree.multiproof(chosen)
    proven = {key: tree.leaf(key) for key in chosen}
    assert multiproof_root(DEPTH, proven, siblings) == tree.root
    assert tree.multiproof(reversed(chosen)) == siblings
    assert len(siblings) <= DEPTH * len(proven)


@given(tree=trees, key=keys)
def test_a_multiproof_of_one_key_is_its_branch_from_the_leaf_up(tree: Tree, key: int) -> None:
    assert tree.multiproof([key]) == tree.branch(key)[::-1]


def test_a_multiproof_of_every_key_needs_no_sibling() -> None:
    assert TREE.multiproof(range(256)) == ()
    everything = {key: TREE.leaf(key) for key in range(256)}
    assert multiproof_root(DEPTH, everything, ()) == TREE.root


@given(tree=trees, chosen=st.sets(keys, min_size=1, max_size=8), data=st.data())
def test_a_multiproof_with_a_sibling_more_or_less_is_refused(
    tree: Tree, chosen: set[int], data: st.DataObject
) -> None:
    siblings = tree.multiproof(chosen)
    proven = {key: tree.leaf(key) for key in chosen}
    at = data.draw(st.integers(0, len(siblings) - 1))
    with pytest.raises(ValueError, match="a sibling is missing"):
        multiproof_root(DEPTH, proven, siblings[:at] + siblings[at + 1 :])
    with pytest.raises(ValueError, match="siblings were listed, but"):
        multiproof_root(DEPTH, proven, siblings[: at + 1] + siblings[at:])
    with pytest.raises(ValueError, match="siblings were listed, but"):
        multiproof_root(DEPTH, proven, (*siblings, bytes(32)))


@given(tree=trees, chosen=st.sets(keys, min_size=1, max_size=8), data=st.data())
def test_a_multiproof_does_not_prove_another_leaf(
    tree: Tree, chosen: set[int], data: st.DataObject
) -> None:
    siblings = tree.multiproof(chosen)
    proven = {key: tree.leaf(key) for key in chosen}
    key, leaf = data.draw(st.sampled_from(sorted(chosen))), data.draw(st.binary(max_size=8))
    assume(leaf != proven[key])
    assert multiproof_root(DEPTH, proven | {key: leaf}, siblings) != tree.root


@pytest.mark.parametrize(
    ("leaves", "siblings", "message"),
    [
        ({}, SIBLINGS, "a multiproof is of at least one leaf"),
        ({256: b"leaf"}, SIBLINGS, "key 256 is not within 0 to 2^8 - 1"),
        ({1: bytes(64)}, SIBLINGS, "a leaf never has 64 bytes"),
        ({1: b"one"}, (*SIBLINGS[1:], b"short"), "a sibling has 32 bytes, not 5"),
        ({1: b"one"}, (), "a sibling is missing: only 0 were listed"),
        (
            dict.fromkeys(PROVEN, b""),
            (*SIBLINGS, SIBLINGS[0]),
            "13 siblings were listed, but 12 are needed",
        ),
    ],
)
def test_a_multiproof_of_the_wrong_form_is_refused(
    leaves: dict[int, bytes], siblings: Branch, message: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        multiproof_root(DEPTH, leaves, siblings)
    assert message in str(refusal.value)


@pytest.mark.parametrize("depth", [8, 12, 16, 32, 64])
@settings(deadline=None)
@given(data=st.data())
def test_a_compressed_branch_expands_to_itself_whatever_follows(
    depth: int, data: st.DataObject
) -> None:
    chosen = st.integers(0, 2**depth - 1)
    tree = Tree.empty(depth).update(data.draw(st.dictionaries(chosen, st.just(b"leaf"))))
    branch = tree.branch(data.draw(chosen))
    compressed = compress_branch(depth, branch)
    present = sum(
        sibling != empty for sibling, empty in zip(branch, empty_hashes(depth)[-2::-1], strict=True)
    )
    assert len(compressed) == (depth + 7) // 8 + 32 * present
    follows = data.draw(st.binary(max_size=40))
    assert expand_branch(depth, compressed + follows) == (branch, len(compressed))


def test_the_bitmap_has_a_bit_per_height_and_the_siblings_go_from_root_to_leaf() -> None:
    # Beside the path to 0 lie 200 under the root, 64 one level further and 1 at the leaf.
    branch = TREE.branch(0)
    listed = branch[0] + branch[1] + branch[7]
    assert compress_branch(DEPTH, branch) == bytes([0b1100_0001]) + listed


@pytest.mark.parametrize(
    ("depth", "forge", "message"),
    [
        (8, lambda data: data[:0], "the bitmap of a branch has 1 bytes, not 0"),
        (8, lambda data: data[:-1], "takes 65 bytes, but 64 are left"),
        (8, lambda data: b"\xff" + data[1:], "takes 257 bytes, but 65 are left"),
        (
            8,
            lambda data: bytes([data[0] | 1]) + data[1:] + empty_hashes(8)[0],
            "the sibling at height 0 is empty and must be left out",
        ),
        (12, lambda data: b"\x10\x00" + data, "a bit beyond the 12 of the depth"),
    ],
)
def test_a_compressed_branch_that_is_not_canonical_is_refused(
    depth: int, forge: Callable[[bytes], bytes], message: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        expand_branch(depth, forge(compress_branch(DEPTH, BRANCH)))
    assert message in str(refusal.value)


@given(data=st.binary(max_size=200))
def test_any_bytes_expand_canonically_or_are_refused(data: bytes) -> None:
    try:
        branch, used = expand_branch(DEPTH, data)
    except ValueError:
        return
    assert compress_branch(DEPTH, branch) == data[:used]
