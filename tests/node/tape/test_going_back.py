"""The tape goes back with the venue, stays bounded, and comes back from what was kept of it."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from fake_database import FakeDatabases
from tape_world import Told, contents

from node.store import Store
from node.tape.records import Limits
from node.tape.storage import HEAD, ROW, kept_tape, load_tape, tape_changes
from node.tape.tape import Tape
from node.view import Executed
from state.memory import MemoryState

TIGHT = Limits(trades=20, candles=3, orders=30, account_orders=8)
LIMITS = [Limits(), TIGHT]


@pytest.fixture(scope="module")
def ran() -> list[Executed]:
    return Told(3, 500).ran


def told(ran: list[Executed], number: int, limits: Limits) -> Tape:
    """A tape that knows the batches up to `number` and nothing else."""
    tape = Tape(limits)
    for one in ran:
        if one.batch <= number:
            tape.take(one)
    return tape


@pytest.mark.parametrize("limits", LIMITS)
def test_a_rewind_leaves_nothing_of_what_was_undone(ran: list[Executed], limits: Limits) -> None:
    last = ran[-1].batch
    assert last > 5
    for number in range(last):
        tape = told(ran, last, limits)
        tape.rewind(number)
        assert contents(tape) == contents(told(ran, number, limits)), f"back to {number}"
        for one in ran:
            if one.batch > number:
                tape.take(one)
        assert contents(tape) == contents(told(ran, last, limits)), f"and on from {number}"


def test_it_keeps_the_newest_of_everything(ran: list[Executed]) -> None:
    tape, whole = told(ran, 10**6, TIGHT), told(ran, 10**6, Limits())
    assert tape.fills == whole.fills > TIGHT.trades
    assert len(tape.tables.rows["trades"]) == TIGHT.trades
    assert tape.trades(0, None, 5) == whole.trades(0, None, 5)
    assert len(tape.tables.rows["orders"]) <= TIGHT.orders
    for account in {order.account for order in whole.tables.rows["orders"].values()}:
        kept, every = tape.orders_of(account, count=99), whole.orders_of(account, count=99)
        assert kept == every[: len(kept)] and len(kept) <= TIGHT.account_orders
    assert tape.tables.rows["holdings"] == whole.tables.rows["holdings"]
    assert len(tape.candles(0, "1m", None, 99)) <= TIGHT.candles


class Keeper:
    """A store that a tape is kept in, and what was written to it."""

    def __init__(self) -> None:
        self.databases = FakeDatabases()
        self.store = Store(Path("kept"), mend="delete it", open_database=self.databases)
        self.written: list[int] = []

    @property
    def values(self) -> dict[bytes, bytes]:
        return self.databases.databases[Path("kept")].values

    def keep(self, tape: Tape, number: int) -> None:
        changes = tape_changes(kept_tape(tape, number), self.store)
        self.store.write(changes)
        self.written.append(len(changes))
        tape.kept(number)

    def load(self, number: int, fills: int, limits: Limits) -> Tape:
        tape, state = Tape(limits), MemoryState()
        state.machine.batch = number
        load_tape(tape, self.store, state, fills)
        return tape


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("lag", [0, 2])
def test_what_is_kept_is_the_tape_after_that_batch(
    ran: list[Executed], limits: Limits, lag: int
) -> None:
    """Snapshots every second batch, of what is `lag` batches old, while later ones go on."""
    keeper, tape, last = Keeper(), Tape(limits), 0
    for one in ran:
        if one.batch > last:
            last, final = one.batch, one.batch - 1 - lag
            if final > 0 and final % 2 == 0:
                tape.forget(final)
                keeper.keep(tape, final)
                expected = told(ran, final, limits)
                loaded = keeper.load(final, expected.fills, limits)
                assert contents(loaded) == contents(expected) and not loaded.problem
        tape.take(one)
    assert len(keeper.written) > 2
    whole = len(contents(tape)["rows"]["orders"]) + len(contents(tape)["rows"]["trades"])
    assert limits is TIGHT or max(keeper.written[1:]) < whole, "as much as changed, not everything"


def test_leveldb_gives_back_what_it_was_given(ran: list[Executed], tmp_path: Path) -> None:
    limits, number = Limits(), 4
    tape = told(ran, number, limits)
    store = Store(tmp_path / "kept", mend="delete it")
    store.write(tape_changes(kept_tape(tape, number), store))
    store.close()
    state, loaded = MemoryState(), Tape(limits)
    state.machine.batch = number
    store = Store(tmp_path / "kept", mend="delete it")
    load_tape(loaded, store, state, tape.fills)
    store.close()
    assert contents(loaded) == contents(tape) and not loaded.problem


def test_a_write_that_failed_is_made_up_for_by_the_next(ran: list[Executed]) -> None:
    keeper, tape, limits = Keeper(), told(ran, 2, Limits()), Limits()
    for number in (2, 3, 4):
        if number > 2:
            for one in ran:
                if one.batch == number:
                    tape.take(one)
        if number != 4:
            lost = kept_tape(tape, number)
            tape.kept(number)
            tape.forget(number)
            tape.not_kept((place for place, _ in lost.rows), whole=lost.whole)
    keeper.keep(tape, 4)
    expected = told(ran, 4, limits)
    assert contents(keeper.load(4, expected.fills, limits)) == contents(expected)


def test_a_store_without_a_tape_begins_one_that_says_since_when() -> None:
    world = Told(5, 200)
    state, keeper = world.state, Keeper()
    tape = Tape()
    load_tape(tape, keeper.store, state, 77)
    assert (tape.since_batch, tape.fills, tape.problem) == (state.machine.batch + 1, 77, "")
    for number, account in state.accounts.items():
        for position in account.positions:
            held = tape.holding(number, position.market)
            assert held.lots == position.lots
            assert held.cost is None or position.lots == 0


def damages() -> dict[str, Any]:
    def missing(values: dict[bytes, bytes], random: Random) -> None:
        del values[random.choice([key for key in values if key.startswith(ROW)])]

    def nonsense(values: dict[bytes, bytes], random: Random) -> None:
        values[random.choice([key for key in values if key.startswith(ROW)])] = b"\xc1"

    def another_shape(values: dict[bytes, bytes], random: Random) -> None:
        values[random.choice([key for key in values if key.startswith(ROW)])] = b"\x91\xa1x"

    def unknown_table(values: dict[bytes, bytes], _: Random) -> None:
        values[ROW + b"\xee\x01"] = b"\x90"

    def bad_head(values: dict[bytes, bytes], _: Random) -> None:
        values[HEAD] = values[HEAD][:-1]

    def other_layout(values: dict[bytes, bytes], _: Random) -> None:
        values[HEAD] = values[HEAD].replace(b"\xa6layout\x01", b"\xa6layout\x63")

    def other_batch(values: dict[bytes, bytes], _: Random) -> None:
        values[HEAD] = values[HEAD].replace(b"\xa6number\x04", b"\xa6number\x03")

    return {name: damage for name, damage in locals().items() if callable(damage)}


@pytest.mark.parametrize("name", list(damages()))
def test_a_damaged_tape_begins_anew_and_says_so(ran: list[Executed], name: str) -> None:
    keeper, tape = Keeper(), told(ran, 4, Limits())
    keeper.keep(tape, 4)
    before = dict(keeper.values)
    damages()[name](keeper.values, Random(1))  # noqa: S311  (a seed must reproduce a failure)
    assert keeper.values != before
    loaded = keeper.load(4, tape.fills, Limits())
    assert loaded.since_batch == 5 and loaded.fills == tape.fills
    assert loaded.problem.startswith("TAPE_BEGUN_ANEW: ") and "Delete kept" in loaded.problem
    assert not loaded.tables.rows["trades"] and not loaded.tables.rows["orders"]
    for one in ran:
        if one.batch == 5:
            loaded.take(one)
    keeper.keep(loaded, 5)
    again = keeper.load(5, loaded.fills, Limits())
    assert contents(again) == contents(loaded) and not again.problem, "the next one is whole"
