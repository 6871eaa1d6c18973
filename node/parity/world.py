"""A venue whose every step is shown, before it happens and after, to whoever watches.

Between steps the state may be written by hand: a step is a function of the state, and says
nothing of how that came to be. So a scene that would take a million steps takes one.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from node.parity.brink import to_the_brink
from node.parity.case import Case, case_of
from node.parity.kinds import Pair, pair_of
from node.signatures import recover
from prover.facts import Facts
from prover.recording import RecordingState
from prover.step import NOTHING, StepInput, take_step
from state.authentication import Verifier
from state.batch import BatchHeader, ChunkCommitment, encode_header
from state.chunks import Row, chunk_size, pack_chunk, row_at
from state.commitment import Committer
from state.crypto import ZERO_HASH, keccak
from state.eip712 import domain
from state.inbox import InboxItem, accumulate
from state.limits import BATCH_CHUNKS_MAX, BATCH_STEPS_MAX, CHUNK_BYTES_MAX, TIME_MAX
from state.machine import Machine
from state.memory import MemoryState
from state.status import Status
from state.steps import Step, next_step
from state.store import Changes
from state.transactions import Transaction, encode_transaction

NOW = 1_700_000_000
DOMAIN = domain(31337, bytes(19) + b"\x99")
VERIFIER = Verifier(DOMAIN, recover)
BRINK_SHARE = 0.03
"""Of steps before which an account's cash is moved to where they go one way or the other."""


class Prepared(Struct, frozen=True):
    """A step that is about to be taken: what it read and will write, and its bytes."""

    pair: Pair
    recording: RecordingState
    changes: Changes
    given: StepInput
    facts: Facts
    case: Case


class Watcher(Protocol):
    """Hears of every step, while the state is still as before, and again after it."""

    def before(self, step: Prepared) -> None: ...
    def after(self, step: Prepared, root: bytes, status: int) -> None: ...


class Pending(Struct):
    """What a batch will hold that is being put together: nothing of it has run."""

    rows: list[Row]
    items: list[InboxItem]


