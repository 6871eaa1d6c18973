"""What a liar says of money, and of the end of a batch: rules with one of them altered, refuted.

The number of an id is the case of the table in docs/testing.md.
"""

from collections.abc import Callable
from typing import Any

import pytest
from attack_world import (
    MARK,
    Act,
    AttackedVenue,
    Lie,
    Table,
    always,
    answered,
    listed,
    refute,
    started,
    with_machine,
)
from block_world import block, change_row, leg, signed
from builders import key
from msgspec.structs import replace

from node.parity.case import Case, Refused
from state.inbox import InboxItem
from state.machine import Machine, decode_machine
from state.margin import health
from state.status import Status
from state.steps import halt
from state.store import Changes, PreState
from state.transactions.deposit import decode_deposit
from state.units import NANO_PER_MICRO, share_down, share_up
from state.withdrawals import Withdrawal


def last(venue: AttackedVenue) -> Case:
    return venue.shown[-1].case


SHARE = "state.exchange.share_up"


@pytest.mark.parametrize("lots", [1, 3, 19_999], ids=lambda lots: f"33 {lots} lots")
@pytest.mark.parametrize(
    "share",
    [
        share_down,
        lambda amount, rate: share_up(amount, rate) + 1,
        lambda amount, rate: share_up(amount, rate) - 1,
        always(0),
    ],
    ids=["down", "a nano more", "a nano less", "none"],
)
def test_a_fee_cannot_be_a_nano_off(share: Any, lots: int) -> None:
    """Case 33: neither fee comes to whole nano-USD."""
    venue = started(tick=101, taker_fee=333, maker_fee=77)
    venue.sell("alice", lots, 490_001)
    assert lots * 490_001 * 101 * 333 % 10**6 and lots * 490_001 * 101 * 77 % 10**6
    refute(venue, lambda v: v.buy("bob", lots, 490_001), {SHARE: share})


# --- money that leaves, moves and comes ---


def withdraw(micro: int = 1_000_000) -> Act:
    return lambda venue: venue.withdraw("bob", micro)


def transfer(to: int, nano: int) -> Act:
    return lambda venue: venue.transfer("bob", to, nano)


def to_another(index: int, account: int, _: bytes, amount: int) -> Withdrawal:
    return Withdrawal(index, account, key("mallory").address, amount)


def of_more(index: int, account: int, recipient: bytes, amount: int) -> Withdrawal:
    return Withdrawal(index, account, recipient, amount + 1)


def to_the_next(payload: bytes) -> Any:
    deposit = decode_deposit(payload)
    return replace(deposit, account=deposit.account + 1)


def deposit(venue: AttackedVenue) -> None:
    venue.open("bob", 1_000)


def skipping(changes: Changes, _: InboxItem) -> Status:
    changes.machine.inbox += 1
    return Status.OK


KEPT = "state.transactions.withdraw.replace"
MAY_LEAVE = "state.transactions.withdraw.may_leave"

MONEY: Table = {
    "33 without the balance": (withdraw(10_000_000_001), {MAY_LEAVE: always(True)}),
    "33 refused with the balance": (withdraw(10_000_000_000), {MAY_LEAVE: always(False)}),
    "33 and still have it": (withdraw(), {KEPT: lambda account, **_: account}),
    "33 of nothing": (withdraw(0), {"state.steps.apply_withdraw": always(Status.OK)}),
    "27 to somebody else": (withdraw(), {"state.transactions.withdraw.Withdrawal": to_another}),
    "27 of a micro more": (withdraw(), {"state.transactions.withdraw.Withdrawal": of_more}),
    "33 a micro of 999 nano": (withdraw(), {"state.transactions.withdraw.nano": lambda n: n * 999}),
    "27 with no leaf to show for it": (
        withdraw(),
        {"state.store.Changes.append_withdrawal": always(None)},
    ),
    "27 to an account of another": (
        transfer(1 << 8, 5),
        {"state.transactions.transfer._refusal": always(Status.OK)},
    ),
    "33 more than there is": (
        transfer(2 << 8 | 1, 10_000 * 10**9 + 1),
        {"state.transactions.transfer.may_leave": always(True)},
    ),
    "27 to itself": (
        transfer(2 << 8, 5),
        {"state.transactions.transfer._refusal": always(Status.OK)},
    ),
    "27 a deposit doubled": (
        deposit,
        {"state.transactions.deposit.nano": lambda n: 2 * n * NANO_PER_MICRO},
    ),
    "27 a deposit kept back": (deposit, {"state.steps.apply_item": always(Status.OK)}),
    "27 a deposit for another": (
        deposit,
        {"state.transactions.deposit.decode_deposit": to_the_next},
    ),
    "30 an item skipped": (deposit, {"state.steps.apply_item": skipping}),
    "30 a deposit called no item": (deposit, {"state.steps.apply_item": always(Status.BAD_ITEM)}),
}


