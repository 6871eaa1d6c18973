"""What is not settled yet begins at an earlier state nearby, however long the history is."""

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import pytest
from fake_clock import FakeClock
from fake_rollup import TERMS
from followed_node import FOLDER, Node, blocks_of
from structlog.testing import capture_logs

from node import earlier_states
from node.batch_before import BatchBefore, batch_before
from node.earlier_states import BACK, EARLIER, FORGOTTEN_MAX
from node.errors import Retry
from node.followed import Followed
from node.follower import FollowerConfig, FollowerService
from node.leaves import PREFIX, all_places, leaf_changes
from node.rollup_events import Confirmed, RollupEvent
from node.snapshot_policy import SnapshotPolicy
from node.store import StoreDamaged
from prover import replay
from prover.replay import Replayer
from state.commitment import Commitment, Committer
from state.machine import SavedRoots, decode_machine, encode_machine

INTERVAL = 3
LAG = 10
"""Batches until one is settled; the last of them comes right before a snapshot."""
Values = dict[bytes, bytes]
Leaves = dict[bytes, bytes | None]


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than two batches can no longer be undone."""
    monkeypatch.setattr(replay, "UNDO_BATCHES_MAX", 2)


def leaves_of(commitment: Commitment) -> Leaves:
    return dict(leaf_changes(commitment, all_places(commitment)))


@cache
def history(seed: int) -> tuple[list[list[RollupEvent]], list[Leaves]]:
    """Blocks of one batch, and the leaves after each: number 0 is genesis. The right claim on a
    batch is settled LAG batches later.
    """
    blocks = blocks_of(seed, 600)
    followed = Followed(TERMS, check=False)
    leaves = [leaves_of(followed.replayer.commitment())]
    for events in blocks:
        for event in events:
            followed.take(event)
        leaves.append(leaves_of(followed.replayer.commitment()))
        if followed.number > LAG:
            settled = followed.batches[followed.number - LAG - 1]
            number, block = settled.record.number, events[0].block
            place: dict[str, Any] = {"block": block, "log_index": 100, "transaction": bytes(32)}
            events.append(Confirmed(batch=number, claim=settled.claim, **place))
            followed.take(events[-1])
    return blocks, leaves


def follower_of(node: Node) -> FollowerService:
    config = FollowerConfig(l1_url="http://nowhere", rollup=TERMS.rollup, data_directory=FOLDER)
    follower = FollowerService(config, FakeClock(), open_database=node.databases)
    follower._kept = node.kept
    return follower


def look(node: Node, number: int) -> tuple[BatchBefore, int]:
    """A batch with the state before it, and how many batches were executed to get there."""
    executed = 0
    apply = Replayer.apply

    def counting(replayer: Replayer, derived: Any) -> Any:
        nonlocal executed
        executed += 1
        return apply(replayer, derived)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replayer, "apply", counting)
        found = batch_before(follower_of(node), node.followed, number)
    assert found.derive().cursor == node.followed.batches[number - 1].cursor
    return found, executed


def leaves_before(found: BatchBefore) -> Leaves:
    return leaves_of(Committer(found.state.snapshot()).commit())


def unsettled(node: Node) -> range:
    return range(node.followed.confirmed + 1, node.followed.number + 1)


def check_unsettled(node: Node, leaves: list[Leaves]) -> int:
    """That each is found as it was, from a snapshot nearby; how many batches were executed."""
    total = 0
    for number in unsettled(node):
        found, executed = look(node, number)
        assert leaves_before(found) == leaves[number - 1], number
        assert found.posted.number == number and executed < INTERVAL
        total += executed
    return total


@pytest.mark.parametrize("seed", [1, 4, 7])
async def test_before_every_unsettled_batch_stands_what_a_full_replay_has(seed: int) -> None:
    blocks, leaves = history(seed)
    random = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
    node = await Node().open()
    executed = batches = 0
    for at, block in enumerate(blocks):
        await node.take([block])
        if random.random() < 0.3:
            await node.open()
        if at % 5 == 4 or block is blocks[-1]:
            executed += check_unsettled(node, leaves)
            batches += sum(number - 1 for number in unsettled(node))
    assert node.followed.confirmed > 3 * INTERVAL and 0 < 4 * executed < batches


async def test_what_is_settled_is_forgotten() -> None:
    """A settled batch still is found, from genesis; what is kept does not grow with the past."""
    blocks, leaves = history(1)
    node = await Node().open()
    kept = []
    for block in blocks:
        await node.take([block])
        values = node.database.values
        kept.append(len([key for key in values if key.startswith(EARLIER)]))
        groups = {key[len(BACK) :][:8] for key in values if key.startswith(BACK)}
        assert groups == {key[len(EARLIER) :] for key in values if key.startswith(EARLIER)}
    assert max(kept) == kept[-1] == LAG // INTERVAL + 1
    for number in range(1, node.followed.confirmed - INTERVAL):
        found, executed = look(node, number)
        assert leaves_before(found) == leaves[number - 1] and executed == number - 1


async def test_one_write_forgets_a_part_and_the_next_ones_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks, leaves = history(4)
    node = await Node().open()
    await node.take(blocks[: LAG + 3 * INTERVAL])
    monkeypatch.setattr(earlier_states, "FORGOTTEN_MAX", 1)
    await node.take(blocks[len(node.followed.batches) :])
    values = node.database.values

    def groups() -> set[bytes]:
        return {key[len(BACK) :][:8] for key in values if key.startswith(BACK)}

    heads = {key[len(EARLIER) :] for key in values if key.startswith(EARLIER)}
    assert groups() > heads, "some leaves are left that nothing leads to"
    check_unsettled(node, leaves)
    monkeypatch.setattr(earlier_states, "FORGOTTEN_MAX", FORGOTTEN_MAX)
    node.policy = SnapshotPolicy(batches=1)
    again = blocks[-2:]
    await node.kept.rewind(blocks[-3][0].block)
    await (await node.open()).take(again)
    assert {key[len(EARLIER) :] for key in values if key.startswith(EARLIER)} == groups()


async def test_a_snapshot_that_l1_takes_back_takes_the_earlier_ones_along() -> None:
    blocks, leaves = history(7)
    node = await Node().open()
    await node.take(blocks[:-4])
    assert any(key.startswith(EARLIER) for key in node.database.values)
    back = node.stored - 1
    await node.kept.rewind(blocks[back - 1][0].block)
    assert not any(key.startswith((EARLIER, BACK, PREFIX)) for key in node.database.values)
    number = node.followed.confirmed + 1
    found, executed = look(node, number)
    assert leaves_before(found) == leaves[number - 1] and executed == number - 1
    await node.take(blocks[back:])
    await node.open()
    last = node.followed.number - 2
    found, executed = look(node, last)
    assert leaves_before(found) == leaves[last - 1] and executed < INTERVAL, "and then it goes on"


async def test_what_l1_settles_and_takes_back_is_found_nearby(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what was settled up to the block of a snapshot's batch is forgotten with it."""
    monkeypatch.setattr(replay, "UNDO_BATCHES_MAX", 64)
    blocks, leaves = history(1)
    node = await Node().open()
    for at, block in enumerate(blocks):
        await node.take([block], final=at - LAG)
    settled, snapshot = node.followed.confirmed, node.stored
    await node.kept.rewind(blocks[snapshot - 1][0].block)
    assert node.stored == snapshot > node.followed.confirmed < settled
    await node.open()
    assert check_unsettled(node, leaves) > 0


