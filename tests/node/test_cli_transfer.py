"""`transfer`: from one subaccount to another, signed here."""

from collections.abc import Iterator

import pytest
from cli_world import CliWorld, cli_world

from state.transactions import Transfer


@pytest.fixture
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        yield running


def test_cash_moves_to_a_subaccount_that_it_opens(world: CliWorld) -> None:
    said = world.run("transfer", "--from", "alice", "12.5", "3").stdout
    assert said == "12.5 USD went from account 256 to account 259\n"
    ((tx, _),) = world.node.submitted
    assert isinstance(tx, Transfer)
    assert (tx.account, tx.to_account, tx.amount) == (256, 259, 12_500_000_000)
    assert world.node.state.account(259).cash == tx.amount


def test_it_comes_back_from_there(world: CliWorld) -> None:
    world.run("transfer", "--from", "alice", "10", "3")
    receipt = world.json("transfer", "--from", "alice", "--subaccount", "3", "4", "0")
    assert (receipt["kind"], receipt["status"], receipt["account"]) == ("transfer", "ok", 259)
    assert world.node.state.account(259).cash == 6 * 10**9


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("5", "0"), 2, "subaccount 0 is where it is: name another one"),
        (("five", "1"), 2, "five"),
        (("1000000", "1"), 1, "withdrawable"),
        (("5", "1", "--subaccount", "9"), 1, "has no subaccount 9 on the venue"),
    ],
)
def test_what_cannot_move_is_told_why(
    world: CliWorld, words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in world.error("transfer", "--from", "alice", *words, code=code)
    assert world.node.state.account(257).is_absent
