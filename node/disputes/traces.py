"""The right trace of a batch that a follower has executed, and the witness of each of its steps."""

import asyncio
from collections import OrderedDict

from msgspec import Struct

from node.batch_before import batch_before
from node.disputes.defended import DefendedTrace
from node.errors import Halt, Retry
from node.followed import Followed
from node.follower import FollowerService
from prover.derivation import Cursor, Derived, derive_batch
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

TRACES_KEPT = 4
"""Each holds a copy of the whole state before its batch."""


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


class _Kept(Struct):
    """What was computed of one batch."""

    begun: Begun
    trace: DefendedTrace
    shown: dict[int, ShownStep]


class Traces:
    """Computes in another thread, while nobody moves the follower on; keeps the last few."""

    def __init__(self, follower: FollowerService) -> None:
        self._follower = follower
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    async def trace(self, number: int) -> DefendedTrace:
        """The right trace of batch `number`, which the follower has executed."""
        return (await self._known(number)).trace

    async def step(self, number: int, step: int) -> ShownStep:
        """Step `step` of batch `number`, counted from 1, with its witness."""
        kept = await self._known(number)
        if step not in kept.shown:
            kept.shown[step] = await asyncio.to_thread(kept.begun.show, step)
        return kept.shown[step]

    async def _known(self, number: int) -> _Kept:
        followed = self._follower.followed
        batch = followed.batch(number) if followed is not None else None
        if followed is None or batch is None:
            raise Retry(f"batch {number} is not executed yet")
        kept = self._kept.get(batch.claim)
        if kept is None:
            kept = await asyncio.to_thread(self._compute, followed, number)
            if kept.trace.claim != batch.claim:
                raise Halt(
                    f"TRACE_DIFFERS: traced step by step, batch {number} ends in another state "
                    "than when it was executed; play no dispute with this, and report it"
                )
            self._kept[batch.claim] = kept
        self._kept.move_to_end(batch.claim)
        while len(self._kept) > TRACES_KEPT:
            self._kept.popitem(last=False)
        return kept

    def _compute(self, followed: Followed, number: int) -> _Kept:
        found = batch_before(self._follower, followed, number)
        begun = Begun(
            derived=derive_batch(
                found.posted.header,
                found.posted.payload,
                found.items,
                after=found.after,
                batch_hash=found.posted.batch_hash,
            ),
            before=found.state,
            after=found.after,
            verifier=followed.replayer.verifier,
        )
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
        )
        if leaves[-1] != own.output.state_root:
            raise Halt(
                f"TRACE_DIFFERS: traced step by step, batch {number} ends in "
                f"0x{leaves[-1].hex()}, executed whole in 0x{own.output.state_root.hex()}; "
                "play no dispute with this, and report it"
            )
        return _Kept(begun, trace, {})


def _output(followed: Followed, number: int) -> Output:
    return followed.batches[number - 1].output if number else genesis_output()
