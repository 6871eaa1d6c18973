"""Leaves on L1 are taken apart, changed and put together as in Python, over all widths."""

from collections.abc import Callable
from typing import Any

import leaf_strategies as drawn
import pytest
from evm_engines import Reverted
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_contract import harness
from msgspec import Struct
from msgspec.structs import astuple, replace
from step_contracts import words

from state.accounts import (
    Account,
    OrderReference,
    Position,
    SessionKey,
    encode_account,
    handed_to,
    last_sequence,
    with_order,
    with_position,
    with_sequence,
    without_key,
    without_order,
)
from state.limits import ACCOUNT_KEYS_MAX, ACCOUNT_ORDERS_MAX, ACCOUNT_POSITIONS_MAX
from state.machine import NO_ROOTS, Machine, SavedRoots, decode_machine, encode_machine
from state.markets import BoardRow, Market, encode_board_row, encode_market
from state.orders import RestingOrder, encode_order
from state.packing import NotCanonical

BIDS, ASKS = b"\1" * 32, b"\2" * 32
DECISIVE = (0, 323, 389, 390, 439)
"""Where a machine has its domain, phase, leg, legs and whether something is saved."""

FAST = settings(max_examples=40, deadline=None)


def call(name: str, *given: object) -> Any:
    found = harness("account_changes").call(name, *given)
    return found[0] if len(found) == 1 else found


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


# --- there and back ---


def head_words(a: Account) -> tuple[Any, ...]:
    return (
        *(1, number(a.owner), a.owner_sequence, a.sequence_floor, a.key_epoch, a.cash),
        *(a.liquidation_stage, a.liquidation_since, a.window_start, a.window_withdrawn),
    )


def market_words(m: Market) -> tuple[Any, ...]:
    return (
        *(2, m.market, m.kind, m.lot_exponent, number(m.symbol), m.tick, m.min_notional),
        *(m.order_lots_max, m.band, m.taker_fee, m.maker_fee, m.order_life_max),
        *(m.open_interest_max, m.position_max, BIDS, ASKS, m.next_order, m.quorum, m.families),
        *(m.deviation, m.price_step, m.premium_sum, m.premium_samples, m.sampled_at, m.basis),
        *(m.interest, m.damp, m.funding_cap, m.liquidation_fee, m.insurance, m.pool),
        *(m.bad_debt, m.dust, m.expiry, m.settlement),
    )


def row_words(r: BoardRow) -> tuple[Any, ...]:
    tiers = [astuple(tier) for tier in r.tiers]
    return (
        *(3, r.market, int(r.mode), r.mark, r.slow_mark, r.index, r.time, r.price_age_max),
        *(astuple(r.long), astuple(r.short), r.close_out, r.interest_lower, r.interest_upper),
        *(len(tiers), (*tiers, *[(0, 0, 0)] * (4 - len(tiers)))),
    )


def order_words(o: RestingOrder) -> tuple[Any, ...]:
    return 4, o.account, o.epoch, o.sequence, o.lots, o.expiry, o.flags


CODECS: list[tuple[str, Any, Callable[[Any], bytes], Callable[[Any], tuple[Any, ...]]]] = [
    ("account", drawn.accounts, encode_account, head_words),
    ("market", drawn.markets, lambda m: encode_market(m, BIDS, ASKS), market_words),
    ("board_row", drawn.rows, encode_board_row, row_words),
    ("order", drawn.orders, encode_order, order_words),
]


@pytest.mark.parametrize(
    ("name", "strategy", "encode_leaf", "fields"), CODECS, ids=[codec[0] for codec in CODECS]
)
@FAST
@given(data=st.data())
def test_a_leaf_has_the_fields_of_python_and_comes_back_as_it_went(
    name: str, strategy: Any, encode_leaf: Any, fields: Any, data: st.DataObject
) -> None:
    content = data.draw(strategy)
    leaf = encode_leaf(content)
    assert harness("leaf_codecs").call(name, leaf) == (fields(content), leaf)


@pytest.mark.parametrize("name", ["market", "board_row", "order"])
def test_what_is_absent_has_no_field_and_no_leaf(name: str) -> None:
    found, leaf = harness("leaf_codecs").call(name, b"")
    assert found[0] == 0 and leaf == b""


@FAST
@given(drawn.machines, st.builds(SavedRoots, drawn.hash32, drawn.hash32, drawn.hash32))
def test_a_machine_has_the_words_of_python_and_comes_back(m: Machine, kept: SavedRoots) -> None:
    roots = NO_ROOTS if m.saved is None else kept
    data = encode_machine(m, BIDS, roots)
    assert harness("leaf_codecs").call("machine_of", data) == (words(m, BIDS, roots), data)


@FAST
@given(drawn.machines, st.data())
def test_the_bytes_of_no_machine_are_refused_by_both(m: Machine, data: st.DataObject) -> None:
    """What Python takes, the contract takes, and gives back; what Python refuses, it reverts."""
    forged = bytearray(encode_machine(m, BIDS, NO_ROOTS if m.saved is None else SavedRoots()))
    index = data.draw(st.sampled_from(DECISIVE) | st.integers(323, len(forged) - 1))
    forged[index] ^= data.draw(st.sampled_from([1, 2, 3]) | st.integers(1, 255))
    try:
        decode_machine(bytes(forged))
    except NotCanonical:
        with pytest.raises(Reverted):
            harness("leaf_codecs").call("machine_of", bytes(forged))
    else:
        assert harness("leaf_codecs").call("machine_of", bytes(forged))[1] == bytes(forged)


