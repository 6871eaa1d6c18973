"""Leaves: one encoding each, with a domain byte, never as long as an inner node."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from state.accounts import (
    ABSENT,
    Account,
    OrderReference,
    Position,
    SessionKey,
    decode_account,
    encode_account,
)
from state.batch import (
    BatchHeader,
    ChunkCommitment,
    Output,
    decode_header,
    decode_output,
    encode_header,
    encode_output,
)
from state.legs import NO_LEG, Leg, legs_of
from state.machine import (
    NO_BLOCK,
    NO_ORDER,
    BlockInProgress,
    Machine,
    OrderInProgress,
    Phase,
    SavedRoots,
    Sums,
    decode_machine,
    encode_machine,
)
from state.markets import (
    BoardRow,
    Market,
    Mode,
    Publisher,
    Side,
    Tier,
    decode_board_row,
    decode_market,
    encode_board_row,
    encode_market,
)
from state.orders import RestingOrder, decode_order, encode_order
from state.packing import NotCanonical
from state.transactions import decode_transaction, encode_transaction
from state.transactions.kinds import ROW_WIDTHS, Kind
from state.withdrawals import Withdrawal, decode_withdrawal, encode_withdrawal

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

CODECS: list[tuple[str, Any, Any, Any]] = [
    ("account", accounts, encode_account, decode_account),
    ("board row", rows, encode_board_row, decode_board_row),
    ("order", orders, encode_order, decode_order),
    ("withdrawal", withdrawals, encode_withdrawal, decode_withdrawal),
    (
        "market",
        markets,
        lambda m: encode_market(m, b"\1" * 32, b"\2" * 32),
        lambda leaf: decode_market(leaf)[0],
    ),
]
codecs = pytest.mark.parametrize(
    ("strategy", "encode", "decode"), [c[1:] for c in CODECS], ids=[c[0] for c in CODECS]
)


@codecs
@given(data=st.data())
def test_a_leaf_comes_back_as_it_went(
    strategy: Any, encode: Any, decode: Any, data: st.DataObject
) -> None:
    content = data.draw(strategy)
    leaf = encode(content)
    assert decode(leaf) == content
    assert len(leaf) != 64


@codecs
@given(data=st.data())
def test_other_bytes_are_the_same_leaf_never(
    strategy: Any, encode: Any, decode: Any, data: st.DataObject
) -> None:
    leaf = bytearray(encode(data.draw(strategy)))
    index = data.draw(st.integers(0, len(leaf) - 1))
    leaf[index] ^= data.draw(st.integers(1, 255))
    try:
        content = decode(bytes(leaf))
    except NotCanonical:
        return
    encoded = encode(content)
    if encode is not CODECS[4][2]:  # a market's roots are given from outside
        assert encoded == bytes(leaf)


@codecs
@given(data=st.data())
def test_a_spare_or_missing_byte_is_no_leaf(
    strategy: Any, encode: Any, decode: Any, data: st.DataObject
) -> None:
    leaf = encode(data.draw(strategy))
    for wrong in (leaf + b"\0", leaf[:-1], b"\0" + leaf):
        with pytest.raises(NotCanonical):
            decode(wrong)


@pytest.mark.parametrize(("encode", "decode"), [c[2:] for c in CODECS], ids=[c[0] for c in CODECS])
@given(data=st.binary(max_size=400))
def test_random_bytes_are_refused_or_canonical(encode: Any, decode: Any, data: bytes) -> None:
    try:
        content = decode(data)
    except NotCanonical:
        return
    assert content == ABSENT or len(encode(content)) == len(data)


def test_repeated_unordered_and_empty_entries_are_refused() -> None:
    one, two = Position(1, lots=5), Position(2, lots=5)
    for wrong in ((two, one), (one, one), (Position(1),)):
        leaf = encode_account(Account(owner=b"\1" * 20, positions=wrong))
        with pytest.raises(NotCanonical):
            decode_account(leaf)


@given(machines, hash32, st.builds(SavedRoots, hash32, hash32, hash32))
def test_a_machine_comes_back_as_it_went(machine: Machine, root: bytes, roots: SavedRoots) -> None:
    kept = roots if machine.saved is not None else SavedRoots()
    assert decode_machine(encode_machine(machine, root, kept)) == (machine, root, kept)


BAD_REGISTERS = [
    ("a phase there is not", OrderInProgress(phase=5), NO_BLOCK),
    ("an order that does nothing", OrderInProgress(account=1), NO_BLOCK),
    ("a block trade that does nothing", NO_ORDER, BlockInProgress(count=1)),
    ("a maker of no block trade", OrderInProgress(phase=1), BlockInProgress(maker=1)),
    ("a leg of no block trade", OrderInProgress(phase=1), BlockInProgress(legs=legs_of(Leg(1)))),
    ("a leg to come of none", OrderInProgress(phase=1), BlockInProgress(leg=1)),
    ("legs without a block trade", OrderInProgress(phase=4), NO_BLOCK),
    ("a block trade that matches", OrderInProgress(phase=2), BlockInProgress(count=1)),
    ("a block trade that cancels", OrderInProgress(phase=3), BlockInProgress(count=1)),
    ("five legs", OrderInProgress(phase=4), BlockInProgress(count=5)),
    ("a leg past the last", OrderInProgress(phase=4), BlockInProgress(leg=3, count=2)),
    (
        "a leg that does not count",
        OrderInProgress(phase=4),
        BlockInProgress(count=2, legs=legs_of(Leg(1), NO_LEG, Leg(2))),
    ),
]


@pytest.mark.parametrize(
    ("order", "block"), [row[1:] for row in BAD_REGISTERS], ids=[row[0] for row in BAD_REGISTERS]
)
def test_registers_that_no_step_leaves_are_refused(
    order: OrderInProgress, block: BlockInProgress
) -> None:
    data = encode_machine(Machine(order=order, block=block), bytes(32))
    with pytest.raises(NotCanonical):
        decode_machine(data)


@given(headers)
def test_a_header_comes_back_as_it_went(header: BatchHeader) -> None:
    data = encode_header(header)
    assert decode_header(data) == header
    assert len(data) == 148 + 66 * len(header.chunks)
    for wrong in (data + b"\0", data[:-1]):
        with pytest.raises(NotCanonical):
            decode_header(wrong)


@given(outputs)
def test_an_output_comes_back_as_it_went(output: Output) -> None:
    data = encode_output(output)
    assert decode_output(data) == output
    assert len(data) == 2 + 8 + 96 + 12 + 160
    for wrong in (data + b"\0", data[:-1]):
        with pytest.raises(NotCanonical):
            decode_output(wrong)


@given(st.data())
def test_every_row_is_one_transaction_and_back(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(Kind))
    row = data.draw(st.binary(min_size=ROW_WIDTHS[kind], max_size=ROW_WIDTHS[kind]))
    assert encode_transaction(decode_transaction(kind, row)) == (kind, row)


def test_the_largest_leaves_have_the_sizes_that_witnesses_reckon_with() -> None:
    full = Account(
        owner=b"\1" * 20,
        positions=tuple(Position(m, lots=1) for m in range(16)),
        orders=tuple(OrderReference(0, n, 0, 0, 0) for n in range(64)),
        keys=tuple(SessionKey(n, b"\1" * 20, 0, 0, 0) for n in range(4)),
    )
    assert len(encode_account(full)) == 93 + 16 * 66 + 64 * 23 + 4 * 42
