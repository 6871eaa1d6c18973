"""The venue that makes the largest witnesses, in the middle of a batch."""

from builders import DOMAIN, FAR, NOW

from node.parity import stress
from node.parity.stress import RICH
from state.batch import BatchHeader, encode_header
from state.commitment import Committer
from state.crypto import keccak
from state.invariants import check_invariants
from state.limits import BATCH_STEPS_MAX
from state.store import Changes


class FullestVenue(stress.FullestVenue):
    """Build it, then `open` it with the chunk that the next steps read."""

    def __init__(self, publishers: int = 1, maker_cash: int = RICH) -> None:
        super().__init__(publishers=publishers, maker_cash=maker_cash, withdrawals=0)
        check_invariants(self.state)
        self.committer = Committer(self.state)
        self.committer.commit()

    def open(self, chunk: bytes) -> None:
        """In the middle of a batch, at the first row of `chunk`."""
        header = BatchHeader(
            number=1,
            parent=DOMAIN.genesis_hash,
            inbox_from=0,
            inbox_to=0,
            inbox_accumulator=bytes(32),
            origin_number=0,
            origin_hash=bytes(32),
            time_min=NOW,
            time_max=FAR,
        )
        changes = Changes(self.state)
        machine = changes.machine
        machine.batch, machine.batch_hash = 1, keccak(encode_header(header))
        machine.time, machine.time_max = NOW, FAR
        machine.step, machine.steps_left = 1, BATCH_STEPS_MAX - 1
        machine.chunk, machine.chunks, machine.row, machine.chunk_hash = 0, 1, 0, keccak(chunk)
        self.state.apply(changes)