@pytest.mark.parametrize("index", DECISIVE)
def test_a_machine_of_no_batch_decides_nothing(index: int) -> None:
    forged = bytearray(encode_machine(Machine(), BIDS, NO_ROOTS))
    forged[index] = 5
    with pytest.raises(NotCanonical):
        decode_machine(bytes(forged))
    with pytest.raises(Reverted):
        harness("leaf_codecs").call("machine_of", bytes(forged))


# --- accounts ---


def names_of(account: Account) -> st.SearchStrategy[tuple[int, int]]:
    """An order that rests, or hardly differs from one, or any."""
    held = [(o.epoch, o.sequence) for o in account.orders]
    near = [(epoch, sequence ^ 1) for epoch, sequence in held]
    some = [*held, *near, (0, 0), (2**32 - 1, 2**64 - 1)]
    return st.sampled_from(some) | st.tuples(drawn.unsigned(32), drawn.unsigned(64))


def epochs_of(account: Account) -> st.SearchStrategy[int]:
    return st.sampled_from([0, 1, account.key_epoch, *(k.epoch for k in account.keys)])


def full() -> Account:
    """As many positions, orders and keys as an account may have."""
    most = 2**64 - 1
    return Account(
        owner=b"\xff" * 20,
        key_epoch=2**32 - 1,
        cash=-(2**127),
        positions=tuple(
            Position(2**16 - 32 + 2 * at, -(2**63), most, most, most, 2**127 - 1, -(2**127))
            for at in range(ACCOUNT_POSITIONS_MAX)
        ),
        orders=tuple(
            OrderReference(2**32 - 1, most - 128 + 2 * at, 2**16 - 1, 1, most)
            for at in range(ACCOUNT_ORDERS_MAX)
        ),
        keys=tuple(
            SessionKey(2**32 - 8 + 2 * at, b"\xff" * 20, most, most, 2**16 - 1)
            for at in range(ACCOUNT_KEYS_MAX)
        ),
    )


accounts = st.just(full()) | drawn.accounts


def answered(found: Struct | None, empty: tuple[Any, ...]) -> tuple[bool, tuple[Any, ...]]:
    """Whether it is there and its words; an address is a number."""
    if found is None:
        return False, empty
    fields = (number(f) if isinstance(f, bytes) else f for f in astuple(found))
    return True, tuple(fields)


@FAST
@given(accounts, st.data())
def test_positions_are_found_replaced_added_and_removed_alike(
    account: Account, data: st.DataObject
) -> None:
    leaf, held = encode_account(account), [p.market for p in account.positions]
    market = data.draw(st.sampled_from([*held, 0]) | drawn.unsigned(16))
    begins = (market, *astuple(Position(market))[1:])
    found = account.position(market)
    assert call("position", leaf, market) == (found is not None, answered(found, begins)[1])
    changed = replace(data.draw(drawn.positions | st.just(Position(0))), market=market)
    if market in held or len(held) < ACCOUNT_POSITIONS_MAX or changed.is_empty:
        after = encode_account(with_position(account, changed))
        assert call("with_position", leaf, astuple(changed)) == after


@FAST
@given(accounts, st.data())
def test_orders_are_found_added_and_removed_alike(account: Account, data: st.DataObject) -> None:
    leaf, name = encode_account(account), data.draw(names_of(account))
    found = account.order(*name)
    assert call("order", leaf, *name) == answered(found, (0,) * 5)
    assert call("without_order", leaf, *name) == encode_account(without_order(account, *name))
    if found is None and len(account.orders) < ACCOUNT_ORDERS_MAX:
        side, key = data.draw(st.integers(0, 1)), data.draw(drawn.unsigned(64))
        reference = OrderReference(*name, data.draw(drawn.unsigned(16)), side, key)
        after = encode_account(with_order(account, reference))
        assert call("with_order", leaf, astuple(reference)) == after


def test_there_is_no_place_past_the_last() -> None:
    leaf = encode_account(full())
    with pytest.raises(Reverted):
        call("with_position", leaf, astuple(Position(1, 1)))
    with pytest.raises(Reverted):
        call("with_order", leaf, astuple(OrderReference(0, 1, 0, 0, 0)))


@FAST
@given(accounts, st.data())
def test_keys_and_their_numbers_are_found_and_changed_alike(
    account: Account, data: st.DataObject
) -> None:
    leaf, epoch = encode_account(account), data.draw(epochs_of(account))
    assert call("key", leaf, epoch) == answered(account.key(epoch), (0,) * 5)
    assert call("without_key", leaf, epoch) == encode_account(without_key(account, epoch))
    assert call("last_sequence", leaf, epoch) == last_sequence(account, epoch)
    sequence = data.draw(drawn.unsigned(64))
    after = encode_account(with_sequence(account, epoch, sequence))
    assert call("with_sequence", leaf, epoch, sequence) == after


@FAST
@given(accounts | st.just(Account(owner=bytes(20))), drawn.address.filter(any), st.booleans())
def test_an_account_is_handed_over_alike(account: Account, other: bytes, to_own: bool) -> None:
    leaf, owner = encode_account(account), account.owner if to_own else other
    if any(owner):
        assert call("handed_to", leaf, number(owner)) == encode_account(handed_to(account, owner))
