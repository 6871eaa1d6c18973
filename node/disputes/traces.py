"""The right trace of a batch that a follower has executed, and the witness of each of its steps."""

import asyncio
from collections import OrderedDict
from typing import TypeVar

from msgspec import Struct

from node.batch_before import batch_before
from node.disputes.defended import DefendedTrace
from node.errors import Halt, Retry
from node.followed import Followed
from node.follower import FollowerService
from prover.derivation import Cursor, Derived
from prover.dispute.trace_tree import TRACE_HEIGHT
from prover.facts import BatchFacts
from prover.replay import genesis_output
from prover.trace import trace_batch
from prover.walk import BatchWalk, ShownStep
from state.authentication import Verifier
from state.batch import Output, encode_output
from state.commitment import Committer
from state.crypto import ZERO_HASH
from state.memory import MemoryState

K = TypeVar("K")
V = TypeVar("V")

TRACES_KEPT = 32
"""Each has 11 MB where the batch is a full one, and takes 24 s to make anew."""

STATES_KEPT = 4
"""Each holds a copy of the whole state before its batch, and is needed to show a step alone."""


class Begun(Struct, frozen=True, kw_only=True):
    """A batch and the state before it, which is read and copied but never written."""

    derived: Derived
    before: MemoryState
    after: Cursor
    verifier: Verifier

    def trace(self) -> tuple[list[bytes], bytes, tuple[bytes, bytes, bytes]]:
        """The roots after each step; the machine and the roots of the trees behind the last."""
        state = self.before.snapshot()
        commitment = Committer(state).commit()
        leaves = trace_batch(state, commitment, self.derived.batch, self.verifier)
        behind = Committer(state).commit()
        roots = (behind.accounts.root, behind.markets.root, behind.board.root)
        return leaves, behind.machine, roots

    def show(self, number: int) -> ShownStep:
        """Step `number`, counted from 1, with its witness. NoSuchStep where there is none."""
        facts = BatchFacts(
            self.derived.batch,
            accumulator=self.after.accumulator,
            separator=self.verifier.domain.separator,
        )
        return BatchWalk(self.before.snapshot(), facts, self.verifier).show(number)


class Traces:
    """Computes in another thread, while nobody moves the follower on; keeps the last few."""

    def __init__(self, follower: FollowerService) -> None:
        self._follower = follower
        self._traces: OrderedDict[bytes, DefendedTrace] = OrderedDict()
        self._begun: OrderedDict[bytes, Begun] = OrderedDict()
        self._shown: OrderedDict[tuple[bytes, int], ShownStep] = OrderedDict()

    async def trace(self, number: int) -> DefendedTrace:
        """The right trace of batch `number`, which the follower has executed."""
        followed, claim = self._known(number)
        if claim not in self._traces:
            begun = await self._begin(number)
            self._traces[claim] = await asyncio.to_thread(_traced, followed, number, begun)
        _use(self._traces, claim, TRACES_KEPT)
        return self._traces[claim]

    async def step(self, number: int, step: int) -> ShownStep:
        """Step `step` of batch `number`, counted from 1, with its witness."""
        _, claim = self._known(number)
        name = claim, step
        if name not in self._shown:
            begun = await self._begin(number)
            self._shown[name] = await asyncio.to_thread(begun.show, step)
        _use(self._shown, name, TRACES_KEPT)
        return self._shown[name]

    def _known(self, number: int) -> tuple[Followed, bytes]:
        """What the right claim on a batch is."""
        followed = self._follower.followed
        batch = followed.batch(number) if followed is not None else None
        if followed is None or batch is None:
            raise Retry(f"batch {number} is not executed yet")
        return followed, batch.claim

    async def _begin(self, number: int) -> Begun:
        followed, claim = self._known(number)
        if claim not in self._begun:
            self._begun[claim] = await asyncio.to_thread(self._read, followed, number)
        _use(self._begun, claim, STATES_KEPT)
        return self._begun[claim]

    def _read(self, followed: Followed, number: int) -> Begun:
        found = batch_before(self._follower, followed, number)
        return Begun(
            derived=found.derive(),
            before=found.state,
            after=found.after,
            verifier=followed.replayer.verifier,
        )


def _use(kept: OrderedDict[K, V], key: K, most: int) -> None:
    """What was used last is what is kept."""
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def _traced(followed: Followed, number: int, begun: Begun) -> DefendedTrace:
    """Halt where the steps, one by one, do not come to what the batch came to as a whole."""
    leaves, machine, roots = begun.trace()
    own = followed.batches[number - 1]
    parent, terms = followed.batch(number - 1), followed.terms.dispute_parameters
    trace = DefendedTrace(
        grandparent=parent.parent_claim if parent is not None else ZERO_HASH,
        parent_output=encode_output(_output(followed, number - 1)),
        output=encode_output(own.output),
        machine=machine,
        roots=roots,
        leaves=leaves,
        height=terms.height if terms is not None else TRACE_HEIGHT,
        is_void=begun.derived.batch.void,
    )
    if leaves[-1] != own.output.state_root or trace.claim != own.claim:
        raise Halt(
            f"TRACE_DIFFERS: traced step by step, batch {number} ends in 0x{leaves[-1].hex()} and "
            f"claim 0x{trace.claim.hex()}, executed whole in 0x{own.output.state_root.hex()} and "
            f"0x{own.claim.hex()}; play no dispute with this, and report it"
        )
    return trace


def _output(followed: Followed, number: int) -> Output:
    return followed.batches[number - 1].output if number else genesis_output()
