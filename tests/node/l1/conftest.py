"""A devnet per test, on a port of its own."""

from collections.abc import AsyncIterator

import pytest
from fake_clock import FakeClock
from l1_world import Rpc

from node.l1.config import L1Config
from node.l1.server import L1Server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def config() -> L1Config:
    """Overridden by tests that need another."""
    return L1Config(port=0, log_blocks_max=50, log_results_max=20)


@pytest.fixture
async def server(config: L1Config, clock: FakeClock) -> AsyncIterator[L1Server]:
    async with L1Server(config, clock) as running:
        yield running


@pytest.fixture
async def rpc(server: L1Server) -> AsyncIterator[Rpc]:
    async with Rpc(server.url) as speaking:
        yield speaking
