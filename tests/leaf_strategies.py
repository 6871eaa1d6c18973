"""Every leaf and every machine that there can be, drawn over the widths of their fields."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from state.accounts import (
    Account,
    OrderReference,
    Position,
    SessionKey,
)
from state.batch import (
    BatchHeader,
    ChunkCommitment,
    Output,
)
from state.legs import Leg, legs_of
from state.machine import (
    NO_BLOCK,
    NO_ORDER,
    BlockInProgress,
    Machine,
    OrderInProgress,
    Phase,
    Sums,
)
from state.markets import (
    BoardRow,
    Market,
    Mode,
    Publisher,
    Side,
    Tier,
)
from state.orders import RestingOrder
from state.withdrawals import Withdrawal

address = st.binary(min_size=20, max_size=20)
hash32 = st.binary(min_size=32, max_size=32)


def unsigned(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def ascending(strategy: Any, by: Callable[[Any], Any], maximum: int, minimum: int = 0) -> Any:
    lists = st.lists(strategy, unique_by=by, min_size=minimum, max_size=maximum)
    return lists.map(lambda items: tuple(sorted(items, key=by)))


positions = st.builds(
    Position,
    *(unsigned(16), signed(64), unsigned(64), unsigned(64), unsigned(64)),
    *(signed(128), signed(128)),
).filter(lambda p: not p.is_empty)
references = st.builds(
    OrderReference, unsigned(32), unsigned(64), unsigned(16), st.integers(0, 1), unsigned(64)
)
keys = st.builds(
    SessionKey, st.integers(1, 2**32 - 1), address, unsigned(64), unsigned(64), unsigned(16)
)
accounts = st.builds(
    Account,
    *(address.filter(any), unsigned(64), unsigned(64), unsigned(32), signed(128)),
    *(unsigned(8), unsigned(64), unsigned(64), unsigned(128)),
    ascending(positions, lambda p: p.market, 16),
    ascending(references, lambda o: (o.epoch, o.sequence), 64),
    ascending(keys, lambda k: k.epoch, 4),
).map(lambda a: replace(a, key_epoch=max([a.key_epoch, *(k.epoch for k in a.keys)])))
sides = st.builds(Side, unsigned(64), unsigned(32), unsigned(64), signed(128), signed(128))
tiers = ascending(
    st.builds(Tier, unsigned(128), unsigned(32), unsigned(32)), lambda t: t.start, 3
).map(lambda ts: (Tier(0, 5, 3), *(t for t in ts if t.start)))
rows = st.builds(
    BoardRow,
    *(unsigned(16), st.sampled_from(Mode), tiers, unsigned(32), unsigned(32), unsigned(128)),
    *(unsigned(128), unsigned(64), unsigned(64), unsigned(64), unsigned(64), sides, sides),
)
publishers = st.builds(Publisher, address, unsigned(8), unsigned(16), unsigned(64), unsigned(64))
markets = st.builds(
    Market,
    *(unsigned(16), unsigned(8), unsigned(8), st.binary(min_size=16, max_size=16)),
    *(unsigned(32), unsigned(64), unsigned(64)),
    *(unsigned(32), unsigned(32), unsigned(32), unsigned(32), unsigned(64), unsigned(64)),
    ascending(publishers, lambda p: p.address, 8, 1),
    *(unsigned(64), unsigned(8), unsigned(8), unsigned(32), unsigned(32), signed(128)),
    *(unsigned(16), unsigned(64), signed(128), unsigned(32), unsigned(32), unsigned(32)),
    *(unsigned(32), unsigned(128), signed(128), unsigned(128), signed(128)),
    *(unsigned(64), unsigned(64)),
)
orders = st.builds(
    RestingOrder,
    *(unsigned(32), unsigned(32), unsigned(64), st.integers(1, 2**64 - 1), unsigned(64)),
    st.sampled_from([0, 1, 12, 13, 16, 32, 64]),
)
withdrawals = st.builds(Withdrawal, unsigned(32), unsigned(32), address, unsigned(64))
sums = st.builds(
    Sums,
    *(signed(128), signed(128), unsigned(128), unsigned(128), unsigned(128), signed(128)),
    *(unsigned(128), unsigned(128)),
)
orders_in_progress = st.builds(
    OrderInProgress,
    *(st.integers(1, 3), unsigned(32), unsigned(32), unsigned(64), unsigned(16), unsigned(8)),
    *(unsigned(32), unsigned(64), unsigned(64), unsigned(64), unsigned(16)),
)
legs = st.builds(Leg, unsigned(16), unsigned(8), unsigned(24), unsigned(48))
blocks = st.lists(legs, min_size=1, max_size=4).flatmap(
    lambda some: st.builds(
        BlockInProgress,
        *(unsigned(32), unsigned(32), unsigned(64), st.integers(0, len(some))),
        *(st.just(len(some)), st.just(legs_of(*some))),
    )
)
blocks_in_progress = st.tuples(
    st.builds(replace, orders_in_progress, phase=st.sampled_from([Phase.SAVE, Phase.LEG])), blocks
)
registers = st.tuples(st.just(NO_ORDER) | orders_in_progress, st.just(NO_BLOCK)) | (
    blocks_in_progress
)
idle_machines = st.builds(
    Machine,
    *(unsigned(64), hash32, unsigned(32), unsigned(32), unsigned(16)),
    *(unsigned(64), unsigned(64), unsigned(64), unsigned(64), unsigned(64)),
    *(unsigned(8), unsigned(8), unsigned(16), hash32, unsigned(128), unsigned(128)),
    *(sums, unsigned(32)),
)
machines = st.builds(
    lambda machine, registers, saved: replace(
        machine, order=registers[0], block=registers[1], saved=saved
    ),
    *(idle_machines, registers, st.none() | sums),
)
chunk_commitments = st.builds(ChunkCommitment, unsigned(16), hash32, hash32)
headers = st.builds(
    BatchHeader,
    number=unsigned(64),
    parent=hash32,
    inbox_from=unsigned(64),
    inbox_to=unsigned(64),
    inbox_accumulator=hash32,
    origin_number=unsigned(64),
    origin_hash=hash32,
    time_min=unsigned(64),
    time_max=unsigned(64),
    chunks=st.lists(chunk_commitments, max_size=64).map(tuple),
    mode=unsigned(8),
    version=unsigned(16),
)
figures = {name: unsigned(128) for name in ("deposited", "withdrawn", "insurance", "fees")}
figures |= {name: unsigned(128) for name in ("bad_debt", "long_lots", "short_lots")}
figures |= {name: signed(128) for name in ("cash", "pools", "dust")}
outputs = st.builds(
    Output,
    batch=unsigned(64),
    batch_hash=hash32,
    state_root=hash32,
    withdrawals_root=hash32,
    steps=unsigned(32),
    inbox=unsigned(64),
    version=unsigned(16),
    **figures,
)
