"""Sets of parameters: what is refused, and the bounds they give."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from prover.dispute import payments
from prover.dispute.terms import (
    CLAIM_SECONDS,
    FAST,
    MAINNET_LIKE,
    TRACE_SECONDS,
    SettlementTerms,
    dispute_seconds,
    faults,
    honest_gas,
    honest_moves,
    match_seconds,
)

ROOT = Path(__file__).parents[3]
PAYMENTS = ROOT / "contracts" / "payments.vy"
PAGE = ROOT / "docs" / "disputes.md"


def changed(**values: int) -> SettlementTerms:
    """The fast terms with some of either kind changed."""
    own = {name: value for name, value in values.items() if name in FAST.__struct_fields__}
    rest = {name: value for name, value in values.items() if name not in own}
    return replace(FAST, dispute=replace(FAST.dispute, **rest), **own)


@pytest.mark.parametrize("terms", [FAST, MAINNET_LIKE])
def test_both_sets_hold_together(terms: SettlementTerms) -> None:
    assert faults(terms) == []


LEAST_BOND = payments.dearest_match(16, FAST.dispute.base_fee_cap)
LEAST_CLAIM_BOND = (payments.ENTER_GAS + payments.REJECT_GAS) * FAST.dispute.base_fee_cap


@pytest.mark.parametrize(
    ("least", "too_little", "told"),
    [
        ({"height": 16}, {"height": 15}, "height 15 is not 16"),
        ({"move_time": TRACE_SECONDS + 1}, {"move_time": TRACE_SECONDS}, "move_time 60 s is not"),
        ({"clock": 70}, {"clock": 69}, "clock 69 s is below move_time 70 s"),
        ({"entry_window": 78}, {"entry_window": 77}, "entry_window 77 s leaves 69 s"),
        (
            {"claim_window": CLAIM_SECONDS + 1},
            {"claim_window": CLAIM_SECONDS},
            "claim_window 6 s is not above the 6 s",
        ),
        ({"base_fee_cap": 1}, {"base_fee_cap": 0}, "base_fee_cap is zero"),
        ({"entry_bond": LEAST_BOND}, {"entry_bond": LEAST_BOND - 1}, "the dearest match"),
        (
            {"claim_bond": LEAST_CLAIM_BOND},
            {"claim_bond": LEAST_CLAIM_BOND - 1},
            "does not pay for its rejection",
        ),
        (
            {"retention": dispute_seconds(FAST.dispute, 2**16)},
            {"retention": dispute_seconds(FAST.dispute, 2**16) - 1},
            "outlasts",
        ),
    ],
)
def test_each_rule_is_told_alone_one_below_its_least(
    least: dict[str, int], too_little: dict[str, int], told: str
) -> None:
    assert faults(changed(**least)) == []
    (fault,) = faults(changed(**too_little))
    assert told in fault


def test_publishing_traces_makes_the_claim_bond_dearer() -> None:
    roots = 1_000
    needed = LEAST_CLAIM_BOND + roots * payments.LEAF_GAS * FAST.dispute.base_fee_cap
    assert faults(changed(published_steps=roots, claim_bond=needed)) == []
    assert faults(changed(published_steps=roots, claim_bond=needed - 1)) != []


def test_a_match_takes_two_clocks_and_a_move_time_for_each_move_and_two_for_its_end() -> None:
    assert match_seconds(FAST.dispute) == 2 * 120 + 18 * 70
    assert honest_moves(FAST.dispute) == 9


@pytest.mark.parametrize(
    ("entries", "rounds"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (16, 4), (17, 5)]
)
def test_twice_the_liars_are_one_match_more(entries: int, rounds: int) -> None:
    beyond = dispute_seconds(FAST.dispute, entries) - FAST.dispute.entry_window
    assert beyond == rounds * match_seconds(FAST.dispute)


def test_each_further_entry_costs_the_honest_one_a_match_at_most() -> None:
    alone, against_one, against_two = (honest_gas(FAST.dispute, count) for count in (1, 2, 3))
    assert alone == payments.ENTER_GAS
    assert against_two - against_one == against_one - alone
    assert against_one - alone == 8 * 150_000 + 4_500_000 + payments.COLLECT_GAS


def test_the_table_of_gas_is_the_contracts() -> None:
    table = dict(
        re.findall(r"^(\w+_GAS): constant\(uint256\) = ([\d_]+)", PAYMENTS.read_text(), re.M)
    )
    assert len(table) == 7
    for name, gas in table.items():
        assert getattr(payments, name) == int(gas), name


@pytest.mark.parametrize(("base_fee", "wei"), [(0, 0), (9, 90), (10, 100), (11, 100)])
def test_a_price_stops_at_the_cap(base_fee: int, wei: int) -> None:
    assert payments.price(10, base_fee, 10) == wei


def told_on_the_page() -> dict[str, list[int]]:
    """The table of both sets, in section 4."""
    rows = re.findall(r"^\| ([^|]+) \| ([\d,^]+) \| ([\d,^]+) \|$", PAGE.read_text(), re.M)
    return {name.strip("`"): [_number(figure) for figure in figures] for name, *figures in rows}


def _number(figure: str) -> int:
    base, _, power = figure.replace(",", "").partition("^")
    return int(pow(int(base), int(power or 1)))


def test_the_page_tells_both_sets_and_their_bounds() -> None:
    told = told_on_the_page()
    for column, terms in enumerate((MAINNET_LIKE, FAST)):
        expected = {
            name: getattr(terms, name) for name in ("claim_window", "claim_bond", "retention")
        }
        dispute = terms.dispute
        for name in ("clock", "move_time", "entry_window", "entry_bond", "base_fee_cap"):
            expected[name] = getattr(dispute, name)
        expected["a match"] = match_seconds(dispute)
        expected["a dispute of 2 entries"] = dispute_seconds(dispute, 2)
        expected["of 16"] = dispute_seconds(dispute, 16)
        expected["of 65,536"] = dispute_seconds(dispute, 2**16)
        assert {name: figures[column] for name, figures in told.items()} == expected
