"""Claims beside what was executed: the sums, their verdict, and what differs."""

from typing import Any

import pytest
from builders import MICRO_DOLLAR, NOW, Venue
from msgspec.structs import replace
from rpc_world import Follower, Sequencer, running

from node.conservation import Figures, figures_of_machine
from node.view import MadeClaim

RIGHT: dict[str, Any] = {"claim": b"\x0d" * 32, "parent": b"\x0e" * 32, "claimant": b"\x0f" * 20}


def trading() -> Sequencer:
    """A deposit of $10,010 by two, a trade with its fees, a withdrawal of $1; one batch."""
    venue = Venue()
    venue.open("alice", 10_000)
    venue.open("bob", 10)
    venue.sell("alice", 1_000, 500_000)
    venue.buy("bob", 1_000, 500_000)
    venue.withdraw("alice", MICRO_DOLLAR)
    node = Sequencer(venue)
    node.seal()
    return node


def made(figures: Figures, **changed: Any) -> MadeClaim:
    fields = RIGHT | {"claimed_block": 7, "claimed_at": NOW, "status": "pending"}
    return MadeClaim(figures=figures, **(fields | changed))


async def test_a_batch_tells_what_it_conserves() -> None:
    node = trading()
    async with running(node) as rpc:
        told = (await rpc.result("rollup_batch", number=1))["conservation"]
    sums = node.state.machine.sums
    assert sums.long_lots > 0 and sums.fees > 0
    assert told["deposited"] == told["held"] == "10010"
    assert (told["withdrawn"], told["longLots"]) == ("1", told["shortLots"])
    assert (told["conserved"], told["verdict"]) == (True, "conserved")


async def test_claims_stand_beside_what_was_executed() -> None:
    node = trading()
    figures = figures_of_machine(node.state.machine)
    lie = replace(figures, cash=figures.cash + 10**9, long_lots=figures.long_lots + 4)
    wrong = (("cash", str(lie.cash), str(figures.cash)),)
    node.made_claims[1] = [
        made(figures),
        made(lie, claim=b"\x01" * 32, differences=wrong, status="rejected"),
    ]
    node.paid_micro = MICRO_DOLLAR // 4
    async with running(node) as rpc:
        told = await rpc.result("rollup_claims", number=1)
    assert (told["paid"], told["pending"], told["followed"]) == ("0.25", "0.75", True)
    right, liar = told["claims"]
    assert right["right"] and right["conservation"] == told["executed"]
    assert not liar["right"] and liar["status"] == "rejected"
    assert liar["differences"] == [
        {"field": "cash", "claimed": str(lie.cash), "executed": str(figures.cash)}
    ]
    lots = f"{lie.long_lots} lots long are not {lie.short_lots} lots short"
    assert liar["conservation"]["verdict"] == (
        f"1 USD more is held or withdrawn than was deposited; {lots}"
    )
    assert not liar["conservation"]["conserved"]


@pytest.mark.parametrize("field", ["cash", "pools", "insurance", "fees", "withdrawn"])
def test_whatever_is_held_must_have_been_deposited(field: str) -> None:
    figures = figures_of_machine(trading().state.machine)
    assert figures.is_conserved
    for change in (-1, 1):
        assert not replace(figures, **{field: getattr(figures, field) + change}).is_conserved


@pytest.mark.parametrize("field", ["bad_debt", "dust"])
def test_where_a_sum_came_from_is_no_part_of_it(field: str) -> None:
    figures = figures_of_machine(trading().state.machine)
    assert replace(figures, **{field: 5}).is_conserved


async def test_a_node_that_follows_no_claims_says_so() -> None:
    node = Follower()
    node.venue.open("alice", 10)
    node.seal()
    async with running(node) as rpc:
        told = await rpc.result("rollup_claims", number=1)
        missing = await rpc.error("rollup_claims", number=2)
    assert (told["followed"], told["claims"]) == (False, [])
    assert (told["paid"], told["pending"]) == (None, None)
    assert told["executed"]["conserved"]
    assert missing["data"]["reason"] == "unknown_batch"
