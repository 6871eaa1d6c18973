"""Sums, sides and registers: every figure that is counted up and must be counted down."""

import pytest
from builders import NOW, VERIFIER, Venue, key
from msgspec.structs import replace

from state.accounts import Position
from state.exchange import row_with_lots, with_lots
from state.execution import run_transaction
from state.inbox import InboxItem
from state.invariants import check_invariants
from state.limits import CASH_MAX
from state.machine import NO_ORDER, OrderInProgress, Phase
from state.markets import Side
from state.orders import BUY, SELL, Life
from state.status import Status
from state.steps import Step, take_item
from state.store import Changes, Fill
from state.transactions import Header
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.units import INDEX_ONE

MARK = 500_000
VALUE = MARK * 100
"""Nano-USD per lot at the mark."""


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    return venue


def legs(venue: Venue) -> tuple[tuple[int, int], tuple[int, int]]:
    """(lots, holders) of the longs and of the shorts."""
    row = venue.state.rows[0]
    return (row.long.lots, row.long.legs), (row.short.lots, row.short.legs)


def test_the_sums_of_markets_move_by_what_a_write_changed(venue: Venue) -> None:
    changes = Changes(venue.state)
    market = venue.state.markets[0]
    before = replace(changes.machine.sums)
    for figures in ((5, 7, 11, -13), (-2, 9, 1, 4), (-2, 9, 1, 4)):
        pool, insurance, bad_debt, dust = figures
        changes.write_market(
            replace(market, pool=pool, insurance=insurance, bad_debt=bad_debt, dust=dust)
        )
        sums = changes.machine.sums
        assert (sums.pools, sums.insurance, sums.bad_debt, sums.dust) == figures
    assert replace(sums, pools=0, insurance=0, bad_debt=0, dust=0) == before
    venue.state.apply(changes)
    second = Changes(venue.state)
    second.write_market(replace(market, market=1, pool=10, insurance=1, bad_debt=2, dust=3))
    sums = second.machine.sums
    assert (sums.pools, sums.insurance, sums.bad_debt, sums.dust) == (8, 10, 3, 7)
    assert venue.state.machine.sums.pools == -2, "a layer writes nothing below it"


def test_the_sums_of_rows_and_accounts_move_by_what_a_write_changed(venue: Venue) -> None:
    changes = Changes(venue.state)
    row, account = venue.state.rows[0], venue.state.account(1 << 8)
    for long, short, cash in ((3, 4, 10), (1, 9, -20), (1, 9, -20)):
        changes.write_row(replace(row, long=Side(long, 1), short=Side(short, 1)))
        changes.write_account(1 << 8, replace(account, cash=cash))
        sums = changes.machine.sums
        assert (sums.long_lots, sums.short_lots) == (long, short)
        assert sums.cash == 20_000 * 10**9 + cash
    assert changes.row(0) == replace(row, long=Side(1, 1), short=Side(9, 1))
    assert changes.row(64) is None, "another market's row in the same place is not its own"


def test_holders_of_a_side_are_counted_up_and_down(venue: Venue) -> None:
    venue.sell("alice", 10, MARK)
    venue.buy("bob", 6, MARK)
    assert legs(venue) == ((6, 1), (6, 1))
    venue.buy("carol", 4, MARK)
    assert legs(venue) == ((10, 2), (10, 1))
    venue.sell("bob", 2, MARK)
    venue.buy("carol", 2, MARK)
    assert legs(venue) == ((10, 2), (10, 1))
    venue.buy("alice", 10, MARK)
    venue.sell("bob", 4, MARK)
    assert legs(venue) == ((6, 1), (6, 1))
    venue.sell("carol", 6, MARK)
    assert legs(venue) == ((0, 0), (0, 0))
    check_invariants(venue.state)


def test_a_position_that_turns_changes_sides(venue: Venue) -> None:
    venue.sell("alice", 10, MARK)
    venue.buy("bob", 10, MARK)
    venue.buy("carol", 25, MARK)
    venue.sell("bob", 25, MARK)
    assert (venue.lots("alice"), venue.lots("bob"), venue.lots("carol")) == (-10, -15, 25)
    assert legs(venue) == ((25, 1), (25, 2))


