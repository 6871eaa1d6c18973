"""Governance: markets at once, parameters after their delay, and never twice."""

import pytest
from evm_engines import Reverted
from protocol_bytes import SET_PARAMETERS
from rollup_world import ALICE, BOB, GOVERNOR, PARAMETERS, World

from contracts import calls, views
from contracts.abi import keccak
from contracts.events import InboxItemLog, ParametersCancelledLog, ParametersScheduledLog

DELAY = PARAMETERS.parameter_delay
LIFE = 30 * 86_400
MARKET = 0x0203
LISTING = bytes.fromhex("0203") + b"the terms, which L1 does not read"
STRICTER = bytes.fromhex("0203") + b"other terms of the same market"
ELSEWHERE = bytes.fromhex("0302") + b"the terms of another market"
NOTHING = views.Scheduled(bytes(32), 0)
NOT_SCHEDULED = "governance: not what is scheduled"


def schedule(world: World, listing: bytes = LISTING) -> None:
    world.send(calls.schedule_parameters(listing), GOVERNOR)


def apply(world: World, listing: bytes = LISTING) -> InboxItemLog:
    """The item that anybody's call appended."""
    (log,) = world.logs(world.send(calls.apply_parameters(listing), BOB))
    assert isinstance(log, InboxItemLog)
    return log


def test_what_is_coming_can_be_read_before_it_comes(world: World) -> None:
    receipt = world.send(calls.schedule_parameters(LISTING), GOVERNOR)
    ready_at = world.engine.time + DELAY
    assert world.logs(receipt) == [ParametersScheduledLog(MARKET, ready_at, LISTING)]
    found = world.read(views.SCHEDULED_PARAMETERS, MARKET)
    assert found == views.Scheduled(keccak(LISTING), ready_at)
    assert world.read(views.SCHEDULED_PARAMETERS, MARKET + 1) == NOTHING
    assert world.read(views.INBOX_SIZE) == 0


def test_anybody_applies_it_once_when_its_time_has_come(world: World) -> None:
    schedule(world)
    world.wait(DELAY)
    assert apply(world) == InboxItemLog(0, SET_PARAMETERS, world.engine.time, BOB, LISTING)
    assert world.read(views.INBOX_ITEM, 0) == views.Item(world.engine.time, 1, 0)
    assert world.read(views.SCHEDULED_PARAMETERS, MARKET) == NOTHING
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world)


@pytest.mark.parametrize(
    ("waited", "reason"),
    [
        (0, "governance: parameter delay is not over"),
        (DELAY - 1, "governance: parameter delay is not over"),
        (DELAY, None),
        (DELAY + LIFE, None),
        (DELAY + LIFE + 1, "governance: scheduled too long ago"),
    ],
)
def test_there_is_a_time_for_it(world: World, waited: int, reason: str | None) -> None:
    schedule(world)
    world.wait(waited)
    if reason is None:
        assert apply(world).payload == LISTING
        return
    with pytest.raises(Reverted) as refusal:
        apply(world)
    assert refusal.value.reason == reason
    assert world.read(views.INBOX_SIZE) == 0


def test_what_ran_out_may_be_scheduled_anew(world: World) -> None:
    schedule(world)
    world.wait(DELAY + LIFE + 1)
    schedule(world)
    world.wait(DELAY)
    assert apply(world).index == 0


def test_only_the_last_announcement_for_a_market_counts(world: World) -> None:
    schedule(world, LISTING)
    world.wait(DELAY - 1)
    schedule(world, STRICTER)
    world.wait(DELAY - 1)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, LISTING)
    with pytest.raises(Reverted, match="governance: parameter delay is not over"):
        apply(world, STRICTER)
    world.wait(1)
    assert apply(world, STRICTER).payload == STRICTER
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, LISTING)


def test_announcing_the_same_again_begins_the_delay_anew(world: World) -> None:
    schedule(world)
    world.wait(DELAY)
    schedule(world)
    with pytest.raises(Reverted, match="governance: parameter delay is not over"):
        apply(world)


def test_markets_do_not_get_in_each_others_way(world: World) -> None:
    schedule(world, LISTING)
    schedule(world, ELSEWHERE)
    world.send(calls.cancel_parameters(MARKET), GOVERNOR)
    world.wait(DELAY)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, LISTING)
    assert apply(world, ELSEWHERE).payload == ELSEWHERE


def test_a_change_of_mind_is_told(world: World) -> None:
    schedule(world)
    receipt = world.send(calls.cancel_parameters(MARKET), GOVERNOR)
    assert world.logs(receipt) == [ParametersCancelledLog(MARKET)]
    assert world.read(views.SCHEDULED_PARAMETERS, MARKET) == NOTHING
    world.wait(DELAY)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world)


def test_nothing_is_announced_for_a_market_before_it_is_listed(world: World) -> None:
    """Its terms could change at once under whoever comes to it."""
    schedule(world, STRICTER)
    schedule(world, ELSEWHERE)
    world.wait(DELAY)
    told, listed = world.logs(world.send(calls.list_market(LISTING), GOVERNOR))
    assert told == ParametersCancelledLog(MARKET)
    assert isinstance(listed, InboxItemLog) and listed.payload == LISTING
    assert world.read(views.SCHEDULED_PARAMETERS, MARKET) == NOTHING
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, STRICTER)
    assert apply(world, ELSEWHERE).payload == ELSEWHERE
    assert len(world.logs(world.send(calls.list_market(LISTING), GOVERNOR))) == 1


@pytest.mark.parametrize("changed", [LISTING + b"\0", LISTING[:-1], LISTING[:-1] + b"?"])
def test_what_is_applied_is_to_the_byte_what_was_announced(world: World, changed: bytes) -> None:
    schedule(world)
    world.wait(DELAY)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, changed)


@pytest.mark.parametrize("size", [2, 1_023, 1_024])
def test_an_announcement_of_up_to_a_kilobyte_is_told_and_applied(world: World, size: int) -> None:
    listing = (bytes(range(256)) * 4)[:size]
    schedule(world, listing)
    world.wait(DELAY)
    assert apply(world, listing).payload == listing
    assert world.read(views.SCHEDULED_PARAMETERS, 1) == NOTHING


@pytest.mark.parametrize("size", [0, 1, 1_025])
def test_what_names_no_market_or_is_too_long_is_not_scheduled(world: World, size: int) -> None:
    for call in (calls.schedule_parameters, calls.apply_parameters):
        with pytest.raises(Reverted) as refusal:
            world.send(call(bytes(size)), GOVERNOR)
        assert refusal.value.reason == ("governance: listing names no market" if size < 2 else None)


@pytest.mark.parametrize("sender", [ALICE, bytes(20)])
@pytest.mark.parametrize(
    "data",
    [
        calls.list_market(LISTING),
        calls.schedule_parameters(LISTING),
        calls.cancel_parameters(MARKET),
    ],
    ids=["list", "schedule", "cancel"],
)
def test_nobody_else_lists_schedules_or_cancels(world: World, sender: bytes, data: bytes) -> None:
    schedule(world, STRICTER)
    with pytest.raises(Reverted, match="governance: not the governor"):
        world.send(data, sender)
    found = world.read(views.SCHEDULED_PARAMETERS, MARKET)
    assert found.listing_hash == keccak(STRICTER)
    assert world.read(views.INBOX_SIZE) == 0
