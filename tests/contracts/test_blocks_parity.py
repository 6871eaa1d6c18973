"""Block trades on L1: every refusal of ADMIT, LEG and SETTLE, and what Python writes otherwise."""

from collections.abc import Callable
from typing import Any

import pytest
from block_world import (
    AROUND,
    VALUE,
    block,
    change_account,
    change_market,
    change_row,
    leg,
    signed,
)
from builders import FAR, NOW, Venue, key, listing, sign_transaction
from evm_engines import Engine, Pyrevm, Reverted
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from recorded_steps import recorded_steps
from step_contracts import Case, RecordedVenue, Rules, recorded_case

from state.accounts import PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE, Position, SessionKey
from state.eip712 import domain
from state.legs import Leg, legs_of
from state.limits import ACCOUNT_POSITIONS_MAX, BLOCK_STEPS_MAX, CASH_MAX, LOTS_MAX, TICKS_MAX
from state.machine import Phase
from state.markets import Mode, Tier
from state.orders import BUY, SELL
from state.status import Status
from state.steps import Step
from state.transactions import BlockTrade, Cancel
from state.transactions.kinds import Kind

ALICE, BOB = 1 << 8, 2 << 8
PHASE = 20, 0
"""Where a case's machine has the phase of what is in progress."""


@pytest.fixture(scope="module")
def blocks() -> Rules:
    """The contract, on the quicker engine."""
    return Rules(Pyrevm(), "blocks")


def block_venue(dollars: int = 10_000, **options: Any) -> RecordedVenue:
    """Alice and bob, with as many dollars each, and four markets."""
    markets = tuple(listing(number, symbol=b"M%d-USD-PERP" % number) for number in range(4))
    venue = RecordedVenue(markets=options.pop("markets", markets), **options)
    for name in ("alice", "bob"):
        venue.open(name, dollars)
    return venue


def is_block(case: Case) -> bool:
    """Whether the step is one that this contract takes."""
    if case.step == Step.TRANSACTION:
        return case.given[0] == Kind.BLOCK_TRADE
    return case.step == Step.ORDER and case.machine[PHASE[0]][PHASE[1]] == Phase.LEG


def outcome(blocks: Rules, venue: RecordedVenue, tx: BlockTrade, signature: bytes) -> Status:
    """How the trade ended, each of its steps held against the contract."""
    first = len(venue.cases)
    status = venue.run(tx, signature).status
    for case in filter(is_block, venue.cases[first:]):
        blocks.check(case)
    return status


def traded(blocks: Rules, venue: RecordedVenue, *legs: Leg, **changed: Any) -> Status:
    """Agreed on and signed by alice and bob."""
    tx = block(venue, *legs, **changed)
    return outcome(blocks, venue, tx, signed(tx))


# --- ADMIT ---

FOUR = legs_of(*(leg(market=market) for market in range(4)))


@pytest.mark.parametrize(
    "changed",
    [
        {"count": 0, "legs": legs_of()},
        {"count": 0},
        {"count": 5, "legs": FOUR},
        {"count": 255, "legs": FOUR},
        {"legs": legs_of(leg(), leg(market=1))},
        {"legs": (leg(), Leg(), Leg(), Leg(ticks=1))},
        {"legs": (leg(), Leg(), Leg(lots=1), Leg())},
        {"legs": (leg(), Leg(market=1), Leg(), Leg())},
        {"legs": (leg(), Leg(taker_side=1), Leg(), Leg())},
        {"count": 2, "legs": legs_of(leg(), leg())},
        {"count": 2, "legs": legs_of(leg(market=2), leg(market=1))},
        {"count": 3, "legs": legs_of(leg(), leg(market=2), leg(market=1))},
        {"legs": legs_of(leg(2))},
        {"count": 2, "legs": legs_of(leg(), leg(255, market=1))},
    ],
    ids=str,
)
def test_a_trade_of_no_form_is_malformed(blocks: Rules, changed: dict[str, Any]) -> None:
    assert traded(blocks, block_venue(), leg(), **changed) == Status.MALFORMED


@pytest.mark.parametrize("more", range(3))
def test_the_longest_trade_and_halt_must_fit_the_budget(blocks: Rules, more: int) -> None:
    venue = block_venue()
    venue.state.machine.steps_left = BLOCK_STEPS_MAX + more
    assert traded(blocks, venue, leg(2)) == (Status.MALFORMED if more else Status.OUT_OF_STEPS)


