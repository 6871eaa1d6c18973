"""Keys and owners: who may append what, and where a number goes with its deposits."""

import pytest
from evm_engines import PyEvm, Reverted
from protocol_bytes import (
    DEPOSIT,
    REVOKE_KEY,
    ROTATE_OWNER,
    deposit_payload,
    revocation_payload,
    rotation_payload,
)
from rollup_world import ALICE, BOB, CLAIMANT, DOLLAR, RIVAL, World, person

from contracts import calls, views
from contracts.abi import Function
from contracts.events import InboxItemLog, OwnerRotatedLog

CAROL, DAVE = person("carol"), person("dave")
ACCEPT, KEYLESS = "owners: new owner has not accepted", "owners: a contract has no key to sign with"
TAKEN = "owners: new owner has a number already"
NOBODY_HAS = "owners: nobody has this number"
NOT_THEIRS = "owners: new owner does not have this number"


def accept(world: World, owner: bytes, number: int) -> None:
    """Say as `owner` that the number may come."""
    world.send(calls.accept_number(number), owner)


def rotate(world: World, sender: bytes, account: int, new_owner: bytes) -> list[object]:
    """What was logged."""
    data = calls.rotate_owner(account=account, new_owner=new_owner)
    return list(world.logs(world.send(data, sender)))


def hand_over(world: World, sender: bytes, account: int, new_owner: bytes) -> list[object]:
    """A rotation with the consent that it needs."""
    accept(world, new_owner, account >> 8)
    return rotate(world, sender, account, new_owner)


def numbers(world: World, *owners: bytes) -> list[int]:
    return [world.read(views.OWNER_NUMBERS, owner) for owner in owners]


def item(world: World, kind: int, sender: bytes, payload: bytes) -> InboxItemLog:
    """The item that was appended last."""
    index = world.read(views.INBOX_SIZE) - 1
    return InboxItemLog(index, kind, world.engine.time, sender, payload)


# --- keys ---


@pytest.mark.parametrize("sender", [ALICE, BOB], ids=["the owner", "a stranger"])
@pytest.mark.parametrize("key_epoch", [0, 1, 2**32 - 1])
def test_anybody_asks_for_a_revocation_and_the_item_says_who(
    world: World, sender: bytes, key_epoch: int
) -> None:
    world.deposit(ALICE)
    receipt = world.send(calls.revoke_key(account=0x100, key_epoch=key_epoch), sender)
    payload = revocation_payload(0x100, key_epoch)
    assert world.logs(receipt) == [item(world, REVOKE_KEY, sender, payload)]
    assert world.read(views.INBOX_ITEM, 1) == views.Item(world.engine.time, 2, DOLLAR)


def test_a_contract_that_owns_nothing_may_ask_too(world: World) -> None:
    contract = world.mock("bond_receiver")
    world.send_through(contract, calls.revoke_key(account=0x100, key_epoch=1))
    assert world.read(views.INBOX_SIZE) == 1


# --- owners ---


def test_the_first_rotation_moves_the_number(world: World) -> None:
    world.deposit(ALICE)
    world.deposit(BOB)
    assert world.read(views.NUMBER_OWNERS, 1) == ALICE
    accept(world, CAROL, 1)
    assert world.read(views.ACCEPTED_NUMBERS, CAROL) == 1
    assert rotate(world, ALICE, 0x103, CAROL) == [
        OwnerRotatedLog(1, ALICE, CAROL),
        item(world, ROTATE_OWNER, ALICE, rotation_payload(0x103, CAROL)),
    ]
    assert numbers(world, ALICE, BOB, CAROL) == [0, 2, 1]
    assert world.read(views.NUMBER_OWNERS, 1) == CAROL
    assert world.read(views.NUMBER_OWNERS, 2) == BOB
    assert world.read(views.ACCEPTED_NUMBERS, CAROL) == 0
    assert world.read(views.OWNER_COUNT) == 2


def test_deposits_follow_the_number_and_the_old_address_begins_anew(world: World) -> None:
    world.deposit(ALICE)
    hand_over(world, ALICE, 0x100, CAROL)
    for owner, account in ((CAROL, 0x105), (ALICE, 0x205), (CAROL, 0x105)):
        world.deposit(owner, subaccount=5)
        world.mint(owner, 7)
        logs = world.logs(world.send(calls.deposit(amount=7, subaccount=5), owner))
        assert logs[0] == item(world, DEPOSIT, owner, deposit_payload(account, owner, 7))
    assert world.read(views.NUMBER_OWNERS, 2) == ALICE


def test_the_accounts_left_behind_go_to_whoever_has_the_number(world: World) -> None:
    for subaccount in (0, 1, 2):
        world.deposit(ALICE, subaccount=subaccount)
    hand_over(world, ALICE, 0x100, CAROL)
    logs = rotate(world, ALICE, 0x101, CAROL)
    assert logs == [item(world, ROTATE_OWNER, ALICE, rotation_payload(0x101, CAROL))]
    hand_over(world, CAROL, 0x100, DAVE)
    # Two accounts have other owners in their leaves than the number has here.
    with pytest.raises(Reverted, match=NOT_THEIRS):
        rotate(world, ALICE, 0x102, CAROL)
    for sender, account in ((ALICE, 0x102), (CAROL, 0x101)):
        logs = rotate(world, sender, account, DAVE)
        assert logs == [item(world, ROTATE_OWNER, sender, rotation_payload(account, DAVE))]
    assert numbers(world, ALICE, CAROL, DAVE) == [0, 0, 1]


