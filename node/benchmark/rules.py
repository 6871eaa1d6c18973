"""The rules alone, and the sequencer in memory around them."""

from msgspec import Struct

from node.benchmark.figures import Figure, Gauge, of_r, per_cpu_second
from node.benchmark.flow import Flow, FlowMessage
from node.benchmark.memory_venue import BELIEVING, MemoryVenue, derived, memory_flow, memory_traders
from state.commitment import Committer
from state.execution import Batch, run_batch
from state.memory import MemoryState
from state.transactions.kinds import Kind


class Prepared(Struct, frozen=True):
    """Batches of the mix: `opening` sets the venue up, `batches` are what is timed."""

    opening: list[Batch]
    batches: list[Batch]
    messages: int
    state_root: bytes


def prepared(accounts: int, messages: int) -> Prepared:
    """A memory venue's batches, cut so that only the mix is in those to be timed."""
    venue, mix = opened(accounts)
    opening = len(venue.batches)
    venue.send(mix.take(messages))
    venue.seal()
    batches = [derived(batch) for batch in venue.batches]
    root = venue.batches[-1].commitment.state_root
    return Prepared(batches[:opening], batches[opening:], messages, root)


def opened(accounts: int) -> tuple[MemoryVenue, Flow]:
    """A venue that stands between two batches, its book begun, and the mix that follows."""
    venue = MemoryVenue(memory_traders(accounts))
    flow = memory_flow(venue.traders)
    venue.send(flow.begin())
    venue.seal()
    return venue, flow


class Replay:
    """Runs prepared batches again and again, each time over a state of its own."""

    def __init__(self, batches: Prepared) -> None:
        self._prepared = batches
        self.state = MemoryState()

    def measure(self) -> float:
        """Messages per second of CPU, from BOOT to HALT, without recovery and without trees."""
        self.state = MemoryState()
        for batch in self._prepared.opening:
            run_batch(self.state, batch, BELIEVING)
        return per_cpu_second(self._run)

    @property
    def state_root(self) -> bytes:
        """Of the state that the last run left."""
        return Committer(self.state).commit().state_root

    def _run(self) -> int:
        rows = 0
        for batch in self._prepared.batches:
            run_batch(self.state, batch, BELIEVING)
            rows += sum(row.kind != Kind.HEADER for chunk in batch.chunks for row in chunk)
            self.state.cut()
        return rows


def measure_rules(gauge: Gauge, *, accounts: int, messages: int, rounds: int) -> list[Figure]:
    """Rules alone over decoded batches, and the sequencer in memory over the same messages."""
    batches = prepared(accounts, messages)
    replay = Replay(batches)
    alone = gauge.interleaved(replay.measure, rounds)
    assert replay.state_root == batches.state_root, "a replay came to another state"

    def sequence() -> float:
        venue, flow = opened(accounts)
        mix: list[tuple[int, FlowMessage]] = flow.take(messages)

        def run() -> int:
            venue.send(mix)
            venue.seal()
            return len(mix)

        return per_cpu_second(run)

    sequenced = gauge.interleaved(sequence, rounds)
    mixed = "2 of 8 rest and trade, 2 rest and are cancelled, 2 cross, 2 cancel"
    return [
        of_r("rules alone", alone, "orders/s", aim=">= 2", note=mixed),
        of_r(
            "sequencer in memory",
            sequenced,
            "orders/s",
            note="rules, admission to a batch, compression and roots",
        ),
    ]