class World:
    """A state in memory and its trees; `random` decides what stands around each step."""

    def __init__(self, random: Random, watcher: Watcher, state: MemoryState | None = None) -> None:
        self.random, self.watcher = random, watcher
        if state is None:
            state = MemoryState()
            state.machine.time = NOW
        self.state = state
        self.committer = Committer(state)
        self.accumulator = ZERO_HASH
        self.recent: deque[Row] = deque(maxlen=12)
        self.pending: Pending | None = None
        self.by_hand = True
        self.fronts_left: int | None = None
        self.header = b""
        self.boot()

    @property
    def machine(self) -> Machine:
        return self.state.machine

    # --- by hand ---

    def write(self, change: Callable[[Changes], None]) -> None:
        """Write leaves outside of any step; the venue's sums follow."""
        changes = Changes(self.state)
        change(changes)
        self.state.apply(changes)

    def balance(self) -> None:
        """Have as much deposited as there is, whatever was written by hand."""
        machine = self.machine
        s = machine.sums
        held = s.cash + s.pools + s.insurance + s.fees
        machine.withdrawn = max(machine.withdrawn, -held)
        machine.deposited = held + machine.withdrawn

    # --- one step ---

    def take(self, given: StepInput = NOTHING, **facts: object) -> Pair:
        """The machine's next step, shown to the watcher before and after."""
        told = Facts(DOMAIN.separator, **facts)  # type: ignore[arg-type]
        if self.by_hand and self.random.random() < BRINK_SHARE:
            to_the_brink(self.state, given, told, VERIFIER, self.random)
        recording = RecordingState(self.state, self.committer.commit())
        changes = take_step(recording, given, told, VERIFIER)
        case = case_of(recording.witness(changes), given, told)
        kind = row_at(given.chunk, self.machine.row).kind if given.chunk else 0
        pair = pair_of(self.machine, given, kind, changes)
        step = Prepared(pair, recording, changes, given, told, case)
        self.watcher.before(step)
        self.state.apply(changes)
        root = self.committer.commit().state_root
        self.watcher.after(step, root, self.machine.status)
        return pair

    # --- transactions and items ---

    def run(self, tx: Transaction, signature: bytes) -> Status:
        """Every step of `tx`, as it would stand in some chunk of the batch."""
        return self.run_row(Row(*encode_transaction(tx), signature))

    def run_row(self, row: Row) -> Status:
        """As `run`, of a row that may be any bytes. OK, unseen, where a batch is put together."""
        if self.pending is not None:
            self.pending.rows.append(row)
            return Status.OK
        if self.machine.steps_left <= 1:
            self.next_batch()
        chunk, at = self._chunk_around(row)
        machine = self.machine
        machine.inbox_end, machine.chunks = machine.inbox, BATCH_CHUNKS_MAX
        machine.chunk = self.random.randrange(BATCH_CHUNKS_MAX)
        machine.row, machine.chunk_hash = at, keccak(chunk)
        self.recent.append(row)
        self.take(StepInput(chunk=chunk))
        self.finish()
        return Status(self.machine.status)

    def finish(self) -> None:
        """The steps that are left of the transaction in progress."""
        order = self.machine.order
        if self.fronts_left is not None and order.fronts:
            self.machine.order = replace(order, fronts=self.fronts_left)
        while next_step(self.machine) == Step.ORDER:
            self.take()

    def _chunk_around(self, row: Row) -> tuple[bytes, int]:
        """Mostly a short chunk: what a row stands among is hashed, and hardly matters."""
        r, others = self.random, list(self.recent)
        count = r.choice((0, 0, 0, 1, 2, 5)) if r.random() < 0.995 else 60
        rows = [r.choice(others) for _ in range(count)] if others else []
        while not _fits([*rows, row]):
            rows.pop()
        at = r.randint(0, len(rows))
        rows.insert(at, row)
        return pack_chunk(rows), at

    def item(self, kind: int, payload: bytes, sender: bytes = bytes(20)) -> Status:
        """One item of the inbox."""
        machine = self.machine
        index = machine.inbox + (len(self.pending.items) if self.pending else 0)
        item = InboxItem(kind, index, machine.time, sender, payload)
        if self.pending is not None:
            self.pending.items.append(item)
            return Status.OK
        if machine.steps_left <= 1:
            self.next_batch()
            machine = self.machine
        machine.inbox_end = machine.inbox + 1
        machine.chunk_hash = self.random.choice((ZERO_HASH, machine.chunk_hash))
        self._take_item(item)
        return Status(self.machine.status)

    def _take_item(self, item: InboxItem) -> None:
        before, after = self.accumulator, accumulate(self.accumulator, item)
        self.take(StepInput(item=item), accumulator=before, next_accumulator=after)
        self.accumulator = after

    # --- batches ---

    def boot(self, *, void: bool = False, chunks: int = 1) -> None:
        """BOOT and, where it has a chunk, OPEN, of a batch whose chunks nobody reads."""
        names = [self.random.randbytes(32) for _ in range(chunks)]
        self._boot(self._new_header(tuple(ChunkCommitment(9, n, n) for n in names), 0), void)
        if next_step(self.machine) == Step.OPEN:
            self.take(StepInput(header=self.header))

    def halt(self) -> None:
        """HALT, as after the last chunk or with the last step of the budget."""
        machine = self.machine
        machine.inbox_end = machine.inbox
        if self.random.random() < 0.5:
            machine.steps_left = 1
        else:
            machine.chunk = machine.chunks
        self.balance()
        self.take()
        self.state.cut()

    def next_batch(self) -> None:
        """HALT, then another batch, now and then a void one or one of many chunks."""
        r = self.random
        self.halt()
        while r.random() < 0.2:
            self.boot(void=True, chunks=r.choice((0, 1, BATCH_CHUNKS_MAX)))
            self.halt()
        self.boot(chunks=r.choice((1, 1, 1, 3, BATCH_CHUNKS_MAX)))

    def _new_header(self, chunks: tuple[ChunkCommitment, ...], items: int) -> BatchHeader:
        r, machine = self.random, self.machine
        bounded = r.random() < 0.3
        return BatchHeader(
            number=machine.batch + 1,
            parent=r.randbytes(32),
            inbox_from=machine.inbox,
            inbox_to=machine.inbox + items,
            inbox_accumulator=r.randbytes(32),
            origin_number=r.getrandbits(64),
            origin_hash=r.randbytes(32),
            time_min=machine.time + r.choice((-60, 0, 30)) if bounded else 0,
            time_max=machine.time + 3_600 if bounded else TIME_MAX,
            chunks=chunks,
        )

    def _boot(self, header: BatchHeader, void: bool) -> None:
        self.header = encode_header(header)
        self.take(StepInput(header=self.header), batch_hash=keccak(self.header), void=void)

    def gather(self) -> None:
        """From here on what would run is put together into a batch, until `run_batch`."""
        self.pending = Pending([], [])

    def run_batch(self) -> None:
        """The whole batch that was put together, from BOOT to HALT, nothing written by hand."""
        assert self.pending is not None
        pending, self.pending = self.pending, None
        self.halt()
        self.by_hand = False
        chunks = _packed(pending.rows, self.random)
        names = [keccak(chunk) for chunk in chunks]
        commitments = tuple(
            ChunkCommitment(len(chunk), name, name)
            for chunk, name in zip(chunks, names, strict=True)
        )
        self._boot(self._new_header(commitments, len(pending.items)), self.random.random() < 0.05)
        while (step := next_step(self.machine)) != Step.BOOT:
            machine = self.machine
            if step == Step.INBOX:
                left = machine.inbox_end - machine.inbox
                self._take_item(pending.items[len(pending.items) - left])
            elif step == Step.OPEN:
                self.take(StepInput(header=self.header))
            elif step == Step.TRANSACTION:
                self.take(StepInput(chunk=chunks[machine.chunk]))
            else:
                self.take()
        self.state.cut()
        self.by_hand = True
        self.boot()

    def few_steps(self, left: int) -> None:
        """As if the batch had run until so many steps were left of its budget."""
        machine = self.machine
        machine.steps_left, machine.step = left, BATCH_STEPS_MAX - left


def _packed(rows: list[Row], random: Random) -> list[bytes]:
    """In chunks of up to forty rows, as far as they have room."""
    chunks: list[bytes] = []
    waiting: list[Row] = []
    for row in rows:
        if waiting and (len(waiting) == 40 or not _fits([*waiting, row]) or random.random() < 0.05):
            chunks.append(pack_chunk(waiting))
            waiting = []
        waiting.append(row)
    return [*chunks, pack_chunk(waiting)] if waiting else chunks


def _fits(rows: list[Row]) -> bool:
    return chunk_size([row.kind for row in rows]) <= CHUNK_BYTES_MAX
