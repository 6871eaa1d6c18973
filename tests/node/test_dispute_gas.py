"""What a dispute costs on L1, with all of the real contracts, is what the bonds pay for."""

import json
from functools import cache

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from node.cli.main import tallystick
from node.clock import SystemClock
from node.parity import dispute_gas
from node.parity.dispute_gas import DisputeReport, measure
from node.parity.disputed_batches import TradingVenue
from node.parity.disputed_venue import TERMS
from prover.dispute.terms import DisputeTerms, honest_gas
from state.steps import Step

STEPS = 2**8


@cache
def measured() -> DisputeReport:
    """Of small batches: what L1 is sent hardly depends on their size."""
    return measure(SystemClock(), sizes=(STEPS,), published=(STEPS,))


def test_no_call_costs_more_than_the_contract_pays_for_it() -> None:
    report = measured()
    assert [bound.what for bound in report.bounds] == [
        "gas of a claim and an entry",
        "gas of a move",
        "gas of settle",
        "gas of refute",
        "gas of time_out",
        "gas of reject",
        "gas of collect",
        "gas of a claim and an entry of 7 published roots",
        f"gas of a claim and an entry of {report.disputes[1].steps} published roots",
        "gas of a transaction, calldata at 64 a byte",
    ]
    assert report.broken == []


def test_no_price_is_far_above_what_a_call_costs() -> None:
    """Or a liar's bond would go to whoever calls; steps are priced with calldata at 64 a byte."""
    for bound in measured().bounds[:-1]:
        assert bound.at_most < 2.5 * bound.reached, bound.what


def test_the_honest_side_pays_no_more_than_the_stated_bound() -> None:
    (hidden, _) = measured().disputes
    calls = hidden.calls
    played = sum(calls[name].charged for name in ("claim", "enter", "settle", "collect"))
    played += TERMS.height // 2 * calls["advance"].charged
    money = ("confirm", "reject, the first", "redeem", "withdraw", "withdraw the claim's bond")
    whole = played + sum(calls[name].charged for name in money)
    # No other move costs as much as the first one, so it is a little less.
    assert 0.85 * whole < hidden.honest_charged <= whole
    assert hidden.honest_calls == 2 + TERMS.height // 2 + 1 + 1 + len(money)
    terms = DisputeTerms(**{name: getattr(TERMS, name) for name in DisputeTerms.__struct_fields__})
    assert played <= honest_gas(terms, 2)


def test_publishing_a_trace_saves_the_moves() -> None:
    hidden, published = measured().disputes
    assert "advance" in hidden.calls and "settle" in hidden.calls
    assert "advance" not in published.calls and "refute" in published.calls
    assert hidden.steps == published.steps <= STEPS


def test_the_lie_stands_where_most_must_be_executed_before_its_witness() -> None:
    venue = TradingVenue()
    played = venue.trade(STEPS)
    assert STEPS - 1 <= played.output.steps == len(played.leaves) <= STEPS
    at = played.last_match
    assert played.names[at] == Step.ORDER.name
    assert Step.ORDER.name not in played.names[at + 2 :]


def test_the_dearest_proof_is_larger_than_that_of_a_usual_trade() -> None:
    calls = measured().calls
    for usual, dearest in (
        ("settle", "settle, the dearest"),
        ("refute", "refute, the dearest"),
    ):
        assert calls[dearest].calldata > 20_000 > 2 * calls[usual].calldata
        assert calls[dearest].execution > 2 * calls[usual].execution


def test_the_command_shows_calls_disputes_and_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispute_gas, "measure", lambda *_, **__: measured())
    result = CliRunner().invoke(tallystick, ["gas", "--disputes"])
    assert result.exit_code == 0, result.output
    for shown in ("enter, and be paired", "settle, the dearest", "published", "hidden"):
        assert shown in result.output
    told = json.loads(CliRunner().invoke(tallystick, ["gas", "--disputes", "--json"]).stdout)
    assert [one["published"] for one in told["disputes"]] == [False, True]
    advance = told["calls"]["advance"]
    assert advance["gas"] == 21_000 + advance["executionGas"] + 64 * advance["calldataBytes"]
    assert all(bound["held"] for bound in told["bounds"])


def test_the_command_fails_where_a_call_costs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    report = measured()
    dear = replace(report.calls["advance"], charged=10**6)
    broken = replace(report, calls=report.calls | {"advance": dear})
    monkeypatch.setattr(dispute_gas, "measure", lambda *_, **__: broken)
    result = CliRunner().invoke(tallystick, ["gas", "--disputes"])
    assert result.exit_code == 1
    assert "1,000,000 gas of a move, at most 150,000" in result.stderr