def test_a_number_comes_back_to_an_address_that_had_it(world: World) -> None:
    world.deposit(ALICE)
    hand_over(world, ALICE, 0x100, CAROL)
    hand_over(world, CAROL, 0x100, ALICE)
    assert numbers(world, ALICE, CAROL) == [1, 0]
    assert world.read(views.OWNER_COUNT) == 1


def test_nobody_is_put_behind_a_number_without_agreeing_to_that_number(world: World) -> None:
    """Or Bob's leaf would wait for the first deposit of a stranger."""
    world.deposit(ALICE)
    world.deposit(BOB)
    for agreed in (None, 1, 0):
        if agreed is not None:
            accept(world, CAROL, agreed)
        with pytest.raises(Reverted, match=ACCEPT):
            rotate(world, BOB, 0x200, CAROL)
    assert numbers(world, BOB, CAROL) == [2, 0]
    world.deposit(CAROL)
    assert numbers(world, CAROL) == [3]


def test_consent_counts_once(world: World) -> None:
    world.deposit(ALICE)
    hand_over(world, ALICE, 0x100, CAROL)
    hand_over(world, CAROL, 0x100, DAVE)
    with pytest.raises(Reverted, match=ACCEPT):
        rotate(world, DAVE, 0x100, CAROL)


def test_who_deposits_before_the_rotation_keeps_a_number_of_their_own(world: World) -> None:
    world.deposit(ALICE)
    accept(world, CAROL, 1)
    world.deposit(CAROL)
    with pytest.raises(Reverted, match=TAKEN):
        rotate(world, ALICE, 0x100, CAROL)
    assert numbers(world, ALICE, CAROL) == [1, 2]


def test_consent_ends_with_a_number_of_ones_own(world: World) -> None:
    world.deposit(ALICE)
    accept(world, BOB, 1)
    world.deposit(BOB)
    assert world.read(views.ACCEPTED_NUMBERS, BOB) == 0
    hand_over(world, BOB, 0x200, CAROL)
    with pytest.raises(Reverted, match=ACCEPT):
        rotate(world, ALICE, 0x100, BOB)


HANDINGS = {
    "an owner to nobody": (ALICE, 0x100, bytes(20), ACCEPT),
    "an owner to themselves": (ALICE, 0x100, ALICE, None),
    "an owner to another owner": (ALICE, 0x100, BOB, TAKEN),
    "an owner to who never agreed": (ALICE, 0x100, RIVAL, ACCEPT),
    "an owner what is another's": (ALICE, 0x200, CAROL, NOT_THEIRS),
    "an owner what is nobody's yet": (ALICE, 0x300, CAROL, NOBODY_HAS),
    "an owner the last account there can be": (ALICE, 2**32 - 1, CAROL, NOBODY_HAS),
    "an owner an account of number zero": (ALICE, 0x0FF, CAROL, NOBODY_HAS),
    "nobody's account to nobody": (ALICE, 0x0FF, bytes(20), NOBODY_HAS),
    "a stranger to themselves": (CAROL, 0x100, CAROL, NOT_THEIRS),
    "a stranger to nobody": (CAROL, 0x100, bytes(20), NOT_THEIRS),
    "a stranger to whose it is": (CAROL, 0x100, ALICE, None),
}


@pytest.mark.parametrize(
    ("sender", "account", "new_owner", "reason"), HANDINGS.values(), ids=list(HANDINGS)
)
def test_who_may_hand_what_to_whom(
    world: World, sender: bytes, account: int, new_owner: bytes, reason: str | None
) -> None:
    world.deposit(ALICE)
    world.deposit(BOB)
    accept(world, CAROL, 1)
    if reason is None:
        rotate(world, sender, account, new_owner)
        assert world.read(views.INBOX_SIZE) == 3
    else:
        with pytest.raises(Reverted) as refusal:
            rotate(world, sender, account, new_owner)
        assert refusal.value.reason == reason
        assert world.read(views.INBOX_SIZE) == 2
    assert numbers(world, ALICE, BOB, CAROL) == [1, 2, 0]


def test_a_contract_takes_no_number_over(world: World) -> None:
    contract = world.mock("bond_receiver")
    world.deposit(ALICE)
    world.send_through(contract, calls.accept_number(1))
    with pytest.raises(Reverted, match=KEYLESS):
        rotate(world, ALICE, 0x100, contract)


def test_an_address_with_a_key_and_delegated_code_takes_a_number_over() -> None:
    engine = PyEvm()  # only Prague knows delegated code
    world = World(engine)
    world.deposit(ALICE)
    engine.state.set_code(CAROL, b"\xef\x01\x00" + ALICE)
    hand_over(world, ALICE, 0x100, CAROL)
    assert numbers(world, CAROL) == [1]


def test_a_token_that_calls_back_rotates_nothing(world: World) -> None:
    world = World(world.engine, "reentering_token")
    world.mint(ALICE, 1)
    # What any sender may append, were it not for the lock.
    callback = calls.rotate_owner(account=0x100, new_owner=ALICE)
    world.engine.send(world.token, Function("arm", ("bytes",)).encode(callback), sender=BOB)
    world.send(calls.deposit(amount=1, subaccount=0), ALICE)
    for flag, expected in (("outcome", 2), ("answer_size", 0)):
        answer = world.engine.call(world.token, Function(flag).encode())
        assert int.from_bytes(answer, "big") == expected
    assert world.read(views.INBOX_SIZE) == 1


@pytest.mark.parametrize("data", [calls.accept_number(1), calls.revoke_key(account=1, key_epoch=1)])
def test_no_ether_comes_with_it(world: World, data: bytes) -> None:
    with pytest.raises(Reverted, match="no reason"):
        world.send(data, CLAIMANT, 1)
