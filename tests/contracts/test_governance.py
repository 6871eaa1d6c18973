"""Governance: markets and parameters after their delay, never twice; at once while nobody is in."""

import pytest
from evm_engines import Receipt, Reverted
from protocol_bytes import LIST_MARKET, SET_PARAMETERS
from rollup_world import ALICE, BOB, GOVERNOR, PARAMETERS, World

from contracts import calls, views
from contracts.abi import keccak
from contracts.events import ChangeCancelledLog, ChangeScheduledLog, InboxItemLog

DELAY = PARAMETERS.parameter_delay
LIFE = 30 * 86_400
MARKET = 0x0203
LISTING = bytes.fromhex("0203") + b"the terms, which L1 does not read"
STRICTER = bytes.fromhex("0203") + b"other terms of the same market"
ELSEWHERE = bytes.fromhex("0302") + b"the terms of another market"
NOTHING = views.Scheduled(bytes(32), 0)
NOT_SCHEDULED = "governance: not what is scheduled"


SCHEDULING = {LIST_MARKET: calls.schedule_listing, SET_PARAMETERS: calls.schedule_parameters}
EITHER = pytest.mark.parametrize("kind", SCHEDULING, ids=["listing", "parameters"])


def schedule(world: World, listing: bytes = LISTING, kind: int = SET_PARAMETERS) -> Receipt:
    return world.send(SCHEDULING[kind](listing), GOVERNOR)


def apply(world: World, listing: bytes = LISTING, kind: int = SET_PARAMETERS) -> InboxItemLog:
    """The item that anybody's call appended."""
    (log,) = world.logs(world.send(calls.apply_scheduled(kind, listing), BOB))
    assert isinstance(log, InboxItemLog)
    return log


def test_a_market_is_listed_at_once_until_somebody_deposits(world: World) -> None:
    founding = [LISTING, ELSEWHERE]
    for index, listing in enumerate(founding):
        (log,) = world.logs(world.send(calls.list_market(listing), GOVERNOR))
        assert log == InboxItemLog(index, LIST_MARKET, world.engine.time, GOVERNOR, listing)
    world.deposit(ALICE, amount=1)
    for _ in range(2):
        with pytest.raises(Reverted, match="governance: somebody has deposited"):
            world.send(calls.list_market(b"\0\7another"), GOVERNOR)
        # What was deposited once is known behind items that bring nothing.
        world.send(calls.revoke_key(account=0x100, key_epoch=1), ALICE)
        world.wait(DELAY)


def test_whoever_is_in_has_notice_of_a_market_to_come(world: World) -> None:
    world.deposit(ALICE)
    ready_at = world.engine.time + DELAY
    told = world.logs(schedule(world, kind=LIST_MARKET))
    assert told == [ChangeScheduledLog(MARKET, LIST_MARKET, ready_at, LISTING)]
    with pytest.raises(Reverted, match="governance: parameter delay is not over"):
        apply(world, kind=LIST_MARKET)
    world.wait(DELAY)
    listed = apply(world, kind=LIST_MARKET)
    assert listed == InboxItemLog(1, LIST_MARKET, world.engine.time, BOB, LISTING)


@EITHER
def test_nothing_is_applied_as_another_kind(world: World, kind: int) -> None:
    schedule(world, kind=kind)
    world.wait(DELAY)
    for other in {*range(256)} - {kind}:
        with pytest.raises(Reverted, match=NOT_SCHEDULED):
            apply(world, kind=other)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, bytes([kind]) + LISTING)
    assert apply(world, kind=kind).kind == kind


@EITHER
def test_what_is_coming_can_be_read_before_it_comes(world: World, kind: int) -> None:
    receipt = schedule(world, kind=kind)
    ready_at = world.engine.time + DELAY
    assert world.logs(receipt) == [ChangeScheduledLog(MARKET, kind, ready_at, LISTING)]
    found = world.read(views.SCHEDULED_CHANGES, MARKET)
    assert found == views.Scheduled(keccak(bytes([kind]) + LISTING), ready_at)
    assert world.read(views.SCHEDULED_CHANGES, MARKET + 1) == NOTHING
    assert world.read(views.INBOX_SIZE) == 0


