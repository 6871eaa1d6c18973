"""Who tries what while a number changes hands: L1 decides, and the leaves are behind for a while.

"old" had number 1 with the accounts 256 and 257; "new" takes it over, "third" after them.
"""

from random import Random

import pytest
from builders import DOLLAR, FAR, key, sign_transaction
from evm_engines import Reverted
from two_sides import TwoSides

from state.invariants import check_invariants
from state.orders import BUY
from state.status import Status
from state.transactions import NewOrder, Withdraw

FIRST, SECOND, SEVENTH, LAST = 256, 257, 256 + 7, 256 + 255
OLD, NEW, THIRD = (key(name).address for name in ("old", "new", "third"))
OK = Status.OK


@pytest.fixture
def sides() -> TwoSides:
    """100 dollars in the first account, 5 in the second, and a session key of the first."""
    sides = TwoSides()
    assert sides.deposit("old", 100) == FIRST
    assert sides.deposit("old", 5, 1) == SECOND
    assert sides.take() == [OK, OK]
    assert sides.add_key("old", FIRST, "bot") == OK
    return sides


# --- the old key ---


def test_the_old_key_opens_a_subaccount_just_before_the_new_owner_deposits_into_it(
    sides: TwoSides,
) -> None:
    sides.rotate("old", FIRST, "new")
    assert sides.deposit("new", 1_000, 7) == SEVENTH
    assert sides.transfer("old", SECOND, SEVENTH) == OK
    assert sides.owns(SEVENTH) == OLD
    assert sides.take() == [OK, OK]
    assert (sides.owns(SEVENTH), sides.cash(SEVENTH)) == (NEW, 1_000 * DOLLAR + 1)
    assert sides.withdraw("old", SEVENTH, 1_000) == Status.BAD_SIGNATURE
    assert sides.transfer("old", SEVENTH, SECOND) == Status.BAD_SIGNATURE
    assert sides.withdraw("new", SEVENTH, 1_000) == OK


def test_the_old_key_opens_it_just_after(sides: TwoSides) -> None:
    sides.rotate("old", FIRST, "new")
    sides.deposit("new", 1_000, 7)
    sides.take()
    assert sides.transfer("old", SECOND, SEVENTH) == Status.NOT_OWN_ACCOUNT
    assert sides.owns(SEVENTH) == NEW


def test_the_old_owner_hands_over_an_account_that_nobody_uses_and_awaits_a_deposit(
    sides: TwoSides,
) -> None:
    sides.rotate("old", LAST, "new")
    sides.deposit("new", 1_000)
    assert sides.take() == [Status.UNKNOWN_ACCOUNT, OK]
    assert (sides.owns(FIRST), sides.cash(FIRST)) == (NEW, 1_100 * DOLLAR)
    assert sides.withdraw("old", FIRST, 1) == Status.BAD_SIGNATURE
    assert sides.send("bot", _order(FIRST, 1)) == Status.UNKNOWN_KEY


def test_the_old_key_empties_what_has_not_followed_and_no_more(sides: TwoSides) -> None:
    """What may not be helped: until its leaf follows, an account is the old key's."""
    sides.rotate("old", LAST, "new")
    sides.deposit("new", 1_000)
    flying = Withdraw(FIRST, 9_999, OLD, 1, FAR)
    signature = sign_transaction(flying, key("old"))
    assert sides.withdraw("old", FIRST, 100) == OK
    sides.take()
    assert sides.cash(FIRST) == 1_000 * DOLLAR
    assert sides.venue.run(flying, signature).status == Status.BAD_SIGNATURE


def test_the_old_owner_names_themselves_again(sides: TwoSides) -> None:
    sides.rotate("old", FIRST, "new")
    for account in (FIRST, SECOND, SEVENTH):
        with pytest.raises(Reverted, match="does not have this number"):
            sides.rotate("old", account, "old")


def test_the_old_owner_deposits_on_and_gets_a_number_of_their_own(sides: TwoSides) -> None:
    sides.rotate("old", FIRST, "new")
    assert sides.deposit("old", 3, 1) == 2 << 8 | 1
    assert sides.take() == [OK, OK]
    assert (sides.cash(SECOND), sides.owns(SECOND)) == (5 * DOLLAR, OLD)
    assert sides.cash(2 << 8 | 1) == 3 * DOLLAR