@pytest.mark.parametrize(
    ("before", "after", "long", "short"),
    [
        (0, 5, (15, 3), (20, 2)),
        (0, -5, (10, 2), (25, 3)),
        (5, 8, (13, 2), (20, 2)),
        (5, 0, (5, 1), (20, 2)),
        (-5, 0, (10, 2), (15, 1)),
        (5, -5, (5, 1), (25, 3)),
        (-5, 5, (15, 3), (15, 1)),
        (-5, -2, (10, 2), (17, 2)),
        (4, 4, (10, 2), (20, 2)),
        (0, 1, (11, 3), (20, 2)),
        (1, 0, (9, 1), (20, 2)),
        (0, -1, (10, 2), (21, 3)),
        (-1, 0, (10, 2), (19, 1)),
        (1, -1, (9, 1), (21, 3)),
        (-1, 1, (11, 3), (19, 1)),
    ],
)
def test_a_row_follows_one_holder(
    before: int, after: int, long: tuple[int, int], short: tuple[int, int]
) -> None:
    row = replace(Venue().state.rows[0], long=Side(10, 2, 7, 8, 9), short=Side(20, 2, 4, 5, 6))
    moved = row_with_lots(row, before, after)
    assert moved.long == Side(*long, 7, 8, 9) and moved.short == Side(*short, 4, 5, 6)


@pytest.mark.parametrize(
    ("lots", "index"),
    [
        *((3, (7, 8, 9)), (1, (7, 8, 9)), (0, (INDEX_ONE, 0, 0))),
        *((-3, (4, 5, 6)), (-1, (4, 5, 6))),
    ],
)
def test_a_position_keeps_the_indices_of_its_side_and_none_when_flat(
    lots: int, index: tuple[int, int, int]
) -> None:
    row = replace(Venue().state.rows[0], long=Side(10, 2, 7, 8, 9), short=Side(20, 2, 4, 5, 6))
    position = with_lots(Position(0, 2, 5, 6, 1, 2, 3), row, lots)
    assert position == Position(0, lots, 5, 6, *index)


def test_the_registers_count_what_is_left_filled_and_still_to_be_met(venue: Venue) -> None:
    seen: list[tuple[int, int, int, int]] = []

    def watch(_: Step, changes: Changes) -> None:
        order = changes.machine.order
        seen.append((order.phase, order.lots, order.filled, order.fronts))

    venue.sell("alice", 4, MARK, expiry=NOW + 1)
    venue.sell("alice", 5, MARK)
    venue.sell("bob", 7, MARK)
    venue.run(Header(NOW + 2))
    venue.on_step = watch
    assert venue.buy("carol", 9, MARK, life=Life.FOK).status == Status.OK
    save, match = int(Phase.SAVE), int(Phase.MATCH)
    assert seen == [
        (save, 9, 0, 256),
        (match, 9, 0, 256),
        (match, 9, 0, 255),
        (match, 4, 5, 254),
        (match, 0, 9, 253),
        (0, 0, 0, 0),
    ]
    assert venue.state.machine.order == NO_ORDER


def test_admit_puts_the_whole_order_in_the_registers(venue: Venue) -> None:
    orders: list[OrderInProgress] = []
    venue.on_step = lambda _, changes: orders.append(changes.machine.order)
    venue.sell("bob", 8, 0, life=Life.IOC, reduce_only=False, expiry=NOW + 77)
    edge = 450_000
    flags = 1 | 1 << 1 | Life.IOC << 2
    assert orders[0] == OrderInProgress(
        Phase.MATCH, 2 << 8, 0, 1, 0, flags, edge, 8, 0, NOW + 77, 256
    )


def test_a_fill_says_who_traded_what_at_whose_price_and_fee(venue: Venue) -> None:
    venue.sell("alice", 4, MARK - 1)
    assert venue.buy("bob", 3, MARK + 5).fills == (
        Fill(
            market=0,
            taker_side=BUY,
            ticks=MARK - 1,
            price=VALUE - 100,
            lots=3,
            taker=2 << 8,
            maker=1 << 8,
            taker_order=(0, 2),
            maker_order=(0, 1),
            taker_fee=75_000,
            maker_fee=15_000,
        ),
    )


@pytest.mark.parametrize("lots", [10, 11])
def test_a_batch_with_a_filled_or_killed_order_can_be_cut_and_undone(
    venue: Venue, lots: int
) -> None:
    first = venue.committer.commit().state_root
    venue.halt()
    venue.state.cut()
    before = venue.committer.commit().state_root
    venue.boot()
    venue.sell("alice", 10, MARK)
    venue.buy("bob", lots, MARK, life=Life.FOK)
    assert venue.state.machine.saved is None
    venue.halt()
    log = venue.state.cut()
    assert venue.committer.commit().state_root != before != first
    venue.state.undo(log)
    assert venue.committer.commit().state_root == before