@EITHER
def test_anybody_applies_it_once_when_its_time_has_come(world: World, kind: int) -> None:
    schedule(world, kind=kind)
    world.wait(DELAY)
    assert apply(world, kind=kind) == InboxItemLog(0, kind, world.engine.time, BOB, LISTING)
    assert world.read(views.INBOX_ITEM, 0) == views.Item(world.engine.time, 1, 0)
    assert world.read(views.SCHEDULED_CHANGES, MARKET) == NOTHING
    for again in SCHEDULING:
        with pytest.raises(Reverted, match=NOT_SCHEDULED):
            apply(world, kind=again)


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
@EITHER
def test_there_is_a_time_for_it(world: World, kind: int, waited: int, reason: str | None) -> None:
    schedule(world, kind=kind)
    world.wait(waited)
    if reason is None:
        assert apply(world, kind=kind).payload == LISTING
        return
    with pytest.raises(Reverted) as refusal:
        apply(world, kind=kind)
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
    world.send(calls.cancel_scheduled(MARKET), GOVERNOR)
    world.wait(DELAY)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, LISTING)
    assert apply(world, ELSEWHERE).payload == ELSEWHERE


@EITHER
def test_a_change_of_mind_is_told(world: World, kind: int) -> None:
    schedule(world, kind=kind)
    receipt = world.send(calls.cancel_scheduled(MARKET), GOVERNOR)
    assert world.logs(receipt) == [ChangeCancelledLog(MARKET)]
    assert world.read(views.SCHEDULED_CHANGES, MARKET) == NOTHING
    world.wait(DELAY)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, kind=kind)


def test_a_market_comes_without_other_terms_in_its_wake(world: World) -> None:
    """Those announced before it is listed could change at once under whoever comes to it."""
    schedule(world, STRICTER)
    world.wait(DELAY)
    schedule(world, LISTING, LIST_MARKET)
    world.wait(DELAY)
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, STRICTER)
    assert apply(world, LISTING, LIST_MARKET).payload == LISTING
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, STRICTER)


@EITHER
def test_a_founding_market_comes_without_them_too(world: World, kind: int) -> None:
    schedule(world, STRICTER, kind)
    schedule(world, ELSEWHERE)
    world.wait(DELAY)
    told, listed = world.logs(world.send(calls.list_market(LISTING), GOVERNOR))
    assert told == ChangeCancelledLog(MARKET)
    assert isinstance(listed, InboxItemLog) and listed.payload == LISTING
    assert world.read(views.SCHEDULED_CHANGES, MARKET) == NOTHING
    with pytest.raises(Reverted, match=NOT_SCHEDULED):
        apply(world, STRICTER, kind)
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
    assert world.read(views.SCHEDULED_CHANGES, 1) == NOTHING


@pytest.mark.parametrize("size", [0, 1, 1_025])
def test_what_names_no_market_or_is_too_long_is_not_scheduled(world: World, size: int) -> None:
    listing = bytes(size)
    schedulings = [call(listing) for call in SCHEDULING.values()]
    for call in (*schedulings, calls.apply_scheduled(LIST_MARKET, listing)):
        with pytest.raises(Reverted) as refusal:
            world.send(call, GOVERNOR)
        assert refusal.value.reason == ("governance: listing names no market" if size < 2 else None)


@pytest.mark.parametrize("sender", [ALICE, bytes(20)])
@pytest.mark.parametrize(
    "data",
    [
        calls.list_market(LISTING),
        calls.schedule_listing(LISTING),
        calls.schedule_parameters(LISTING),
        calls.cancel_scheduled(MARKET),
    ],
    ids=["list", "schedule listing", "schedule parameters", "cancel"],
)
def test_nobody_else_lists_schedules_or_cancels(world: World, sender: bytes, data: bytes) -> None:
    schedule(world, STRICTER)
    with pytest.raises(Reverted, match="governance: not the governor"):
        world.send(data, sender)
    found = world.read(views.SCHEDULED_CHANGES, MARKET)
    assert found.change_hash == keccak(bytes([SET_PARAMETERS]) + STRICTER)
    assert world.read(views.INBOX_SIZE) == 0