def test_the_old_owner_deposits_and_rotates_in_one_block(sides: TwoSides) -> None:
    sides.deposit("old", 50, 9)
    sides.rotate("old", 256 + 9, "new")
    assert sides.take() == [OK, OK]
    assert (sides.owns(256 + 9), sides.cash(256 + 9)) == (NEW, 50 * DOLLAR)


def test_the_old_owner_revokes_a_key_that_the_new_one_has_added(sides: TwoSides) -> None:
    sides.rotate("old", FIRST, "new")
    sides.take()
    assert sides.add_key("new", FIRST, "phone") == OK
    sides.revoke("old", FIRST, 2)
    assert sides.take() == [Status.NOT_OWNER]
    assert _keys(sides, FIRST) == [2]


# --- the new owner ---


def test_the_new_owner_moves_money_into_an_account_that_is_behind(sides: TwoSides) -> None:
    sides.rotate("old", FIRST, "new")
    sides.take()
    assert sides.transfer("new", FIRST, SECOND) == Status.NOT_OWN_ACCOUNT
    sides.rotate("third", SECOND, "new")
    sides.take()
    assert sides.transfer("new", FIRST, SECOND) == OK


def test_the_new_owner_signs_before_the_account_has_followed(sides: TwoSides) -> None:
    sides.rotate("old", FIRST, "new")
    assert sides.withdraw("new", FIRST, 1) == Status.BAD_SIGNATURE
    sides.revoke("new", SECOND, 1)
    assert sides.take() == [OK, Status.NO_SUCH_KEY]


def test_the_least_deposit_brings_an_account_along_without_anybodys_help(sides: TwoSides) -> None:
    sides.rotate("old", LAST, "new")
    for subaccount in (0, 1):
        sides.deposit("new", 1, subaccount)
    sides.take()
    assert (sides.owns(FIRST), sides.owns(SECOND)) == (NEW, NEW)
    assert _keys(sides, FIRST) == []


def test_deposits_of_the_owner_end_no_session_key(sides: TwoSides) -> None:
    sides.deposit("old", 1)
    assert sides.take() == [OK]
    assert _keys(sides, FIRST) == [1]


# --- a stranger ---


def test_a_stranger_has_an_account_follow_again_to_end_its_session_keys(sides: TwoSides) -> None:
    before = sides.venue.state.account(FIRST)
    sides.rotate("stranger", FIRST, "old")
    assert sides.take() == [OK]
    assert sides.venue.state.account(FIRST) == before


def test_a_stranger_takes_an_account_or_gives_it_away(sides: TwoSides) -> None:
    for beneficiary in ("stranger", "third"):
        with pytest.raises(Reverted, match="does not have this number"):
            sides.rotate("stranger", FIRST, beneficiary)
    assert sides.deposit("stranger", 1) == 2 << 8
    sides.take()
    assert sides.owns(FIRST) == OLD


def test_a_stranger_opens_an_account_by_a_rotation(sides: TwoSides) -> None:
    sides.rotate("stranger", SEVENTH, "old")
    assert sides.take() == [Status.UNKNOWN_ACCOUNT]
    assert sides.venue.state.account(SEVENTH).is_absent


# --- one after the other, in one block of L1 ---


def test_two_rotations_in_one_block_leave_no_account_with_who_was_between(
    sides: TwoSides,
) -> None:
    sides.rotate("old", FIRST, "new")
    sides.rotate("new", SECOND, "third")
    assert sides.take() == [OK, OK]
    assert (sides.owns(FIRST), sides.owns(SECOND)) == (NEW, THIRD)
    with pytest.raises(Reverted, match="does not have this number"):
        sides.rotate("new", FIRST, "new")
    sides.deposit("third", 10)
    assert sides.withdraw("new", FIRST, 100) == OK, "what stood there before the deposit"
    assert sides.take() == [OK]
    assert (sides.owns(FIRST), sides.cash(FIRST)) == (THIRD, 10 * DOLLAR)


def test_a_deposit_between_two_rotations_goes_on_with_the_number(sides: TwoSides) -> None:
    sides.rotate("old", LAST, "new")
    sides.deposit("new", 10, 7)
    sides.rotate("new", SEVENTH, "third")
    assert sides.take(2) == [Status.UNKNOWN_ACCOUNT, OK]
    assert sides.owns(SEVENTH) == NEW
    assert sides.take() == [OK]
    assert (sides.owns(SEVENTH), sides.cash(SEVENTH)) == (THIRD, 10 * DOLLAR)
    assert sides.withdraw("new", SEVENTH, 10) == Status.BAD_SIGNATURE