Signature = Callable[[BlockTrade], bytes]

SIGNATURES: list[tuple[str, Signature]] = [
    ("swapped", lambda tx: sign_transaction(tx, key("bob"), taker=key("alice"))),
    ("the maker's twice", lambda tx: sign_transaction(tx, key("alice"))),
    ("the taker's twice", lambda tx: sign_transaction(tx, key("bob"))),
    ("no maker's", lambda tx: bytes(64) + signed(tx)[64:]),
    ("no taker's", lambda tx: signed(tx)[:64] + bytes(64)),
    ("ones", lambda _: b"\xff" * 128),
    ("over another leg", lambda tx: signed(replace(tx, legs=legs_of(leg(SELL))))),
    ("over another expiry", lambda tx: signed(replace(tx, expiry=FAR - 1))),
    (
        "of another venue",
        lambda tx: sign_transaction(tx, key("alice"), domain(1, bytes(20)), taker=key("bob")),
    ),
]


@pytest.mark.parametrize("sign", [row[1] for row in SIGNATURES], ids=[row[0] for row in SIGNATURES])
def test_unless_both_signed_it_it_is_nobodys(blocks: Rules, sign: Signature) -> None:
    venue = block_venue()
    tx = block(venue, leg())
    assert outcome(blocks, venue, tx, sign(tx)) == Status.BAD_SIGNATURE


@pytest.mark.parametrize("side", ["maker", "taker"])
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"": 99 << 8}, Status.UNKNOWN_ACCOUNT),
        ({"": 2**32 - 1}, Status.UNKNOWN_ACCOUNT),
        ({"_epoch": 1}, Status.UNKNOWN_KEY),
        ({"_epoch": 2**32 - 1}, Status.UNKNOWN_KEY),
        ({"_sequence": 0}, Status.SEQUENCE_USED),
        ({"_sequence": 2**64 - 1}, Status.OK),
    ],
    ids=str,
)
def test_either_party_is_looked_up(
    blocks: Rules, side: str, changed: dict[str, int], status: Status
) -> None:
    fields = {side + name: value for name, value in changed.items()}
    assert traded(blocks, block_venue(), leg(), **fields) == status


def test_a_number_is_used_once_and_below_the_floor_never(blocks: Rules) -> None:
    venue = block_venue()
    tx = block(venue, leg())
    assert outcome(blocks, venue, tx, signed(tx)) == Status.OK
    assert outcome(blocks, venue, tx, signed(tx)) == Status.SEQUENCE_USED
    late = replace(block(venue, leg()), taker_sequence=tx.taker_sequence)
    assert outcome(blocks, venue, late, signed(late)) == Status.SEQUENCE_USED
    tx = block(venue, leg())
    change_account(venue, "bob", sequence_floor=tx.taker_sequence)
    assert outcome(blocks, venue, tx, signed(tx)) == Status.SEQUENCE_USED


def delegate(venue: Venue, name: str, permissions: int, expiry: int = FAR) -> None:
    """A session key of epoch 2 among others."""
    keys = tuple(
        SessionKey(epoch, key(f"{name} {epoch}").address, 0, expiry, permissions)
        for epoch in (1, 2, 3)
    )
    change_account(venue, name, key_epoch=3, keys=keys)


@pytest.mark.parametrize("name", ["alice", "bob"])
@pytest.mark.parametrize(
    ("permissions", "expiry", "status"),
    [
        (PERMIT_BLOCK, FAR, Status.OK),
        (PERMIT_BLOCK, NOW + 3, Status.OK),
        (PERMIT_BLOCK, NOW - 1, Status.NOT_PERMITTED),
        (PERMIT_TRADE | PERMIT_CANCEL, FAR, Status.NOT_PERMITTED),
        (0xFFFF, FAR, Status.OK),
        (0, FAR, Status.NOT_PERMITTED),
    ],
)
def test_a_session_key_of_either_needs_a_permission_of_its_own(
    blocks: Rules, name: str, permissions: int, expiry: int, status: Status
) -> None:
    venue = block_venue()
    delegate(venue, name, permissions, expiry)
    side = "maker" if name == "alice" else "taker"
    tx = block(venue, leg(), **{f"{side}_epoch": 2})
    signature = signed(tx, **{side: key(f"{name} 2")})
    assert outcome(blocks, venue, tx, signature) == status