@pytest.mark.parametrize(("act", "lie"), listed(MONEY))
def test_money_cannot_be_made_taken_or_kept_back(act: Act, lie: Lie) -> None:
    """Cases 27, 30 and 33."""
    venue = started()
    refute(venue, act, lie)


def test_profit_of_a_moment_cannot_be_carried_out() -> None:
    """Case 35: the slow mark keeps it in, whatever the liar says of it."""
    venue = started()
    venue.sell("alice", 1_000_000, MARK)
    venue.buy("bob", 1_000_000, MARK)
    change_row(venue, mark=60_000_000)
    lie = {"state.transactions.withdraw.cautious_health": health}
    refute(venue, lambda v: v.withdraw("bob", 7_800_000_000), lie)
    assert venue.machine.status == Status.MARGIN_TOO_LOW


# --- block trades ---


def agreed(*legs: Any, **changed: Any) -> Act:
    def act(venue: AttackedVenue) -> None:
        tx = block(venue, *legs, **changed)
        venue.run(tx, signed(tx))

    return act


def signed_by_one(venue: AttackedVenue) -> None:
    tx = block(venue, leg())
    venue.run(tx, signed(tx, taker=key("alice")))


BLOCKS: Table = {
    "27 a party that did not sign": (
        signed_by_one,
        {"state.transactions.block_trade.signer_status": always(Status.OK)},
    ),
    "27 a leg left out": (agreed(leg()), {"state.block._take_leg": always(Status.OK)}),
    "27 a price out of the band": (
        agreed(leg(ticks=2 * MARK)),
        {"state.block._terms_status": always(Status.OK)},
    ),
    "33 a party without margin": (
        agreed(leg(lots=10_000_000)),
        {"state.block._is_sound": always(True)},
    ),
    "33 a sound party refused": (agreed(leg()), {"state.block._is_sound": always(False)}),
    "27 a refused trade kept": (
        agreed(leg(lots=10_000_000)),
        {"state.store.Changes.restore": Changes.keep},
    ),
}


@pytest.mark.parametrize(("act", "lie"), listed(BLOCKS))
def test_a_block_trade_cannot_be_told_otherwise(act: Act, lie: Lie) -> None:
    """Cases 27 and 33."""
    venue = started()
    refute(venue, act, lie)


# --- HALT ---


def halting(change: Callable[[Machine], None]) -> Lie:
    def altered(state: PreState) -> Changes:
        changes = halt(state)
        change(changes.machine)
        return changes

    return {"prover.step.halt": altered}


def pay_ourselves(machine: Machine) -> None:
    machine.deposited += 1
    machine.sums.fees += 1


def lend(machine: Machine) -> None:
    machine.sums.cash -= 1
    machine.sums.insurance += 1


def stop_the_clock(machine: Machine) -> None:
    machine.time -= 1


def take_an_item(machine: Machine) -> None:
    machine.inbox += 1


@pytest.mark.parametrize(
    "change", [pay_ourselves, lend, stop_the_clock, take_an_item], ids=lambda one: one.__name__
)
def test_the_end_of_a_batch_moves_nothing(change: Callable[[Machine], None]) -> None:
    """Cases 29, 30 and 33."""
    venue = started()
    refute(venue, AttackedVenue.halt, halting(change))


SUMS = ("cash", "pools", "insurance", "fees")


@pytest.mark.parametrize("by", [1, -1, 2**80])
@pytest.mark.parametrize("name", ["deposited", "withdrawn", *SUMS, "long_lots", "short_lots"])
def test_no_batch_halts_without_conservation(name: str, by: int) -> None:
    """Case 33: nobody can show such a HALT, so no claim that holds it can be defended."""
    venue = started()
    venue.sell("alice", 9, MARK)
    venue.buy("bob", 9, MARK)
    venue.withdraw("bob", 5)
    change_insurance(venue)
    venue.halt()
    case = last(venue)
    assert answered(case) == venue.shown[-1].answer
    machine = decode_machine(case.machine)[0]
    if name in ("deposited", "withdrawn"):
        changed: dict[str, Any] = {name: getattr(machine, name) + by}
    else:
        sums = machine.sums
        changed = {"sums": replace(sums, **{name: getattr(sums, name) + by})}
    assert isinstance(answered(with_machine(case, **changed)), Refused)


def change_insurance(venue: AttackedVenue) -> None:
    """So that every sum can be one less."""
    sums = venue.machine.sums
    sums.insurance, sums.pools = 7, 7
    venue.machine.deposited += 14