async def test_leaves_that_a_crash_left_behind_mix_with_no_snapshot() -> None:
    """As between dropping the snapshots and taking the room back: any number may come again."""
    blocks, leaves = history(7)
    node = await Node().open()
    for number in range(1, len(blocks)):
        node.database.values[BACK + number.to_bytes(8, "big") + b"/a" + bytes(4)] = b"left"
    await node.take(blocks[: LAG + 2 * INTERVAL])
    check_unsettled(node, leaves)
    await node.take(blocks[node.followed.number :])
    left = [key[len(BACK) :][:8] for key, value in node.database.values.items() if value == b"left"]
    assert min(left) > (node.stored - LAG).to_bytes(8), "and they go like all others"


def older_folder(values: Values) -> None:
    for key in [key for key in values if key.startswith((EARLIER, BACK))]:
        del values[key]


def each_back(change: Callable[[bytes], bytes]) -> Callable[[Values], None]:
    def damage(values: Values) -> None:
        values |= {k: change(value) for k, value in values.items() if k.startswith(BACK)}

    return damage


def heads(value: Callable[[int], int]) -> Callable[[Values], None]:
    def damage(values: Values) -> None:
        for key in [key for key in values if key.startswith(EARLIER)]:
            values[key] = value(int.from_bytes(values[key], "big")).to_bytes(8, "big")

    return damage


def flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\x01"


def one_gone(values: Values) -> None:
    del values[min(key for key in values if key.startswith(BACK) and key[14:15] == b"a")]


def round_and_round(values: Values) -> None:
    """Back from the oldest to the newest."""
    keys = sorted(key for key in values if key.startswith(EARLIER))
    values[keys[0]] = keys[-1][len(EARLIER) :]