def test_inside_an_order_that_may_be_restored_nothing_is_cut(venue: Venue) -> None:
    cuts = 0

    def cut(_: Step, changes: Changes) -> None:
        nonlocal cuts
        if changes.machine.saved is not None:
            with pytest.raises(AssertionError):
                venue.state.cut()
            cuts += 1

    venue.sell("alice", 10, MARK)
    venue.on_step = cut
    assert venue.buy("bob", 10, MARK, life=Life.FOK).status == Status.OK
    assert cuts == 2


@pytest.mark.parametrize(("over", "traded"), [(0, 10), (1, 0)])
def test_no_cash_goes_past_its_bound(venue: Venue, over: int, traded: int) -> None:
    fee = -(-10 * VALUE * 500 // 10**6)
    number = venue.numbers["alice"] << 8
    near = CASH_MAX - 10 * VALUE + fee + over
    venue.state.accounts[number] = replace(venue.state.account(number), cash=near)
    venue.buy("bob", 10, MARK)
    status = venue.sell("alice", 10, MARK, life=Life.IOC).status
    assert status == (Status.POSITION_TOO_LARGE if over else Status.OK)
    assert venue.lots("bob") == traded


@pytest.mark.parametrize(("over", "seller"), [(0, 1 << 8), (1, 3 << 8)])
def test_a_maker_whose_cash_would_pass_its_bound_is_swept(
    venue: Venue, over: int, seller: int
) -> None:
    fee = -(-10 * VALUE * 100 // 10**6)
    number = venue.numbers["alice"] << 8
    near = CASH_MAX - 10 * VALUE + fee + over
    venue.state.accounts[number] = replace(venue.state.account(number), cash=near)
    venue.sell("alice", 10, MARK)
    venue.sell("carol", 10, MARK)
    [fill] = venue.buy("bob", 10, MARK).fills
    assert fill.maker == seller


def test_a_debt_past_the_bound_is_refused_as_such(venue: Venue) -> None:
    venue.buy("bob", 10, MARK)
    venue.sell("alice", 10, MARK)
    venue.sell("carol", 10, MARK)
    number = venue.numbers["alice"] << 8
    venue.state.accounts[number] = replace(venue.state.account(number), cash=-CASH_MAX)
    assert venue.buy("alice", 10, MARK).status == Status.POSITION_TOO_LARGE
    assert venue.lots("alice") == -10


def test_a_deposit_is_credited_to_whom_it_names_and_is_none_for_nobody(venue: Venue) -> None:
    state = venue.state
    state.machine.inbox_end = state.machine.inbox + 4
    for number, owner, status in (
        (1 << 8, key("alice").address, Status.OK),
        (1 << 8, key("heir").address, Status.OK),
        (1 << 8, bytes(20), Status.BAD_ITEM),
        (99 << 8, bytes(20), Status.BAD_ITEM),
    ):
        payload = encode_deposit(Deposit(number, owner, 1))
        item = InboxItem(InboxKind.DEPOSIT, state.machine.inbox, NOW, bytes(20), payload)
        state.apply(take_item(state, item))
        assert state.machine.status == status
    assert state.account(1 << 8).owner == key("heir").address
    assert state.account(1 << 8).cash == 10_000 * 10**9 + 2 * 1_000
    assert state.account(99 << 8).is_absent
    check_invariants(state)


def test_a_transfer_adds_to_an_account_that_is_there_and_opens_a_fresh_one(venue: Venue) -> None:
    venue.open("alice", 5, subaccount=1)
    for number, cash in ((1 << 8 | 1, 5 * 10**9 + 3), (1 << 8 | 2, 3)):
        assert venue.transfer("alice", number, 3).status == Status.OK
        target = venue.state.account(number)
        assert (target.cash, target.owner_sequence) == (cash, 0)
        assert (target.owner, target.keys) == (key("alice").address, ())


def test_one_step_is_reported_per_step_of_a_transaction(venue: Venue) -> None:
    venue.sell("alice", 4, MARK)
    before = venue.state.machine.step, venue.state.machine.steps_left
    receipt = venue.order("bob", BUY, 4, MARK, life=Life.FOK)
    after = venue.state.machine.step, venue.state.machine.steps_left
    assert receipt.steps == 4 == after[0] - before[0] == before[1] - after[1]
    assert venue.state.front(0, SELL) is None
    assert run_transaction(venue.state, Header(NOW), b"", VERIFIER).steps == 1
