"""A batch as a liar executes it: roots and output that are sound in themselves, and false."""

from msgspec import Struct
from msgspec.structs import replace

from node.evil.kinds import Kind
from node.evil.patching import in_force
from node.evil.rules import lying_rules
from prover.trace import trace_batch
from state.authentication import Verifier
from state.batch import Output, batch_hash, output_after
from state.commitment import Commitment, Committer, state_root
from state.crypto import keccak
from state.execution import Batch
from state.memory import MemoryState

MADE_UP = keccak(b"whatever the liar would like the accounts to be")


class Executed(Struct, frozen=True, kw_only=True):
    """A batch: the root after each step, its output, and what the last root is the hash of.

    `parts` are the roots of accounts, markets and board.
    """

    roots: list[bytes]
    output: Output
    machine: bytes
    parts: tuple[bytes, bytes, bytes]


def executed(
    state: MemoryState, commitment: Commitment, batch: Batch, verifier: Verifier
) -> Executed:
    """The next batch by the rules that are in force; `commitment` is to `state`, which stays."""
    copy = state.snapshot()
    roots = trace_batch(copy, commitment, batch, verifier)
    end = Committer(copy).commit()
    digest = batch_hash(batch.header)
    return Executed(
        roots=roots,
        output=output_after(copy.machine, digest, end.state_root, end.withdrawals.root),
        machine=end.machine,
        parts=(end.accounts.root, end.markets.root, end.board.root),
    )


def lying_trace(
    kind: Kind,
    state: MemoryState,
    commitment: Commitment,
    batch: Batch,
    verifier: Verifier,
    liar: bytes,
) -> Executed:
    """The next batch as one who lies in this way has it; `liar` is the address that gains.

    It is the true one where the batch holds nothing that such a lie could bite on.
    """
    with in_force(lying_rules(kind, liar)):
        found = executed(state, commitment, batch, verifier)
    return with_made_up_root(found) if kind == Kind.ROOT else found


def with_made_up_root(true: Executed) -> Executed:
    """All as it was, but the accounts after HALT."""
    _, markets, board = true.parts
    root = state_root(MADE_UP, markets, board, keccak(true.machine))
    return replace(
        true,
        roots=[*true.roots[:-1], root],
        output=replace(true.output, state_root=root),
        parts=(MADE_UP, markets, board),
    )
