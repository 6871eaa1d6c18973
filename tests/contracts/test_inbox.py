"""The inbox: numbered owners, hashed items, sums that never run backwards."""

import pytest
from evm_engines import PyEvm, Reverted
from protocol_bytes import DEPOSIT, LIST_MARKET, accumulate, deposit_payload, item_hash
from rollup_world import ALICE, BOB, DOLLAR, GOVERNOR, World

from contracts import calls, token, views
from contracts.abi import Function
from contracts.compiler import compile_contract
from contracts.events import DepositedLog, InboxItemLog


def test_owners_are_numbered_from_one_in_the_order_of_their_first_deposit(world: World) -> None:
    for owner, subaccount in [(ALICE, 0), (BOB, 7), (ALICE, 255)]:
        world.deposit(owner, subaccount=subaccount)
    assert world.read(views.OWNER_NUMBERS, ALICE) == 1
    assert world.read(views.OWNER_NUMBERS, BOB) == 2
    assert world.read(views.OWNER_NUMBERS, GOVERNOR) == 0
    assert world.read(views.OWNER_COUNT) == 2


def test_a_deposit_moves_the_tokens_and_logs_the_item(world: World) -> None:
    world.mint(ALICE, 9)
    receipt = world.send(calls.deposit(amount=5, subaccount=3), ALICE)
    assert world.logs(receipt) == [
        InboxItemLog(0, DEPOSIT, world.engine.time, ALICE, deposit_payload(0x103, ALICE, 5)),
        DepositedLog(0, 0x103, ALICE, 5),
    ]
    assert int.from_bytes(receipt.output, "big") == 0x103
    assert world.balance(world.rollup) == 5
    assert world.balance(ALICE) == 4


def test_the_accumulator_is_the_one_of_the_protocol_page(world: World) -> None:
    expected = [bytes(32)]
    listing = b"not a listing, and not ours to judge"
    for index, owner in enumerate([None, None, ALICE, BOB, ALICE]):
        world.wait(12)
        if owner:
            world.deposit(owner, amount=index + 1)
            number = world.read(views.OWNER_NUMBERS, owner)
            payload = deposit_payload(number << 8, owner, index + 1)
            item = item_hash(DEPOSIT, index, world.engine.time, owner, payload)
        else:
            world.send(calls.list_market(listing), GOVERNOR)
            item = item_hash(LIST_MARKET, index, world.engine.time, GOVERNOR, listing)
        expected.append(accumulate(expected[-1], item))
    assert world.read(views.INBOX_SIZE) == 5
    assert [world.read(views.ACCUMULATOR, count) for count in range(6)] == expected


def test_an_item_knows_its_time_and_the_sums_up_to_it(world: World) -> None:
    start = world.engine.time
    world.deposit(ALICE, amount=DOLLAR)
    world.wait(30)
    world.send(calls.revoke_key(account=0x100, key_epoch=1), BOB)
    world.wait(30)
    world.deposit(ALICE, amount=2 * DOLLAR)
    assert [world.read(views.INBOX_ITEM, index) for index in range(3)] == [
        views.Item(start, 1, DOLLAR),
        views.Item(start + 30, 2, DOLLAR),
        views.Item(start + 60, 3, 3 * DOLLAR),
    ]


@pytest.mark.parametrize("size", [0, 1, 1_023, 1_024])
def test_a_listing_of_up_to_a_kilobyte_is_logged_as_it_came(world: World, size: int) -> None:
    listing = bytes(range(256)) * 4
    (log,) = world.logs(world.send(calls.list_market(listing[:size]), GOVERNOR))
    assert isinstance(log, InboxItemLog)
    assert log.payload == listing[:size]


def test_a_longer_listing_is_refused(world: World) -> None:
    with pytest.raises(Reverted):
        world.send(calls.list_market(bytes(1_025)), GOVERNOR)
    assert world.read(views.INBOX_SIZE) == 0


def test_the_cap_on_deposits_can_be_reached_exactly(world: World) -> None:
    world.deposit(ALICE, amount=2**64 - 2)
    world.deposit(BOB, amount=1)
    assert world.read(views.INBOX_ITEM, 1).deposited == 2**64 - 1


def test_the_last_owner_number_is_given_out(world: World) -> None:
    world.engine.store(world.rollup, world.slot("owners.owner_count"), 2**24 - 2)
    receipt = world.deposit(ALICE, subaccount=255)
    assert int.from_bytes(receipt.output, "big") == 2**32 - 1


def test_a_token_that_calls_back_is_shut_out(world: World) -> None:
    world = World(world.engine, "reentering_token")
    world.mint(ALICE, 2)
    arm = Function("arm", ("bytes",)).encode(calls.deposit(amount=1, subaccount=0))
    world.engine.send(world.token, arm, sender=BOB)
    world.send(calls.deposit(amount=1, subaccount=0), ALICE)
    for flag, expected in (("outcome", 2), ("answer_size", 0)):
        answer = world.engine.call(world.token, Function(flag).encode())
        assert int.from_bytes(answer, "big") == expected
    assert world.read(views.INBOX_SIZE) == 1


def test_a_contract_cannot_deposit_what_nobody_could_sign_for(world: World) -> None:
    contract = world.mock("bond_receiver")
    world.engine.send(world.token, token.mint(to=contract, amount=DOLLAR), sender=ALICE)
    with pytest.raises(Reverted, match="escrow: a contract has no key to sign with"):
        world.send_through(contract, calls.deposit(amount=DOLLAR, subaccount=0))
    assert world.balance(contract) == DOLLAR
    assert world.read(views.OWNER_COUNT) == world.read(views.INBOX_SIZE) == 0


def test_an_account_with_a_key_and_delegated_code_deposits() -> None:
    engine = PyEvm()  # only Prague knows delegated code
    world = World(engine)
    world.mint(BOB, DOLLAR)
    engine.state.set_code(BOB, b"\xef\x01\x00" + ALICE)
    receipt = world.send(calls.deposit(amount=DOLLAR, subaccount=0), BOB)
    assert int.from_bytes(receipt.output, "big") == 0x100


def test_a_refused_deposit_gives_out_no_number(world: World) -> None:
    world.mint(ALICE, 4)
    with pytest.raises(Reverted, match="test_usdc: balance is too low"):
        world.send(calls.deposit(amount=5, subaccount=0), ALICE)
    assert world.read(views.OWNER_COUNT) == 0
    assert world.read(views.INBOX_SIZE) == 0


@pytest.mark.parametrize("variable", ["inbox.inbox_size", "batches._packed_head", "escrow._paid"])
def test_the_artifact_says_where_variables_lie(variable: str) -> None:
    slots = compile_contract("rollup").slots
    assert list(slots.values()).count(slots[variable]) == 1