def test_an_account_on_both_sides_consumes_one_number_after_the_other(blocks: Rules) -> None:
    venue, alice = block_venue(), key("alice")
    delegate(venue, "alice", 0)
    late = {"taker": ALICE, "expiry": NOW - 1}
    for changed, status in (
        ({"taker": ALICE, "maker_sequence": 41, "taker_sequence": 41}, Status.SEQUENCE_USED),
        ({"taker": ALICE, "maker_sequence": 41, "taker_sequence": 42}, Status.SAME_ACCOUNT),
        ({**late, "maker_sequence": 43, "taker_sequence": 44}, Status.EXPIRED),
    ):
        tx = block(venue, leg(), **changed)
        assert outcome(blocks, venue, tx, signed(tx, taker=alice)) == status
    numbers = {"maker_sequence": 50, "taker_sequence": 3}
    tx = block(venue, leg(), taker=ALICE, taker_epoch=2, **numbers)
    signature = signed(tx, taker=key("alice 2"))
    assert outcome(blocks, venue, tx, signature) == Status.NOT_PERMITTED
    tx = block(venue, leg(), taker=ALICE, maker_epoch=2, maker_sequence=4, taker_sequence=51)
    signature = sign_transaction(tx, key("alice 2"), taker=alice)
    assert outcome(blocks, venue, tx, signature) == Status.NOT_PERMITTED


@pytest.mark.parametrize("late", [0, 1])
def test_a_trade_is_valid_up_to_its_expiry(blocks: Rules, late: int) -> None:
    venue = block_venue()
    expiry = venue.state.machine.time - late
    assert traded(blocks, venue, leg(), expiry=expiry) == (Status.EXPIRED if late else Status.OK)


# --- LEG ---

Fault = Callable[[Venue, Leg], Leg]


def fault(change: Callable[..., None], *where: Any, **changed: Any) -> Fault:
    """Changes the venue, and not what is traded."""

    def apply(venue: Venue, wanted: Leg) -> Leg:
        change(venue, *where, **changed)
        return wanted

    return apply


CROWD = tuple(Position(100 + at, lots=1) for at in range(ACCOUNT_POSITIONS_MAX))

# In the order of the checks: the faults of a row and of all below it are there at once.
FAULTS: list[tuple[Status, Fault]] = [
    (Status.UNKNOWN_MARKET, lambda _, wanted: replace(wanted, market=9)),
    (Status.MARKET_CLOSED, fault(change_row, mode=Mode.HALTED)),
    (Status.PRICE_OUT_OF_BAND, lambda _, wanted: replace(wanted, ticks=0)),
    (Status.LOTS_OUT_OF_RANGE, lambda _, wanted: replace(wanted, lots=0)),
    (Status.NOTIONAL_TOO_SMALL, fault(change_market, min_notional=10 * VALUE + 1)),
    (Status.TOO_MANY_POSITIONS, fault(change_account, "bob", positions=CROWD)),
    (Status.OPEN_INTEREST_TOO_LARGE, fault(change_market, open_interest_max=9)),
    (Status.POSITION_TOO_LARGE, fault(change_market, position_max=9)),
    (Status.TAKER_MARGIN_TOO_LOW, fault(change_account, "bob", cash=0)),
    (Status.MAKER_MARGIN_TOO_LOW, fault(change_account, "alice", cash=0)),
]


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("first", range(len(FAULTS)), ids=[status.name for status, _ in FAULTS])
def test_the_first_fault_of_a_leg_is_the_answer(blocks: Rules, first: int, side: int) -> None:
    venue = block_venue()
    wanted = leg(side)
    for _, apply in FAULTS[first:]:
        wanted = apply(venue, wanted)
    assert traded(blocks, venue, wanted) == FAULTS[first][0]


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_either_party_needs_a_slot(blocks: Rules, name: str) -> None:
    venue = block_venue()
    change_account(venue, name, positions=CROWD)
    change_market(venue, open_interest_max=1)
    assert traded(blocks, venue, leg()) == Status.TOO_MANY_POSITIONS
    held = (Position(0, bid_lots=3), *CROWD[1:])
    change_account(venue, name, positions=held)
    assert traded(blocks, venue, leg()) == Status.OPEN_INTEREST_TOO_LARGE


