# pragma version 0.4.3
"""
@title Traces: the roots after every step of a batch, under one root
@notice docs/disputes.md, section 1. node = keccak(left | right), a leaf stands for itself; behind
        the last leaf it is repeated until the tree is full. Branches are listed from the leaf's
        sibling up.
@dev As prover/dispute/trace_tree.py.
"""

from . import outputs
from .prover import witness_state
from .state import machine


HEIGHT_MAX: constant(uint256) = 16

# What one transaction can carry, also where a byte of calldata costs 64 gas.
PUBLISHED_STEPS_MAX: constant(uint256) = 3_500

# Where the machine's bytes hold what an output holds too: docs/protocol.md, section 3.6.
MACHINE_BATCH: constant(uint256) = 1
MACHINE_BATCH_HASH: constant(uint256) = 9
MACHINE_STEP: constant(uint256) = 41
MACHINE_INBOX: constant(uint256) = 75
MACHINE_DEPOSITED: constant(uint256) = 127
MACHINE_WITHDRAWALS_ROOT: constant(uint256) = 291

OUTPUT_STATE_ROOT: constant(uint256) = 42

# From `deposited` to `short_lots`.
SUMS_BYTES: constant(uint256) = 160


# The upper end of a trace tree, and the branch of its first leaf.
struct Top:
    root: bytes32
    left: bytes32
    right: bytes32
    first_branch: DynArray[bytes32, HEIGHT_MAX]


@internal
@pure
def _node(left: bytes32, right: bytes32) -> bytes32:
    """
    @notice keccak(left | right)
    """
    return keccak256(concat(left, right))


@internal
@pure
def _root_of(
    index: uint256, leaf: bytes32, branch: DynArray[bytes32, HEIGHT_MAX], height: uint256
) -> bytes32:
    """
    @notice The root that a branch leads to from leaf `index` of a tree of this height.
    """
    assert index >> height == 0, "traces: no such leaf"
    assert len(branch) == height, "traces: branch of another height"
    node: bytes32 = leaf
    for level: uint256 in range(height, bound=HEIGHT_MAX):
        if (index >> level) & 1 == 0:
            node = self._node(node, branch[level])
        else:
            node = self._node(branch[level], node)
    return node


@internal
@pure
def _top(leaves: DynArray[bytes32, PUBLISHED_STEPS_MAX], height: uint256) -> Top:
    """
    @notice The tree over `leaves`, of which there is one at least. What is behind them is one and
            the same node on every level.
    """
    nodes: DynArray[bytes32, PUBLISHED_STEPS_MAX] = leaves
    count: uint256 = len(leaves)
    padding: bytes32 = leaves[count - 1]
    top: Top = empty(Top)
    for level: uint256 in range(height, bound=HEIGHT_MAX):
        top.left = nodes[0]
        top.right = padding if count == 1 else nodes[1]
        top.first_branch.append(top.right)
        pairs: uint256 = count >> 1
        for i: uint256 in range(pairs, bound=PUBLISHED_STEPS_MAX):
            nodes[i] = self._node(nodes[2 * i], nodes[2 * i + 1])
        if count & 1 == 1:
            nodes[pairs] = self._node(nodes[count - 1], padding)
            pairs += 1
        padding = self._node(padding, padding)
        count = pairs
    top.root = nodes[0]
    return top


@internal
@pure
def _check_state(
    root: bytes32, machine_bytes: Bytes[machine.MACHINE_BYTES], roots: bytes32[3]
):
    """
    @notice Machine and roots are those under a state root.
    """
    assert len(machine_bytes) == machine.MACHINE_BYTES, "traces: wrong machine length"
    found: bytes32 = witness_state._state_root(roots, keccak256(machine_bytes))
    assert found == root, "traces: machine of another state"


@internal
@pure
def _is_at_rest(machine_bytes: Bytes[machine.MACHINE_BYTES]) -> bool:
    """
    @notice Whether the machine is at no batch: the next step is a BOOT.
    """
    return extract32(machine_bytes, MACHINE_BATCH_HASH) == empty(bytes32)


@internal
@pure
def _check_output(
    output: Bytes[outputs.OUTPUT_BYTES],
    machine_bytes: Bytes[machine.MACHINE_BYTES],
    roots: bytes32[3],
):
    """
    @notice An output belongs to its state root: the machine under it is at rest behind this batch
            and carries the output's fields, byte for byte. So a trace decides its output.
    """
    self._check_state(extract32(output, OUTPUT_STATE_ROOT), machine_bytes, roots)
    assert self._is_at_rest(machine_bytes), "traces: machine is not at rest"
    held: bytes32 = keccak256(
        concat(
            slice(machine_bytes, MACHINE_BATCH, 8),
            slice(machine_bytes, MACHINE_STEP, 4),
            slice(machine_bytes, MACHINE_INBOX, 8),
            slice(machine_bytes, MACHINE_DEPOSITED, SUMS_BYTES),
            slice(machine_bytes, MACHINE_WITHDRAWALS_ROOT, 32),
        )
    )
    told: bytes32 = keccak256(
        concat(
            slice(output, outputs.BATCH, 8),
            slice(output, outputs.STEPS, 4),
            slice(output, outputs.INBOX, 8),
            slice(output, outputs.DEPOSITED, SUMS_BYTES),
            slice(output, outputs.WITHDRAWALS_ROOT, 32),
        )
    )
    assert held == told, "traces: output of another machine"
