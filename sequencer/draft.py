"""Steps that lie ready but are not applied: a refused transaction leaves with its draft."""

from state.authentication import Verifier
from state.batch import BatchHeader, ChunkCommitment
from state.chunks import Row
from state.crypto import ZERO_HASH, keccak
from state.limits import (
    BATCH_CHUNKS_MAX,
    BLOCK_STEPS_MAX,
    CANCEL_ALL_STEPS_MAX,
    ORDER_STEPS_MAX,
    TIME_MAX,
)
from state.machine import Machine
from state.memory import MemoryState
from state.status import STATUSES, Status, is_identity
from state.steps import boot, open_chunk, take_transaction
from state.store import Changes, PreState
from state.transactions import decode_transaction
from state.transactions.kinds import Kind

PROVISIONAL_HASH = keccak(b"tallystick open batch")
"""Stands for the hashes of a batch and its chunks until they are sealed; HALT forgets it."""

_PROVISIONAL_CHUNKS = (ChunkCommitment(0, ZERO_HASH, ZERO_HASH),) * BATCH_CHUNKS_MAX

_STEPS_MAX: dict[int, int] = {
    Kind.ORDER: ORDER_STEPS_MAX,
    Kind.AMEND: ORDER_STEPS_MAX,
    Kind.CANCEL_ALL: CANCEL_ALL_STEPS_MAX,
    Kind.BLOCK_TRADE: BLOCK_STEPS_MAX,
}


def steps_max(kind: int) -> int:
    """The most steps that a transaction of `kind` can take."""
    return _STEPS_MAX.get(kind, 1)


def is_included(kind: int, status: Status) -> bool:
    """Whether a transaction of this outcome belongs in a batch.

    A trader's does once it is authenticated, whatever became of it: its sequence number is
    consumed. A header or a price that was refused changed nothing.
    """
    if kind in (Kind.HEADER, Kind.PRICE):
        return status == Status.OK
    return not is_identity(status)


class Draft:
    """Layers over a state, begun with BOOT where the machine is idle.

    `time` is the venue's clock: a batch that begins here says so in its header.
    """

    def __init__(self, state: MemoryState, time: int) -> None:
        self._state = state
        self._layers: list[Changes] = []
        if state.machine.batch_hash == ZERO_HASH:
            header = provisional_header(state.machine, time)
            self._layers.append(boot(state, header, PROVISIONAL_HASH, void=False))

    @property
    def time(self) -> int:
        """The state's clock after what lies ready."""
        return self._top.machine.time

    def take(self, row: Row, verifier: Verifier, *, opens: bool) -> Status:
        """The first step of a transaction, after an OPEN if it `opens` a chunk."""
        if opens:
            behind = Changes(self._top)
            # The transaction before did not know that it was the last of its chunk.
            behind.machine.chunk += behind.machine.chunk_hash != ZERO_HASH
            self._layers += [behind, open_chunk(behind, PROVISIONAL_HASH)]
        tx = decode_transaction(row.kind, row.row)
        changes = take_transaction(self._top, tx, row.signature, verifier, last=False)
        self._layers.append(changes)
        return STATUSES[changes.machine.status]

    def apply(self) -> None:
        """Write every layer into the state, in order."""
        for layer in self._layers:
            self._state.apply(layer)

    @property
    def _top(self) -> PreState:
        return self._layers[-1] if self._layers else self._state


def provisional_header(machine: Machine, time_min: int) -> BatchHeader:
    """What BOOT is given: nothing is known of the batch but its place and when it begins."""
    return BatchHeader(
        number=machine.batch + 1,
        parent=ZERO_HASH,
        inbox_from=machine.inbox,
        inbox_to=machine.inbox,
        inbox_accumulator=ZERO_HASH,
        origin_number=0,
        origin_hash=ZERO_HASH,
        time_min=time_min,
        time_max=TIME_MAX,
        chunks=_PROVISIONAL_CHUNKS,
    )
