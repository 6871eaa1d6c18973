"""The tree over a trace, against one that is built leaf by leaf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.dispute import trace_tree
from prover.dispute.trace_tree import TRACE_HEIGHT, TraceTree, last_leaf_index, root_of
from prover.trace import padded
from state.crypto import keccak
from state.radix import hash_level

LEAF = st.integers(0, 5).map(lambda number: keccak(bytes([number])))
HEIGHT = 4


def plain(leaves: list[bytes], height: int) -> list[list[bytes]]:
    """Every node of every level, padding and all."""
    levels = [padded(leaves, 1 << height)]
    for _ in range(height):
        below = levels[-1]
        levels.append([keccak(below[i] + below[i + 1]) for i in range(0, len(below), 2)])
    return levels


@given(st.lists(LEAF, min_size=1, max_size=1 << HEIGHT))
def test_every_node_is_that_of_the_padded_tree(leaves: list[bytes]) -> None:
    tree, levels = TraceTree(leaves, HEIGHT), plain(leaves, HEIGHT)
    assert [tree.root] == levels[HEIGHT]
    for height, level in enumerate(levels):
        assert [tree.node(height, index) for index in range(len(level))] == level
    for height in range(1, HEIGHT + 1):
        for index, node in enumerate(levels[height]):
            assert keccak(b"".join(tree.children(height, index))) == node


@given(st.lists(LEAF, min_size=1, max_size=1 << HEIGHT))
def test_a_branch_leads_from_every_leaf_to_the_root_and_from_no_other_place(
    leaves: list[bytes],
) -> None:
    tree = TraceTree(leaves, HEIGHT)
    for index in range(1 << HEIGHT):
        branch = tree.branch(index)
        assert len(branch) == HEIGHT
        assert root_of(index, tree.leaf(index), branch) == tree.root
        assert root_of(index, keccak(tree.leaf(index)), branch) != tree.root


@given(
    st.lists(LEAF, min_size=1, max_size=1 << HEIGHT),
    st.lists(LEAF, min_size=1, max_size=1 << HEIGHT),
)
def test_the_first_difference_is_that_of_the_leaves(one: list[bytes], two: list[bytes]) -> None:
    pairs = zip(padded(one, 1 << HEIGHT), padded(two, 1 << HEIGHT), strict=True)
    first = next((index for index, (a, b) in enumerate(pairs) if a != b), None)
    tree = TraceTree(one, HEIGHT)
    assert tree.first_difference(two) == first
    assert tree.first_difference(TraceTree(two, HEIGHT)) == first


def test_padding_costs_one_hash_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []

    def counted(preimages: list[bytes]) -> list[bytes]:
        hashed.append(len(preimages))
        return hash_level(preimages)

    monkeypatch.setattr(trace_tree, "hash_level", counted)
    tree = TraceTree([bytes(32)] * 3)
    assert sum(hashed) == 2 + (TRACE_HEIGHT - 1)
    assert tree.leaf(last_leaf_index(TRACE_HEIGHT)) == tree.leaf(2) and tree.size == 3


@pytest.mark.parametrize("count", [0, 17])
def test_a_tree_is_of_one_leaf_at_least_and_of_as_many_as_fit(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} leaves"):
        TraceTree([bytes(32)] * count, HEIGHT)


@pytest.mark.parametrize(("height", "index"), [(-1, 0), (5, 0), (0, 16), (3, 2), (0, -1)])
def test_there_is_no_node_beside_the_tree(height: int, index: int) -> None:
    with pytest.raises(ValueError, match="has no node"):
        TraceTree([bytes(32)], HEIGHT).node(height, index)


def test_trees_of_two_heights_do_not_compare() -> None:
    with pytest.raises(ValueError, match="heights differ"):
        TraceTree([bytes(32)], 3).first_difference(TraceTree([bytes(32)], 4))


def test_the_ends_of_a_trace_lead_to_its_root() -> None:
    leaves = [keccak(bytes([number])) for number in range(5)]
    tree = TraceTree(leaves)
    ends = tree.ends()
    assert keccak(ends["left"] + ends["right"]) == ends["trace_root"] == tree.root
    assert root_of(0, leaves[0], ends["first_branch"]) == tree.root
    assert root_of(last_leaf_index(TRACE_HEIGHT), leaves[-1], ends["last_branch"]) == tree.root
    assert ends["first"] == leaves[0]
