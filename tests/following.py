"""A follower for tests, which moves only when it is told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from l1_venue import L1Venue

from node.follower import FollowerConfig, FollowerService


def config(venue: L1Venue, directory: Path, **changed: Any) -> FollowerConfig:
    fields: dict[str, Any] = {
        "l1_url": venue.server.url,
        "rollup": venue.deployment.rollup,
        "data_directory": directory,
    }
    return FollowerConfig(**fields | changed)


@asynccontextmanager
async def following(
    venue: L1Venue, directory: Path, **changed: Any
) -> AsyncIterator[FollowerService]:
    """A follower that was opened; it moves when the test says `catch_up`."""
    follower = FollowerService(config(venue, directory, **changed), venue.clock)
    try:
        await follower.open()
        yield follower
    finally:
        await follower.close()


async def catch_up(follower: FollowerService) -> None:
    while not await follower.attempt():
        pass


def agrees(follower: FollowerService, venue: L1Venue) -> bool:
    """Whether the follower's root is the one that was executed beside L1."""
    expected = venue.executed[-1].output
    record = follower.batch(expected.batch)
    assert record is not None and record.batch_hash == expected.batch_hash
    assert follower.heads.unsafe == follower.heads.safe == expected.batch
    return follower.commitment().state_root == record.state_root == expected.state_root
