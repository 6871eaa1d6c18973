"""What L1 knows beside a claim, as a step is told it."""

from msgspec import Struct

from state.batch import batch_hash
from state.crypto import ZERO_HASH
from state.execution import Batch
from state.inbox import accumulate
from state.machine import Machine
from state.steps import Step, next_step


class Facts(Struct, frozen=True):
    """The EIP-712 separator of the deployment, and zero wherever the step does not ask.

    BOOT asks for the hash of the batch and whether it is void, an inbox item for the
    accumulator before and after it.
    """

    separator: bytes
    batch_hash: bytes = ZERO_HASH
    void: bool = False
    accumulator: bytes = ZERO_HASH
    next_accumulator: bytes = ZERO_HASH


class BatchFacts:
    """The facts of every step of one batch; `accumulator` is the inbox's before its items."""

    def __init__(self, batch: Batch, *, accumulator: bytes, separator: bytes) -> None:
        self.batch, self.separator = batch, separator
        self.accumulators = [accumulator]
        for item in batch.items:
            self.accumulators.append(accumulate(self.accumulators[-1], item))

    def at(self, machine: Machine) -> Facts:
        """Those of the next step of `machine`, which runs this batch."""
        match next_step(machine):
            case Step.BOOT:
                hashed = batch_hash(self.batch.header)
                return Facts(self.separator, batch_hash=hashed, void=self.batch.void)
            case Step.INBOX:
                at = machine.inbox - self.batch.header.inbox_from
                before, after = self.accumulators[at : at + 2]
                return Facts(self.separator, accumulator=before, next_accumulator=after)
            case _:
                return Facts(self.separator)
