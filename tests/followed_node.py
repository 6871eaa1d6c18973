"""A follower's venue over a database in memory, fed with random histories block by block."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_clock import FakeClock
from fake_database import FakeDatabase, FakeDatabases
from fake_rollup import TERMS
from recorded_batches import recorded_batches
from tape_world import contents

from node.followed import Followed
from node.followed_snapshots import HEAD, Head
from node.kept_venue import KeptVenue
from node.rollup_events import BatchPosted, ItemAdded, RollupEvent
from node.scanner import Mark
from node.snapshot_policy import SnapshotPolicy
from node.view import FillFeed, UpdateFeed
from state.batch import decode_header
from state.crypto import keccak

FOLDER = Path("events")
POLICY = SnapshotPolicy(batches=3)


def blocks_of(seed: int, transactions: int) -> list[list[RollupEvent]]:
    """A random history as L1 logs it: one batch a block, with its items before it."""
    blocks: list[list[RollupEvent]] = []
    for block, logged in enumerate(recorded_batches(seed, transactions), 10):
        place: dict[str, Any] = {"block": block, "transaction": keccak(logged.header)}
        events: list[RollupEvent] = [
            ItemAdded(log_index=at, item=item, **place) for at, item in enumerate(logged.items)
        ]
        events.append(
            BatchPosted(
                log_index=99,
                number=decode_header(logged.header).number,
                batch_hash=logged.batch_hash,
                header=logged.header,
                payload=logged.payload,
                **place,
            )
        )
        blocks.append(events)
    return blocks


class Node:
    """A follower's venue over a database in memory; `executed` are batches since it was opened."""

    def __init__(self, policy: SnapshotPolicy = POLICY) -> None:
        self.databases = FakeDatabases()
        self.policy = policy

    @property
    def database(self) -> FakeDatabase:
        return self.databases.databases[FOLDER]

    async def open(self) -> "Node":
        self.fills, self.updates = FillFeed(), UpdateFeed()
        self.kept = KeptVenue(
            FOLDER,
            check=False,
            fills=self.fills,
            updates=self.updates,
            clock=FakeClock(),
            open_database=self.databases,
            policy=self.policy,
        )
        self.executed = 0
        execute = Followed._execute

        def counting(followed: Followed, event: BatchPosted) -> Any:
            self.executed += 1
            return execute(followed, event)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Followed, "_execute", counting)
            await self.kept.load(TERMS.rollup)
        if self.kept.followed is None:
            self.kept.begin(TERMS)
        return self

    async def take(self, blocks: Sequence[list[RollupEvent]], *, final: int = 10**6) -> None:
        """Blocks one by one, with a look at what is final after each."""
        for events in blocks:
            block = events[0].block
            await self.kept.take(events, Mark(block, keccak(block.to_bytes(8))))
            self.kept.snapshot(min(final, self.followed.number))

    @property
    def followed(self) -> Followed:
        assert self.kept.followed is not None
        return self.kept.followed

    @property
    def stored(self) -> int:
        encoded = self.database.values.get(HEAD)
        return 0 if encoded is None else msgspec.msgpack.decode(encoded, type=Head).number

    def known(self) -> dict[str, Any]:
        """All that a restart must bring back."""
        followed = self.followed
        return {
            "root": followed.replayer.commitment().state_root,
            "batches": followed.batches,
            "items": followed.items,
            "fills": self.fills.last,
            "tape": contents(followed.tape),
        }