@pytest.mark.parametrize(
    "changed",
    [
        {"mark": 0},
        {"time": NOW - 3_601},
        {"time": NOW - 3_500},
        *({"mode": mode} for mode in Mode),
    ],
    ids=str,
)
def test_a_leg_needs_a_live_market_with_a_fresh_mark(
    blocks: Rules, changed: dict[str, Any]
) -> None:
    venue = block_venue()
    change_row(venue, 1, **changed)
    is_open = changed in ({"time": NOW - 3_500}, {"mode": Mode.LIVE})
    expected = Status.OK if is_open else Status.MARKET_CLOSED
    assert traded(blocks, venue, leg(), leg(market=1)) == expected


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("mark", "lowest", "highest"),
    [(50_000_000, 450_000, 550_000), (50_000_050, 450_001, 550_000), (100, 1, 1)],
)
def test_the_price_is_inside_the_band(
    blocks: Rules, side: int, mark: int, lowest: int, highest: int
) -> None:
    venue = block_venue()
    change_row(venue, mark=mark)
    for ticks in (lowest, highest):
        assert traded(blocks, venue, leg(side, ticks=ticks)) == Status.OK
    for ticks in (lowest - 1, highest + 1, TICKS_MAX):
        assert traded(blocks, venue, leg(side, ticks=ticks)) == Status.PRICE_OUT_OF_BAND


def test_a_band_that_no_price_reaches_takes_no_trade(blocks: Rules) -> None:
    venue = block_venue(markets=(listing(tick=1),), mark=2 * TICKS_MAX)
    assert traded(blocks, venue, leg(ticks=TICKS_MAX)) == Status.PRICE_OUT_OF_BAND


