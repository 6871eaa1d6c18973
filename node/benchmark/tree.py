"""The tree: a batch's commitment against the hashes it needs, and the root after every step."""

from collections.abc import Callable, Iterable
from random import Random

from node.benchmark.figures import Figure, Gauge, interleaved, of_other, of_r, per_cpu_second
from node.benchmark.memory_venue import BELIEVING, derived
from node.benchmark.primitives import raw_keccak
from node.benchmark.rules import opened
from prover.trace import trace_batch
from state.commitment import Commitment, Committer
from state.crypto import keccak
from state.execution import Batch, run_batch
from state.limits import ACCOUNTS_DEPTH
from state.memory import MemoryState
from state.tree import Tree

LEAF_BYTES = 120
"""About an account with a position and an order."""


def hashes_needed(keys: Iterable[int], depth: int) -> int:
    """Leaves and inner nodes that change when the leaves at `keys` do, each hashed once."""
    level = set(keys)
    count = len(level)
    for _ in range(depth):
        level = {key >> 1 for key in level}
        count += len(level)
    return count


def measure_tree(
    gauge: Gauge,
    *,
    leaves: int,
    changes: int,
    accounts: int,
    messages: int,
    traced: int,
    hashes: int,
    rounds: int,
) -> list[Figure]:
    """An accounts tree of `leaves`, `changes` a batch; then the mix, committed and traced."""
    updating = Updating(leaves, changes)
    commits = interleaved(lambda: raw_keccak(hashes), updating.measure, rounds)
    mix = gauge.interleaved(lambda: _committing(accounts, messages), rounds)
    tracing = Tracing(accounts, traced)
    by_step = interleaved(tracing.one_commit_a_step, tracing.level_batched, rounds)
    assert len(set(tracing.roots)) == 1, "two ways to trace a batch differ"
    return [
        of_other(
            "tree, one commit of a batch",
            commits,
            "hashes/s",
            "raw keccak",
            note=f"{changes:,} of {leaves:,} leaves, {updating.hashes:,} hashes needed",
        ),
        of_r("roots of the mix", mix, "orders/s", note=f"all trees, once in {messages:,} orders"),
        of_other(
            "trace, level-batched",
            by_step,
            "steps/s",
            "one commit a step",
            note=f"the root after each of {tracing.steps:,} steps, the steps themselves included",
        ),
    ]


class Updating:
    """One tree of accounts, and batches of leaves to write into it."""

    def __init__(self, leaves: int, changes: int) -> None:
        self._random = Random(1)  # noqa: S311  (the same leaves in every run)
        self._keys = [(number + 1) << 8 for number in range(leaves)]
        self._changes = changes
        self._tree = Tree.empty(ACCOUNTS_DEPTH).update({key: self._leaf() for key in self._keys})
        self.hashes = 0

    def measure(self) -> float:
        """Hashes needed per second of CPU, for one batch."""
        written = {key: self._leaf() for key in self._random.sample(self._keys, self._changes)}
        self.hashes = hashes_needed(written, ACCOUNTS_DEPTH)

        def update() -> int:
            self._tree = self._tree.update(written)
            return self.hashes

        return per_cpu_second(update)

    def _leaf(self) -> bytes:
        return self._random.randbytes(LEAF_BYTES)


def _committing(accounts: int, messages: int) -> float:
    """Orders that one commitment after all of them serves, per second of CPU."""
    venue, flow = opened(accounts)
    venue.send(flow.take(messages))

    def commit() -> int:
        venue.sequencer.commitment()
        return messages

    return per_cpu_second(commit)


class Tracing:
    """The same batch traced in two ways; `roots` are hashes of all roots of each trace."""

    def __init__(self, accounts: int, messages: int) -> None:
        venue, flow = opened(accounts)
        self._opening = [derived(batch) for batch in venue.batches]
        venue.send(flow.take(messages))
        venue.seal()
        self._batch = derived(venue.batches[len(self._opening)])
        self.steps = 0
        self.roots: list[bytes] = []

    def level_batched(self) -> float:
        """Steps per second of CPU where the trees are hashed once, from the leaves up."""
        state, commitment, batch = self._fresh()
        return self._timed(lambda: trace_batch(state, commitment, batch, BELIEVING))

    def one_commit_a_step(self) -> float:
        """Steps per second of CPU where the state is committed to after each of them."""
        state, _, batch = self._fresh()
        committer = Committer(state)
        committer.commit()
        roots: list[bytes] = []

        def run() -> list[bytes]:
            run_batch(
                *(state, batch, BELIEVING),
                on_step=lambda *_: roots.append(committer.commit().state_root),
            )
            return roots

        return self._timed(run)

    def _fresh(self) -> tuple[MemoryState, Commitment, Batch]:
        state = MemoryState()
        for batch in self._opening:
            run_batch(state, batch, BELIEVING)
        return state, Committer(state).commit(), self._batch

    def _timed(self, trace: Callable[[], list[bytes]]) -> float:
        def run() -> int:
            roots = trace()
            self.steps = len(roots)
            self.roots.append(keccak(b"".join(roots)))
            return self.steps

        return per_cpu_second(run)