def test_a_number_that_came_back_leaves_nothing_with_who_had_it_meanwhile(
    sides: TwoSides,
) -> None:
    sides.rotate("old", FIRST, "new")
    sides.take()
    assert sides.add_key("new", FIRST, "new's bot") == OK
    flying = Withdraw(FIRST, 9_999, NEW, 1, FAR)
    signature = sign_transaction(flying, key("new"))
    sides.rotate("new", LAST, "old")
    sides.deposit("old", 1)
    assert sides.take() == [Status.UNKNOWN_ACCOUNT, OK]
    assert (sides.owns(FIRST), _keys(sides, FIRST)) == (OLD, [])
    assert sides.send("new's bot", _order(FIRST, 2)) == Status.UNKNOWN_KEY
    assert sides.venue.run(flying, signature).status == Status.BAD_SIGNATURE


def test_there_and_back_in_one_block_ends_the_keys_of_what_went_along_alone(
    sides: TwoSides,
) -> None:
    assert sides.add_key("old", SECOND, "bot") == OK
    sides.rotate("old", FIRST, "new")
    sides.rotate("new", FIRST, "old")
    assert sides.take() == [OK, OK]
    assert (sides.owns(FIRST), sides.owns(SECOND)) == (OLD, OLD)
    assert (_keys(sides, FIRST), _keys(sides, SECOND)) == ([], [1])


# --- all of them at once ---


class Scramble:
    """Rotations, deposits and followers on L1 while every key in turn tries its luck on L2."""

    PEOPLE = "old", "new", "third", "stranger"
    ACCOUNTS = FIRST, SECOND, SEVENTH, LAST

    def __init__(self, sides: TwoSides, seed: int) -> None:
        self.sides, self.random = sides, Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        self.promised: list[tuple[int, bytes]] = []

    def act(self) -> None:
        r = self.random
        name, other = r.choice(self.PEOPLE), r.choice(self.PEOPLE)
        account, to_account = r.choice(self.ACCOUNTS), r.choice(self.ACCOUNTS)
        choice = r.randrange(6)
        if choice < 3:
            try:
                if choice == 0:
                    account = self.sides.deposit(name, 1, account & 255)
                else:
                    self.sides.rotate(name, account, other)
            except Reverted:
                return
            self.promised.append((account, self.sides.owner_on_l1(account)))
        elif choice == 3:
            self.take(r.randint(1, 3))
        else:
            before = self.sides.venue.state.account(account)
            status = self.sides.transfer(name, account, to_account)
            assert status != OK or before.owner == key(name).address

    def take(self, count: int) -> None:
        """An account that an item names has the owner that L1 named, whoever raced."""
        for _ in range(count):
            if not self.sides.waiting:
                return
            (status,) = self.sides.take(1)
            account, owner = self.promised.pop(0)
            assert status in (OK, Status.UNKNOWN_ACCOUNT)
            if status == OK:
                assert self.sides.owns(account) == owner
            check_invariants(self.sides.venue.state)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_an_item_leaves_its_account_with_whom_l1_named(
    sides: TwoSides, seed: int
) -> None:
    scramble = Scramble(sides, seed)
    for _ in range(120):
        scramble.act()
    # Somebody who has nothing to do with it ends all that is behind.
    for account in sides.venue.state.accounts:
        sides.rotate("nobody's friend", account, _name(sides.owner_on_l1(account)))
        scramble.promised.append((account, sides.owner_on_l1(account)))
    scramble.take(len(sides.waiting))
    for account in sides.venue.state.accounts:
        assert sides.owns(account) == sides.owner_on_l1(account)


def _name(address: bytes) -> str:
    return next(name for name in Scramble.PEOPLE if key(name).address == address)


def _order(account: int, epoch: int) -> NewOrder:
    return NewOrder(account, epoch, 99_999, 0, BUY, 500_000, 1, FAR)


def _keys(sides: TwoSides, account: int) -> list[int]:
    return [held.epoch for held in sides.venue.state.account(account).keys]
