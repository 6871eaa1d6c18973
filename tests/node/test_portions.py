"""Who catches up reads L1 in portions, so that snapshots are written on the way."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from following import catch_up, following
from hypothesis import given
from hypothesis import strategies as st
from l1_venue import L1Venue, l1_venue

from node import scanner
from node.batch_before import batch_before
from node.l1.answers import L1Block
from node.rollup import RollupReader
from node.rollup_events import BatchPosted, RollupEvent
from node.scanner import BLOCKS_MAX, PORTION_BYTES, PORTION_FIRST, L1Scanner
from node.snapshot_policy import SnapshotPolicy
from prover import replay
from prover.replay import Replayer
from state.crypto import keccak


class Blocks:
    """An L1 with a batch of so many bytes in each of its blocks, which stand for ever."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes, self.scans = sizes, list[range]()
        self.client = self

    async def block(self, which: int | str) -> L1Block:
        number = len(self.sizes) - 1 if isinstance(which, str) else which
        name = keccak(number.to_bytes(8))
        return L1Block(number=number, hash=name, parent_hash=b"", timestamp=0, base_fee=0)

    async def scan(self, first: int, last: int) -> list[RollupEvent]:
        self.scans.append(range(first, last + 1))
        place: dict[str, Any] = {"log_index": 0, "transaction": b"", "header": b""}
        return [
            BatchPosted(block=at, number=at, batch_hash=b"", payload=bytes(self.sizes[at]), **place)
            for at in range(first, last + 1)
            if self.sizes[at]
        ]

    async def read(self, *, in_portions: bool = True) -> list[int]:
        """Everything; how many blocks each scan took."""
        reader = cast(RollupReader, self)
        scanning = L1Scanner(reader, first=0, in_portions=in_portions)
        found: list[RollupEvent] = []
        while not (scan := await scanning.poll()).is_caught_up:
            found += scan.events
        found += scan.events
        assert [event.block for event in found] == [at for at, one in enumerate(self.sizes) if one]
        return [len(scan) for scan in self.scans]


async def test_blocks_without_batches_are_read_many_at_once() -> None:
    assert await Blocks([0] * 6_000).read() == [256, 512, 1_024, 2_000, 2_000, 208]
    assert await Blocks([0] * 6_000).read(in_portions=False) == [2_000, 2_000, 2_000]


async def test_full_batches_are_read_a_few_at_once() -> None:
    full = PORTION_BYTES // 16
    assert await Blocks([full] * 330).read() == [PORTION_FIRST, 16, 16, 16, 16, 10]
    assert await Blocks([2 * PORTION_BYTES] * 259).read() == [PORTION_FIRST, 1, 1, 1]
    # It takes its time until it is used to an empty stretch again.
    assert await Blocks([full] * 256 + [0] * 112).read() == [256, 16, 32, 64]


@given(st.lists(st.integers(0, 2 * PORTION_BYTES), max_size=8), st.integers(1, 300))
async def test_nothing_is_read_twice_or_left_out(sizes: list[int], apart: int) -> None:
    blocks = Blocks([0, *(size if at == 0 else 0 for size in sizes for at in range(apart))])
    lengths = await blocks.read()
    assert sum(lengths) == len(blocks.sizes) and max(lengths) <= BLOCKS_MAX


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def test_a_follower_that_catches_up_keeps_earlier_states_on_the_way(
    venue: L1Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "PORTION_FIRST", 1)
    monkeypatch.setattr(scanner, "PORTION_BYTES", 1)
    monkeypatch.setattr(replay, "UNDO_BATCHES_MAX", 1)
    await venue.fund()
    for _ in range(8):
        await venue.trading_day()
    async with following(venue, tmp_path, snapshot_policy=SnapshotPolicy(batches=2)) as follower:
        await catch_up(follower)
        executed: list[int] = []
        apply = Replayer.apply

        def counting(replayer: Replayer, derived: Any) -> Any:
            executed.append(derived.batch.header.number)
            return apply(replayer, derived)

        monkeypatch.setattr(Replayer, "apply", counting)
        followed = follower.followed
        assert followed is not None and followed.confirmed == 0
        for number in range(1, 9):
            before = batch_before(follower, followed, number)
            assert before.state.machine.batch == number - 1
        assert executed == [1, 3, 5], "one where a snapshot does not stand right before"
