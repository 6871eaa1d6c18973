"""Growth: what an order costs in a small venue and in a large one."""

from statistics import median

from node.benchmark.figures import Figure, per_cpu_second, single
from node.benchmark.flow import FAR_SPAN_TICKS, FAR_TICKS, LOTS
from node.benchmark.memory_venue import (
    EXPIRY,
    MARK_TICKS,
    MemoryVenue,
    memory_flow,
    memory_traders,
)
from state.orders import BUY, SELL, Flags, encode_flags
from state.status import Status
from state.transactions import NewOrder

FIRST_OF_FLOW = 1_000
"""Sequence numbers below are those of orders that only rest."""

AIM = "<= 1.5"


class Grown:
    """A venue of so many accounts and resting orders, and the mix that goes on in it."""

    def __init__(self, accounts: int, resting: int) -> None:
        self.venue = MemoryVenue(memory_traders(accounts))
        self._rest(resting)
        self._flow = memory_flow(self.venue.traders, first=FIRST_OF_FLOW)
        self.venue.send(self._flow.begin())
        self.venue.seal()

    @property
    def resting(self) -> int:
        """Orders in the book."""
        state = self.venue.sequencer.state
        return sum(len(state.book(0, side)) for side in (BUY, SELL))

    def measure(self, messages: int) -> float:
        """CPU seconds of an order: executed, in a batch, its share of the roots."""
        mix = self._flow.take(messages)

        def run() -> int:
            self.venue.send(mix)
            self.venue.seal()
            return len(mix)

        spent = 1 / per_cpu_second(run)
        self.venue.batches.clear()
        # What L1 calls final is forgotten, here as in a node.
        self.venue.sequencer.forget(self.venue.sequencer.number)
        return spent

    def _rest(self, count: int) -> None:
        """Orders behind those of the mix, one at each price, by all accounts in turn."""
        traders = self.venue.traders
        for number in range(count):
            at, side = number % len(traders), (BUY, SELL)[number % 2]
            away = FAR_TICKS + FAR_SPAN_TICKS + 1 + number // 2
            ticks = MARK_TICKS + (away if side == SELL else -away)
            tx = NewOrder(
                *(traders[at].account, 0, 1 + number // len(traders), 0),
                *(encode_flags(Flags(side)), ticks, LOTS, EXPIRY),
            )
            assert self.venue.send([(at, tx)]) == 1, Status(
                self.venue.sequencer.state.machine.status
            )


def measure_growth(
    *, accounts: tuple[int, int], orders: tuple[int, int], messages: int, rounds: int
) -> list[Figure]:
    """How much longer an order takes, the small and the large venue in turn."""
    few, many = accounts
    thin, deep = orders
    return [
        _compared(
            f"{few:,} to {many:,} accounts", Grown(few, thin), Grown(many, thin), messages, rounds
        ),
        _compared(
            f"{thin:,} to {deep:,} resting orders",
            *(Grown(few, thin), Grown(few, deep), messages, rounds),
        ),
    ]


def _compared(name: str, small: Grown, large: Grown, messages: int, rounds: int) -> Figure:
    pairs = [(small.measure(messages), large.measure(messages)) for _ in range(rounds)]
    before, after = (median(spent) for spent in zip(*pairs, strict=True))
    return single(
        f"growth, {name}",
        median(after / before for before, after in pairs),
        "times",
        aim=AIM,
        note=f"{before * 1e6:.0f} to {after * 1e6:.0f} us of CPU an order, roots included",
    )
