"""A machine of sixteen steps: its states, the traces that players defend, and their trees.

Its states have the bytes of the real machine's, so L1 opens them the same way. BOOT takes the
batch up, every further step counts, and the step at which the batch ends puts the machine to
rest. Written apart from `prover/`, as the second hand of sections 1 and 3 of docs/disputes.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from protocol_bytes import Output, claim_hash

from contracts.abi import keccak

HEIGHT = 4
LEAVES = 1 << HEIGHT
VOID_STEPS = 2
ROOTS = (keccak(b"accounts"), keccak(b"markets"), keccak(b"board"))
WITHDRAWALS_ROOT = keccak(b"withdrawals")

# Where the machine's bytes hold what the toy touches: docs/protocol.md, section 3.6.
BATCH, BATCH_HASH, STEP, TIME, INBOX, CHUNKS = (1, 8), (9, 32), (41, 4), (51, 8), (75, 8), (92, 1)
SUMS, WITHDRAWALS = (127, 160), (291, 32)
REST = bytes([6]) + bytes(290) + WITHDRAWALS_ROOT + bytes(341)

Place = tuple[int, int]


def read(machine: bytes, place: Place) -> bytes:
    at, size = place
    return machine[at : at + size]


def number(machine: bytes, place: Place) -> int:
    return int.from_bytes(read(machine, place), "big")


def written(machine: bytes, place: Place, value: bytes | int) -> bytes:
    at, size = place
    data = value.to_bytes(size, "big") if isinstance(value, int) else value
    assert len(data) == size
    return machine[:at] + data + machine[at + size :]


def root_of_state(machine: bytes, roots: Sequence[bytes] = ROOTS) -> bytes:
    """keccak(version | roots | keccak(machine))"""
    return keccak(b"\0\1" + b"".join(roots) + keccak(machine))


@dataclass(frozen=True)
class ToyBatch:
    """What L1 knows of a batch: its hash, after how many steps it ends, and whether it is void."""

    number: int = 1
    steps: int = 10
    is_void: bool = False

    @property
    def batch_hash(self) -> bytes:
        return keccak(f"batch {self.number}".encode())

    def after(self, machine: bytes) -> bytes:
        """The machine after the next step, by the toy's rule."""
        if read(machine, BATCH_HASH) == bytes(32):
            booted = written(machine, BATCH, self.number)
            booted = written(written(booted, BATCH_HASH, self.batch_hash), STEP, 1)
            return written(booted, CHUNKS, 0 if self.is_void else 1)
        step = number(machine, STEP) + 1
        last = self.steps if number(machine, CHUNKS) else VOID_STEPS
        stepped = written(machine, STEP, step)
        if step == last:
            stepped = written(written(stepped, BATCH_HASH, bytes(32)), CHUNKS, 0)
        return stepped


Lie = Callable[[bytes], bytes]
"""What a liar makes of the machine after a step."""


def later(seconds: int) -> Lie:
    """A lie about the time: of another state than the truth, and led on from by the same rule."""
    return lambda machine: written(machine, TIME, number(machine, TIME) + seconds)


def earlier(seconds: int) -> Lie:
    """Takes `later` back."""
    return lambda machine: written(machine, TIME, number(machine, TIME) - seconds)


@dataclass(frozen=True)
class ToyTrace:
    """A trace to defend: the machine after each step, one a leaf, and the output it ends in.

    `junk` puts hashes of nothing in the place of leaves.
    """

    machines: tuple[bytes, ...]
    batch: ToyBatch
    before: bytes = REST
    junk: Mapping[int, bytes] = field(default_factory=dict)
    changes: Mapping[str, int | bytes] = field(default_factory=dict)

    @cached_property
    def levels(self) -> list[list[bytes]]:
        """Nodes by height, leaves first."""
        level = [
            self.junk.get(at, root_of_state(machine)) for at, machine in enumerate(self.machines)
        ]
        found = [level]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=True)
            level = [keccak(left + right) for left, right in pairs]
            found.append(level)
        return found

    @property
    def leaves(self) -> list[bytes]:
        return self.levels[0]

    @property
    def height(self) -> int:
        return len(self.levels) - 1

    @property
    def root(self) -> bytes:
        return self.levels[-1][0]

    def children(self, height: int, index: int) -> tuple[bytes, bytes]:
        """Of the node at `height`, the `index`-th from the left."""
        below = self.levels[height - 1]
        return below[2 * index], below[2 * index + 1]

    def branch(self, index: int) -> list[bytes]:
        """From the leaf's sibling up to the children of the root."""
        return [self.levels[height][(index >> height) ^ 1] for height in range(self.height)]

    def machine_before(self, index: int) -> bytes:
        return self.machines[index - 1] if index else self.before

    def root_before(self, index: int) -> bytes:
        return self.leaves[index - 1] if index else root_of_state(self.before)

    @property
    def last(self) -> bytes:
        return self.machines[-1]

    @property
    def output(self) -> bytes:
        """What the last machine comes to, but for `changes`."""
        machine = self.last
        output = Output(
            batch=number(machine, BATCH),
            batch_hash=self.batch.batch_hash,
            state_root=root_of_state(machine),
            withdrawals_root=read(machine, WITHDRAWALS),
            steps=number(machine, STEP),
            inbox=number(machine, INBOX),
        )
        return replace(output, **self.changes).pack()  # type: ignore[arg-type]

    def claim(self, parent: bytes) -> bytes:
        return claim_hash(parent, self.output)


def honest(batch: ToyBatch | None = None, before: bytes = REST, size: int = LEAVES) -> ToyTrace:
    """What the rule leads to."""
    return lying({}, batch, before, size)


def lying(
    lies: Mapping[int, Lie],
    batch: ToyBatch | None = None,
    before: bytes = REST,
    size: int = LEAVES,
    **fields: Mapping[int, bytes] | Mapping[str, int | bytes],
) -> ToyTrace:
    """The rule, but for what the lies make of the machine at some leaves; it goes on from there."""
    batch = batch or ToyBatch()
    machine, machines = before, []
    for at in range(size):
        at_rest = at > 0 and read(machine, BATCH_HASH) == bytes(32)
        machine = machine if at_rest else batch.after(machine)
        machine = lies[at](machine) if at in lies else machine
        machines.append(machine)
    return ToyTrace(tuple(machines), batch, before, **fields)  # type: ignore[arg-type]
