"""A trace that somebody stands up for, with all that L1 asks for to enter it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from prover.dispute.moves import Defence
from prover.dispute.trace_tree import TRACE_HEIGHT, TraceTree
from state.batch import decode_output
from state.crypto import keccak


@dataclass(frozen=True)
class DefendedTrace:
    """A claim and its trace: `leaves` are the state roots after each step, without the padding.

    `grandparent` is the claim before the parent's, zero bytes where genesis is the parent.
    `parent_output` and `output` are encoded; `machine` and `roots` (of accounts, markets and
    board) are those behind the batch, so that they hash to the last leaf.
    """

    grandparent: bytes
    parent_output: bytes
    output: bytes
    machine: bytes
    roots: tuple[bytes, bytes, bytes]
    leaves: Sequence[bytes]
    height: int = TRACE_HEIGHT
    is_void: bool = False

    @property
    def parent(self) -> bytes:
        """keccak(grandparent | keccak(parent output)): the claim that is contested."""
        return keccak(self.grandparent + keccak(self.parent_output))

    @property
    def claim(self) -> bytes:
        """keccak(parent | keccak(output))"""
        return keccak(self.parent + keccak(self.output))

    @property
    def state_before(self) -> bytes:
        """The root that BOOT starts from."""
        return decode_output(self.parent_output).state_root

    @cached_property
    def tree(self) -> TraceTree:
        """Over the padded leaves."""
        return TraceTree(self.leaves, self.height)

    @property
    def defence(self) -> Defence:
        """What the decision functions ask for."""
        return Defence(claim=self.claim, tree=self.tree, is_void=self.is_void)
