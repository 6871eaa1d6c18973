"""How much of everything a run measures."""

from msgspec import Struct

from node.benchmark.load import Shape


class Scale(Struct, frozen=True, kw_only=True):
    """Counts, and how often each measurement is repeated with R in between."""

    name: str
    rounds: int
    recoveries: int
    hashes: int
    signatures: int
    accounts: int
    messages: int
    tree_leaves: int
    tree_changes: int
    traced: int
    growth_accounts: tuple[int, int]
    growth_orders: tuple[int, int]
    growth_messages: int
    trading_accounts: int
    sent: int
    sent_rounds: int
    shapes: tuple[Shape, ...]
    latency_seconds: float
    contract_orders: int
    profiled: int


QUICK = Scale(
    name="quick",
    rounds=3,
    recoveries=1_000,
    hashes=50_000,
    signatures=1_000,
    accounts=100,
    messages=2_000,
    tree_leaves=5_000,
    tree_changes=1_000,
    traced=500,
    growth_accounts=(1_000, 20_000),
    growth_orders=(10, 10_000),
    growth_messages=500,
    trading_accounts=16,
    sent=5_000,
    sent_rounds=1,
    shapes=(Shape.FRAMES, Shape.SUBMIT_BATCHES),
    latency_seconds=2.0,
    contract_orders=200,
    profiled=2_000,
)
FULL = Scale(
    name="full",
    rounds=7,
    recoveries=2_000,
    hashes=200_000,
    signatures=5_000,
    accounts=1_000,
    messages=10_000,
    tree_leaves=100_000,
    tree_changes=2_000,
    traced=1_000,
    growth_accounts=(1_000, 100_000),
    growth_orders=(10, 10_000),
    growth_messages=2_000,
    trading_accounts=64,
    sent=15_000,
    sent_rounds=3,
    shapes=(Shape.FRAMES, Shape.RPC_BATCHES, Shape.SUBMIT_BATCHES),
    latency_seconds=15.0,
    contract_orders=2_000,
    profiled=10_000,
)
TINY = Scale(
    name="tiny",
    rounds=1,
    recoveries=20,
    hashes=100,
    signatures=10,
    accounts=6,
    messages=100,
    tree_leaves=64,
    tree_changes=16,
    traced=24,
    growth_accounts=(6, 40),
    growth_orders=(10, 60),
    growth_messages=40,
    trading_accounts=4,
    sent=200,
    sent_rounds=1,
    shapes=(Shape.FRAMES, Shape.RPC_BATCHES, Shape.SUBMIT_BATCHES),
    latency_seconds=0.5,
    contract_orders=8,
    profiled=100,
)
"""For tests: every measurement once, as small as it can be."""