def in_the_middle(values: Values) -> None:
    """Machines that read, but of no state between batches."""
    for key in [key for key in values if key.startswith(BACK) and key.endswith(b"/x")]:
        machine, withdrawals_root, _ = decode_machine(values[key])
        machine.saved = machine.sums
        values[key] = encode_machine(machine, withdrawals_root, SavedRoots(*[bytes(32)] * 3))


@pytest.mark.parametrize(
    "damage",
    [
        older_folder,
        each_back(flipped),
        each_back(lambda _: b""),
        each_back(lambda value: value[1:]),
        one_gone,
        heads(lambda _: 0),
        heads(lambda before: before + 1),
        heads(lambda _: 2**64 - 1),
        round_and_round,
        in_the_middle,
    ],
    ids=[
        *("an older folder", "flipped", "emptied", "cut", "one gone", "zero", "another", "later"),
        *("round and round", "in the middle"),
    ],
)
async def test_what_is_damaged_or_missing_begins_at_genesis(
    damage: Callable[[Values], None],
) -> None:
    blocks, leaves = history(1)
    node = await Node().open()
    await node.take(blocks[: 5 * INTERVAL])
    damage(node.database.values)
    await node.open()
    number = node.followed.confirmed + 1
    found, executed = look(node, number)
    assert leaves_before(found) == leaves[number - 1] and executed == number - 1
    await node.take(blocks[node.followed.number :])
    number = node.followed.number - 3
    found, executed = look(node, number)
    assert leaves_before(found) == leaves[number - 1], "and the follower goes on"
    assert executed < INTERVAL, "with snapshots that are whole"


async def test_a_circle_of_damaged_heads_stops_no_follower() -> None:
    """Nothing is settled here, so all of it is gone over with every snapshot."""
    blocks, (_, leaves) = blocks_of(4, 600), history(4)
    node = await Node().open()
    await node.take(blocks[: 4 * INTERVAL])
    round_and_round(node.database.values)
    await node.take(blocks[4 * INTERVAL :])
    for number in (2 * INTERVAL, len(blocks) - 3):
        assert leaves_before(look(node, number)[0]) == leaves[number - 1]


async def test_damage_at_any_place_leads_to_no_wrong_state() -> None:
    blocks, leaves = history(4)
    node = await Node().open()
    await node.take(blocks[: 5 * INTERVAL])
    number = node.followed.confirmed + 1
    values, random = node.database.values, Random(4)  # noqa: S311
    keys = sorted(key for key in values if key.startswith((EARLIER, BACK)))
    from_genesis = 0
    for key in random.sample(keys, 40):
        value = values[key]
        at = random.randrange(len(value) + 1)
        values[key] = value[:at] + bytes([random.randrange(256)]) + value[at + 1 :]
        found, executed = look(node, number)
        assert leaves_before(found) == leaves[number - 1]
        from_genesis += executed == number - 1
        values[key] = value
    assert from_genesis > 20


async def test_a_database_that_does_not_read_stops_no_follower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks, leaves = history(4)
    node = await Node().open()
    await node.take(blocks[: LAG + INTERVAL])
    store = node.kept.store.store
    entries = store.entries

    def failing(prefix: bytes, **options: Any) -> Iterator[tuple[bytes, bytes]]:
        if prefix.startswith((EARLIER, BACK)):
            raise store.damaged("Corruption: block checksum mismatch")
        return entries(prefix, **options)

    monkeypatch.setattr(store, "entries", failing)
    with capture_logs() as logs:
        await node.take(blocks[len(node.followed.batches) :])
        number = node.followed.confirmed + 1
        found, executed = look(node, number)
    assert leaves_before(found) == leaves[number - 1] and executed == number - 1
    told = [log["problem"] for log in logs if log["event"] == "earlier states are damaged"]
    assert told and all("STORE_DAMAGED" in problem for problem in told)


async def test_damaged_events_are_told_and_a_batch_that_went_is_tried_again() -> None:
    blocks, _ = history(1)
    node = await Node().open()
    await node.take(blocks[: 3 * INTERVAL])
    number = INTERVAL + 2
    block = node.followed.batches[number - 1].record.posted_block
    event = next(at for at, event in enumerate(node.kept.store.events()) if event.block == block)
    key = b"event/" + event.to_bytes(8, "big")
    value = node.database.values[key]
    node.database.values[key] = value[:-1]
    with pytest.raises(StoreDamaged, match=f"event {event} is missing or changed"):
        look(node, number)
    node.database.values[key] = value
    followed = node.followed
    node.kept.store.rewind(block - 1)
    with pytest.raises(Retry, match=f"batch {number} is no longer what it was: L1 took it back"):
        batch_before(follower_of(node), followed, number)
