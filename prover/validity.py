"""Validity: what is proven of a batch, what a proof is made from, and who makes it.

The twin on L1 of the statement is contracts/statements.vy; contracts/validity.vy makes it from
what L1 knows itself and from the claimed output. docs/validity.md says what a proof must show.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from prover.derivation import Cursor, Derived, Inconsistent, derive_batch
from prover.replay import Replayer
from state.authentication import Verifier
from state.batch import Output, output_hash
from state.crypto import keccak
from state.inbox import InboxItem
from state.memory import MemoryState


class Statement(Struct, frozen=True, kw_only=True):
    """The public inputs of a proof: on this rollup, this batch leads from the one state to the
    other and to this output.

    The hash of the batch binds all its transactions and L1's origin, the accumulator every inbox
    item up to its end, that of the output the withdrawals and all sums.
    """

    chain_id: int
    rollup: bytes
    pre_state_root: bytes
    post_state_root: bytes
    batch_hash: bytes
    inbox_accumulator: bytes
    output_hash: bytes


class ProvableBatch(Struct, frozen=True, kw_only=True):
    """A batch as it was posted and the state before it: what a proof is made from.

    `items` are those of its inbox range, `after` is where derivation stood before it. `state` is
    the prover's to run the batch on, so nobody else may hold it.
    """

    state: MemoryState
    header: bytes
    payload: bytes
    items: Sequence[InboxItem]
    after: Cursor


class ProofFault(StrEnum):
    """Which part of a statement is not what the batch comes to.

    DERIVATION is a batch that L1 cannot have posted like this, RULES one that breaks the
    invariants of the venue.
    """

    CHAIN_ID = "CHAIN_ID"
    ROLLUP = "ROLLUP"
    PRE_STATE_ROOT = "PRE_STATE_ROOT"
    POST_STATE_ROOT = "POST_STATE_ROOT"
    BATCH_HASH = "BATCH_HASH"
    INBOX_ACCUMULATOR = "INBOX_ACCUMULATOR"
    OUTPUT_HASH = "OUTPUT_HASH"
    DERIVATION = "DERIVATION"
    RULES = "RULES"


class ProofRefused(ValueError):
    """No proof of it can be made: it is not so."""

    def __init__(self, fault: ProofFault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault


class Prover(Protocol):
    """Makes proofs that the verifier of one proof system takes."""

    @property
    def proof_system(self) -> str:
        """What its verifier calls itself on L1."""
        ...

    def prove(self, statement: Statement, batch: ProvableBatch) -> bytes:
        """A proof of `statement`. ProofRefused where it is not what `batch` comes to."""
        ...


def statement(
    verifier: Verifier, *, pre_state_root: bytes, output: Output, accumulator: bytes
) -> Statement:
    """What is to be proven where `output` is claimed behind a state of that root.

    `accumulator` is the inbox's at the end of the output's batch.
    """
    return Statement(
        chain_id=verifier.domain.chain_id,
        rollup=verifier.domain.rollup,
        pre_state_root=pre_state_root,
        post_state_root=output.state_root,
        batch_hash=output.batch_hash,
        inbox_accumulator=accumulator,
        output_hash=output_hash(output),
    )


def execute(batch: ProvableBatch, verifier: Verifier) -> Statement:
    """Run the batch from the state before it: the one statement that is true of it.

    ProofRefused, DERIVATION or RULES, where it cannot be run.
    """
    derived = _derived(batch)
    replayer = Replayer(verifier)
    replayer.resume(batch.state)
    pre_state_root = replayer.commitment().state_root
    try:
        output = replayer.apply(derived).output
    except AssertionError as broken:
        raise ProofRefused(ProofFault.RULES, str(broken)) from broken
    return statement(
        verifier,
        pre_state_root=pre_state_root,
        output=output,
        accumulator=derived.cursor.accumulator,
    )


def _derived(batch: ProvableBatch) -> Derived:
    try:
        derived = derive_batch(
            batch.header,
            batch.payload,
            batch.items,
            after=batch.after,
            batch_hash=keccak(batch.header),
        )
    except Inconsistent as error:
        raise ProofRefused(ProofFault.DERIVATION, str(error)) from error
    size = sum(chunk.size for chunk in derived.batch.header.chunks)
    if len(batch.payload) != size:
        # L1 takes no such payload, so this is not the one, and says nothing of being void.
        detail = f"the payload has {len(batch.payload)} bytes, the header names {size}"
        raise ProofRefused(ProofFault.DERIVATION, detail)
    return derived


def check(asserted: Statement, found: Statement) -> None:
    """ProofRefused, named after the first field that differs, unless they are the same."""
    for name in Statement.__struct_fields__:
        ours, theirs = getattr(found, name), getattr(asserted, name)
        if ours != theirs:
            raise ProofRefused(
                ProofFault[name.upper()], f"{_shown(theirs)} is asserted, {_shown(ours)} was found"
            )


def _shown(value: int | bytes) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
