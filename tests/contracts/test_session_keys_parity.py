"""Session keys on L1 come and go as in Python, byte by byte."""

import pytest
from builders import NOW
from cash_world import (
    ALICE,
    ZERO,
    add_key,
    answer,
    change_account,
    revoke_key,
    session_keys,
    started,
)

from state.limits import ACCOUNT_KEYS_MAX, KEY_EPOCH_MAX
from state.status import Status

# --- session keys ---


@pytest.mark.parametrize(
    ("held", "changed", "status"),
    [
        ({}, {"permissions": 8, "account": 0}, Status.MALFORMED),
        ({}, {"permissions": 2**16 - 1, "account": 99 << 8}, Status.MALFORMED),
        ({"keys": session_keys(1, 2, 3, 8)}, {"key": ZERO}, Status.TOO_MANY_KEYS),
        ({"key_epoch": KEY_EPOCH_MAX}, {"permissions": 0}, Status.TOO_MANY_KEYS),
        ({"key_epoch": KEY_EPOCH_MAX, "keys": ()}, {}, Status.TOO_MANY_KEYS),
        ({"key_epoch": KEY_EPOCH_MAX - 1}, {}, Status.OK),
        ({}, {"key": ZERO}, Status.BAD_KEY),
        ({}, {"permissions": 0}, Status.BAD_KEY),
        ({}, {"key_expiry": NOW - 1}, Status.BAD_KEY),
        ({}, {"key_expiry": NOW}, Status.OK),
        ({"keys": (), "key_epoch": 0}, {}, Status.OK),
        *[({}, {"permissions": permissions}, Status.OK) for permissions in range(1, 8)],
    ],
)
def test_a_key_is_added_or_refused_for_its_first_fault(
    held: dict[str, object], changed: dict[str, object], status: Status
) -> None:
    venue = started()
    change_account(venue, ALICE, **held)
    venue.state.machine.time = NOW
    assert answer(venue, add_key(**changed)) == status


def test_a_fourth_key_is_the_last_and_no_epoch_comes_back() -> None:
    venue = started()
    assert answer(venue, add_key(sequence=70)) == Status.OK
    assert answer(venue, add_key(sequence=71)) == Status.TOO_MANY_KEYS
    assert answer(venue, revoke_key(sequence=72, key_epoch=9)) == Status.OK
    assert answer(venue, add_key(sequence=73)) == Status.OK
    account = venue.state.account(ALICE)
    assert [k.epoch for k in account.keys] == [2, 5, 8, 10]
    assert len(account.keys) == ACCOUNT_KEYS_MAX


@pytest.mark.parametrize(
    ("epoch", "left"),
    [(2, [5, 8]), (5, [2, 8]), (8, [2, 5]), (0, None), (1, None), (9, None), (2**32 - 1, None)],
)
def test_a_key_ends_or_there_is_none(epoch: int, left: list[int] | None) -> None:
    venue = started()
    status = answer(venue, revoke_key(key_epoch=epoch))
    assert status == (Status.NO_SUCH_KEY if left is None else Status.OK)
    assert [k.epoch for k in venue.state.account(ALICE).keys] == (left or [2, 5, 8])
