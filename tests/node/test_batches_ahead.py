"""A follower whose workers look ahead: the same venue, from the same bytes."""

from pathlib import Path

from builders import VERIFIER
from fake_clock import FakeClock
from fake_database import FakeDatabases
from fake_rollup import TERMS
from msgspec.structs import replace
from sequenced_world import NAMES, order
from service_world import Desk

from node.followed import Followed
from node.kept_venue import KeptVenue
from node.rollup_events import BatchPosted, RollupEvent
from node.scanner import Mark
from node.signers.ahead import rows_of
from node.signers.frames import is_recoverable
from node.view import FillFeed, UpdateFeed
from state.orders import BUY, SELL

FOLDER = Path("followed")


async def history(corrupt: int | None = None) -> list[RollupEvent]:
    """Three batches of trading, as L1 tells of them."""
    desk = Desk(corrupt=corrupt)
    await desk.open_venue()
    for batch in range(3):
        first = batch * 20 + 1
        for at, name in enumerate(NAMES):
            side = BUY if at % 2 else SELL
            sent = [order(name, sequence, side=side) for sequence in range(first, first + 20)]
            await desk.submit(*sent, (order(name, first + 30)[0], bytes(64)))
        await desk.settle()
    return [event for block in desk.l1.blocks for event in block.events]


class Reader:
    """A follower's venue; `workers` look ahead."""

    def __init__(self, workers: int, databases: FakeDatabases | None = None) -> None:
        self.databases = databases or FakeDatabases()
        self.kept = KeptVenue(
            FOLDER,
            check=True,
            fills=FillFeed(),
            updates=UpdateFeed(),
            clock=FakeClock(),
            open_database=self.databases,
            signature_workers=workers,
        )

    @property
    def followed(self) -> Followed:
        assert self.kept.followed is not None
        return self.kept.followed

    @property
    def roots(self) -> list[bytes]:
        return [batch.record.state_root for batch in self.followed.batches]

    @property
    def recovered(self) -> tuple[int, int]:
        """How many signers were known, and how many were not."""
        return self.kept._ahead.known.hits, self.kept._ahead.known.misses

    async def take(self, *groups: list[RollupEvent]) -> None:
        self.kept.begin(TERMS)
        for events in groups:
            await self.kept.take(events, Mark(events[-1].block, bytes(32)))
        await self.kept.close()


def signed(events: list[RollupEvent]) -> int:
    rows = [row for event in events if isinstance(event, BatchPosted) for row in rows_of(event)]
    return sum(map(is_recoverable, rows))


async def test_with_workers_a_follower_comes_to_the_same_roots() -> None:
    events = await history()
    alone, helped = Reader(0), Reader(1)
    await alone.take(events)
    await helped.take(events)
    assert helped.roots == alone.roots and len(alone.roots) >= 3
    count = signed(events)
    assert count >= 240 and alone.recovered == (0, count) and helped.recovered == (count, 0)


async def test_a_batch_that_comes_alone_is_shared_with_the_workers() -> None:
    events = await history()
    helped, alone = Reader(2), Reader(0)
    await helped.take(*([event] for event in events))
    await alone.take(events)
    assert helped.roots == alone.roots and helped.recovered == (signed(events), 0)


async def test_a_restart_looks_ahead_in_what_was_kept() -> None:
    events = await history()
    first = Reader(0)
    await first.take(events)
    again = Reader(1, first.databases)
    await again.kept.load(TERMS.rollup)
    roots = again.roots
    await again.kept.close()
    assert roots == first.roots and again.recovered == (signed(events), 0)


async def test_what_cannot_be_read_is_left_to_derivation() -> None:
    events = await history(corrupt=2)
    helped = Reader(1)
    await helped.take(events)
    assert [bool(batch.record.void) for batch in helped.followed.batches][:3] == [
        False,
        True,
        False,
    ]
    posted = next(event for event in events if isinstance(event, BatchPosted))
    for changed in ({"payload": b""}, {"payload": posted.payload[:-1]}, {"header": b"\x01"}):
        assert rows_of(replace(posted, **changed)) == []


def test_the_rules_do_not_know_who_recovers() -> None:
    assert Followed(TERMS).replayer.verifier == VERIFIER
