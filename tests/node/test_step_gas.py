"""What a step costs on L1 at its worst is within the bounds, and so is each contract's size."""

import json
from collections.abc import Callable
from functools import cache

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from node.cli.main import tallystick
from node.parity import deployment, gas
from node.parity.blocks import worst_blocks
from node.parity.engines import intrinsic_gas
from node.parity.gas import ChunkCost, Report, StepCost, measure
from node.parity.kinds import StepKind
from node.parity.stress import MAKER, MARKETS, TAKER, TRADED, FullestVenue
from state.invariants import check_invariants
from state.limits import (
    ACCOUNT_KEYS_MAX,
    ACCOUNT_ORDERS_MAX,
    ACCOUNT_POSITIONS_MAX,
    CHUNK_BYTES_MAX,
    MARKETS_MAX,
    PUBLISHERS_MAX,
    TIERS_MAX,
)
from state.lz4_block import CodecError, decode
from state.orders import BUY, SELL


@cache
def measured() -> Report:
    return measure("pyrevm")


def test_no_step_chunk_or_contract_is_past_its_bound() -> None:
    report = measured()
    assert [bound.what.split(" (")[0] for bound in report.bounds] == [
        "bytes of a witness",
        "bytes of a witness and its chunk",
        "gas of a step",
        "gas of a chunk",
        "bytes of a contract",
    ]
    assert report.broken == []


def test_every_kind_of_step_is_measured() -> None:
    kinds = {step.name for step in measured().steps}
    # One of no kind is refused before anything of it is read.
    assert kinds == {kind.value for kind in StepKind} - {StepKind.ITEM_UNKNOWN.value}


def test_every_transaction_stands_in_the_longest_chunk() -> None:
    for step in measured().steps:
        transaction = step.name in {kind.value for kind in StepKind if kind.islower()}
        is_item = step.name.startswith("item")
        assert step.chunk == (CHUNK_BYTES_MAX if transaction and not is_item else 0), step


def test_the_venue_is_as_full_as_the_limits_allow() -> None:
    state = FullestVenue().state
    check_invariants(state)
    for number in (TAKER, MAKER):
        account = state.account(number)
        assert len(account.positions) == ACCOUNT_POSITIONS_MAX
        assert len(account.orders) == ACCOUNT_ORDERS_MAX
        assert len(account.keys) == ACCOUNT_KEYS_MAX
    assert len(state.accounts) == 4_096 and len(state.markets) == MARKETS_MAX == len(MARKETS)
    assert all(len(state.book(TRADED, side)) >= 2_000 for side in (BUY, SELL))
    for market, row in zip(state.markets.values(), state.rows.values(), strict=True):
        assert len(market.publishers) == PUBLISHERS_MAX and len(row.tiers) == TIERS_MAX


def test_the_worst_blocks_are_as_long_as_a_chunk_or_refused_late() -> None:
    lengths: dict[str, int | None] = {}
    for name, block in worst_blocks().items():
        try:
            lengths[name] = len(decode(block, CHUNK_BYTES_MAX))
        except CodecError:
            lengths[name] = None
    assert list(lengths.values()).count(CHUNK_BYTES_MAX) == len(lengths) - 2


def test_a_call_is_charged_for_its_bytes() -> None:
    step = StepCost("order", "OK", "fill", 100, 50, 1_000, 2_000)
    assert step.gas == 21_000 + 2_000 + 64 * 1_000
    assert intrinsic_gas(b"\0\0\1") == 21_000 + 2 * 4 + 16


def small(**changed: object) -> Report:
    """A report in which everything is just within its bound."""
    execution = gas.STEP_GAS_MAX - gas.CALL_GAS - 64_000
    witness = gas.WITNESS_BYTES_MAX
    chunk = gas.WITH_CHUNK_BYTES_MAX - witness
    report = Report(
        engine="pyrevm",
        steps=(StepCost("MATCH", "-", "fill", witness, chunk, 1_000, execution),),
        chunks=(ChunkCost("dear", 1_000, gas.MALFORMED_GAS_MAX - gas.CALL_GAS - 64_000),),
        contracts={"step": 24_576, "chunks": 1},
    )
    return replace(report, **changed)


def dearer(report: Report, **by: int) -> tuple[StepCost, ...]:
    """Its only step, with more of something."""
    (step,) = report.steps
    return (replace(step, **{name: getattr(step, name) + more for name, more in by.items()}),)


BROKEN: dict[str, Callable[[], Report]] = {
    "28,673 bytes of a witness, at most 28,672": lambda: small(
        steps=dearer(small(), witness=1, chunk=-1)
    ),
    "40,961 bytes of a witness and its chunk, at most 40,960": lambda: small(
        steps=dearer(small(), chunk=1)
    ),
    "4,000,001 gas of a step, at most 4,000,000": lambda: small(steps=dearer(small(), execution=1)),
    "12,000,001 gas of a chunk, at most 12,000,000": lambda: small(
        chunks=(replace(small().chunks[0], execution=small().chunks[0].execution + 1),)
    ),
    "24,577 bytes of a contract (step), at most 24,576": lambda: small(
        contracts={"step": 24_577, "chunks": 1}
    ),
}


def test_a_bound_that_is_reached_is_held() -> None:
    assert small().broken == []


@pytest.mark.parametrize("told", BROKEN)
def test_a_bound_that_is_broken_by_one_is_told(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BROKEN[told]().broken == [told]
    monkeypatch.setattr(gas, "measure", lambda *_, **__: BROKEN[told]())
    result = CliRunner().invoke(tallystick, ["gas"])
    assert result.exit_code == 1 and told in result.stderr
    result = CliRunner().invoke(tallystick, ["gas", "--json"])
    assert result.exit_code == 1
    held = [bound["held"] for bound in json.loads(result.stdout)["bounds"]]
    assert held.count(False) == 1


def test_contracts_that_no_l1_deploys_are_told_without_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gas, "sizes", lambda: {"step": 24_577})
    report = measure("pyrevm")
    assert report.steps == () and len(report.bounds) == 1
    assert report.broken == ["24,577 bytes of a contract (step), at most 24,576"]
    monkeypatch.setattr(deployment, "sizes", lambda: {"step": 24_577})
    result = CliRunner().invoke(tallystick, ["parity", "--steps", "1"])
    assert result.exit_code == 1 and "tallystick gas tells the size" in result.stderr


def test_the_command_prints_a_table_and_is_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gas, "measure", lambda *_, **__: small())
    result = CliRunner().invoke(tallystick, ["gas"])
    assert result.exit_code == 0, result.output
    for title in ("Steps at their worst, on pyrevm", "Contracts", "Bounds"):
        assert title in result.stdout
    assert "4,000,000" in result.stdout
