"""A follower for tests, which moves only when it is told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from l1_venue import L1Venue

from node.follower import FollowerConfig, FollowerService
from node.l1.answers import L1Block
from node.l1.client import BlockParameter, L1Client


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


def let_sync(client: L1Client, head: int, patch: pytest.MonkeyPatch) -> None:
    """The endpoint has come to block `head` so far, before there was any contract."""
    block = client.block

    async def so_far(which: BlockParameter) -> L1Block | None:
        if isinstance(which, str):
            return await block(head)
        found = await block(which)
        return found if found is not None and found.number <= head else None

    async def nothing(*_: object, **__: object) -> bytes:
        return b""

    patch.setattr(client, "block", so_far)
    patch.setattr(client, "code", nothing)
    patch.setattr(client, "call", nothing)


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
