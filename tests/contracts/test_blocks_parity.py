"""Block trades on L1: every refusal of ADMIT, and what proves nothing about any step."""

from collections.abc import Callable
from typing import Any

import pytest
from block_contracts import block_venue, is_block, outcome, traded
from block_world import (
    AROUND,
    block,
    change_account,
    leg,
    signed,
)
from builders import FAR, NOW, Venue, key, sign_transaction
from evm_engines import Engine, Pyrevm, Reverted
from msgspec.structs import replace
from recorded_steps import recorded_steps
from step_contracts import Rules, recorded_case

from state.accounts import PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE, SessionKey
from state.eip712 import domain
from state.legs import Leg, legs_of
from state.limits import BLOCK_STEPS_MAX
from state.orders import SELL
from state.status import Status
from state.steps import Step
from state.transactions import BlockTrade, Cancel

ALICE, BOB = 1 << 8, 2 << 8


@pytest.fixture(scope="module")
def blocks() -> Rules:
    """The contract, on the quicker engine."""
    return Rules(Pyrevm(), "blocks")


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


def test_the_party_with_the_higher_number_may_make(blocks: Rules) -> None:
    venue = block_venue()
    tx = block(venue, leg(), leg(SELL, market=1), maker=BOB, taker=ALICE)
    assert outcome(blocks, venue, tx, signed(tx, maker=key("bob"), taker=key("alice"))) == Status.OK
    tx = block(venue, leg(lots=10**8), maker=BOB, taker=ALICE)
    refused = outcome(blocks, venue, tx, signed(tx, maker=key("bob"), taker=key("alice")))
    assert refused == Status.TAKER_MARGIN_TOO_LOW


@pytest.mark.parametrize("late", [0, 1])
def test_a_trade_is_valid_up_to_its_expiry(blocks: Rules, late: int) -> None:
    venue = block_venue()
    expiry = venue.state.machine.time - late
    assert traded(blocks, venue, leg(), expiry=expiry) == (Status.EXPIRED if late else Status.OK)


# --- what proves nothing, both engines, and histories ---


def test_without_what_python_reads_nothing_is_said_about_a_trade(blocks: Rules) -> None:
    venue = block_venue()
    assert traded(blocks, venue, leg(), leg(market=1)) == Status.OK
    for case, reason in zip(
        filter(is_block, venue.cases),
        ("leaf missing", "leaf missing", "leaf missing", "leaf missing"),
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
    bob = key("bob").address
    assert case.leaves.count(bob) == 1
    with pytest.raises(Reverted, match="block: no ADMIT leads here"):
        blocks.apply(replace(case, leaves=case.leaves.replace(bob, bytes(20))))


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