@pytest.mark.parametrize("name", ["alice", "bob"])
@pytest.mark.parametrize("over", [0, 1])
def test_no_cash_of_either_passes_its_bound(blocks: Rules, name: str, over: int) -> None:
    venue = block_venue()
    rate, side = (100, BUY) if name == "alice" else (500, SELL)
    change_account(venue, name, cash=CASH_MAX - 10 * VALUE + 10 * VALUE * rate // 10**6 + over)
    expected = Status.POSITION_TOO_LARGE if over else Status.OK
    assert traded(blocks, venue, leg(side)) == expected


def test_a_position_shrinks_turns_round_and_closes_under_its_limits(blocks: Rules) -> None:
    venue = block_venue()
    for market in range(2):
        change_row(
            venue,
            market,
            long=replace(venue.state.rows[market].long, a=5, k=-(2**90), f=7),
            short=replace(venue.state.rows[market].short, a=6, k=2**90, f=-7),
        )
    assert traded(blocks, venue, leg(BUY, 10), leg(SELL, 3, market=1)) == Status.OK
    change_market(venue, position_max=10, open_interest_max=5)
    steps = [
        (leg(BUY, 1), Status.OPEN_INTEREST_TOO_LARGE),
        (leg(SELL, 21), Status.OPEN_INTEREST_TOO_LARGE),
        (leg(SELL, 20), Status.OK),
        (leg(BUY, 4), Status.OK),
        (leg(BUY, 6), Status.OK),
        (leg(BUY, LOTS_MAX), Status.OPEN_INTEREST_TOO_LARGE),
    ]
    for wanted, status in steps:
        assert traded(blocks, venue, wanted) == status
    assert (venue.lots("alice"), venue.lots("bob")) == (0, 0)


# --- SETTLE ---


@pytest.mark.parametrize("count", range(1, 5))
def test_of_one_to_four_legs_the_last_refusal_restores_them_all(blocks: Rules, count: int) -> None:
    venue = block_venue()
    legs = [leg(market % 2, 10 + market, AROUND - market, market) for market in range(count)]
    assert traded(blocks, venue, *legs) == Status.OK
    for last, status in (
        (leg(lots=0, market=3), Status.LOTS_OUT_OF_RANGE),
        (leg(lots=10**8, market=3), Status.TAKER_MARGIN_TOO_LOW),
        (leg(market=77), Status.UNKNOWN_MARKET),
    ):
        assert traded(blocks, venue, *legs[:3], last) == status


@pytest.mark.parametrize("name", ["alice", "bob"])
@pytest.mark.parametrize(
    "changed",
    [{"slow_mark": 1}, {"slow_mark": 2**50}, {"time": NOW - 9_000}, {"mode": Mode.HALTED}],
    ids=str,
)
def test_a_mark_elsewhere_unsettles_either_party(
    blocks: Rules, name: str, changed: dict[str, Any]
) -> None:
    venue = block_venue(100)
    venue.open("carol", 10_000)
    maker, taker = ("carol", name) if name == "bob" else (name, "carol")
    parties = {"maker": venue.numbers[maker] << 8, "taker": venue.numbers[taker] << 8}
    keys = {"maker": key(maker), "taker": key(taker)}
    for market, side in ((2, BUY), (3, SELL)):
        tx = block(venue, leg(side, market=market), **parties)
        assert outcome(blocks, venue, tx, signed(tx, **keys)) == Status.OK
    for market in (2, 3):
        change_row(venue, market, **changed)
    tx = block(venue, leg(market=1))
    refused = outcome(blocks, venue, tx, signed(tx))
    is_taker = name == "bob"
    expected = Status.TAKER_MARGIN_TOO_LOW if is_taker else Status.MAKER_MARGIN_TOO_LOW
    assert refused == (Status.OK if changed == {"slow_mark": 1} else expected)


@settings(deadline=None)
@given(
    cash=st.integers(-(10**10), 10**11),
    slow=st.integers(1, 10**8),
    scale=st.integers(0, 10**12),
    lots=st.lists(st.integers(1, 10**4), min_size=2, max_size=2),
    sides=st.lists(st.sampled_from((BUY, SELL)), min_size=2, max_size=2),
)
def test_margin_in_the_end_is_judged_alike(
    blocks: Rules, cash: int, slow: int, scale: int, lots: list[int], sides: list[int]
) -> None:
    venue = block_venue()
    venue.open("carol", 100)
    for name in ("alice", "bob"):
        change_account(venue, name, cash=cash)
    tiers = (Tier(0, 50_000, 30_000), Tier(10**9, 90_000, 60_000))
    change_row(venue, 0, slow_mark=slow, tiers=tiers, interest_upper=scale)
    legs = [leg(sides[at], lots[at], market=at) for at in range(2)]
    traded(blocks, venue, *legs)


# --- what proves nothing, both engines, and histories ---


def test_without_what_python_reads_nothing_is_said_about_a_trade(blocks: Rules) -> None:
    venue = block_venue()
    assert traded(blocks, venue, leg(), leg(market=1)) == Status.OK
    for case, reason in zip(
        filter(is_block, venue.cases),
        ("account missing", "market missing", "market missing", "account missing"),
        strict=True,
    ):
        with pytest.raises(Reverted, match=reason):
            blocks.apply(replace(case, leaves=bytes(5)))


def test_registers_that_no_admit_fills_prove_nothing(blocks: Rules) -> None:
    venue = block_venue()
    assert traded(blocks, venue, leg()) == Status.OK
    case = next(case for case in venue.cases if case.step == Step.ORDER and is_block(case))
    order, registers = case.machine[20:22]
    one_party = (ALICE, *registers[1:])
    assert order[1] == BOB and registers[0] == ALICE
    no_side = (*registers[:5], ((0, 2, AROUND, 10), *registers[5][1:]))
    for changed in ((BOB, *one_party[1:]), no_side):
        machine = (*case.machine[:21], changed, *case.machine[22:])
        with pytest.raises(Reverted, match="block: no ADMIT leads here"):
            blocks.apply(replace(case, machine=machine))


def test_another_kind_is_none_of_this_contract(blocks: Rules) -> None:
    venue = block_venue()
    venue.run(Cancel(ALICE, 0, 1, 0, 1, FAR), bytes(64))
    with pytest.raises(Reverted, match="blocks: no block trade"):
        blocks.apply(venue.cases[-1])


def test_both_engines_run_it_alike(engine: Engine) -> None:
    blocks = Rules(engine, "blocks")
    venue = block_venue()
    assert traded(blocks, venue, leg(), leg(SELL, market=1)) == Status.OK
    assert traded(blocks, venue, leg(lots=10**8)) == Status.TAKER_MARGIN_TOO_LOW


def test_over_a_random_history_every_block_trade_is_as_in_python(blocks: Rules) -> None:
    seen = []
    for recorded in recorded_steps(seed=4, transactions=300):
        if recorded.step in (Step.TRANSACTION, Step.ORDER):
            case = recorded_case(recorded)
            if is_block(case):
                blocks.check(case)
                seen.append((case.step, Status(case.status)))
    assert len(set(seen)) > 3, set(seen)
