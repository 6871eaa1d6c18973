"""Every test of a contract runs on both engines."""

import pytest
from evm_engines import ENGINES, Engine
from rollup_world import World


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """A chain with nothing on it."""
    chosen: type[Engine] = request.param
    return chosen()


@pytest.fixture
def world(engine: Engine) -> World:
    """A rollup, just deployed."""
    return World(engine)
