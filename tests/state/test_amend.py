"""Amend: who may, what keeps its place in the queue, and what is asked anew."""

import pytest
from builders import DOLLAR, FAR, NOW, Venue, key, listing, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_CANCEL, PERMIT_TRADE, SessionKey, last_sequence
from state.invariants import check_invariants
from state.limits import ACCOUNT_ORDERS_MAX, ORDER_STEPS_MAX
from state.markets import Mode
from state.orders import BUY, SELL, Life, RestingOrder, key_ticks
from state.status import Status, is_identity
from state.transactions import Amend, Header

MARK = 500_000
TICKS = MARK - 10
ALICE, BOB = 1 << 8, 2 << 8
TRADER, CANCELLER, LATE = 3, 4, 5
"""Epochs of alice's session keys."""


@pytest.fixture
def venue() -> Venue:
    """Alice bids for ten lots, known by (0, 1); bob behind her, at the same price, for five."""
    venue = Venue(markets=(listing(min_notional=1_000_000, order_lots_max=20_000_000),))
    for name in ("alice", "bob", "carol"):
        venue.open(name, 1_000)
    bot = key("bot").address
    keys = (
        SessionKey(TRADER, bot, 5, FAR, PERMIT_TRADE),
        SessionKey(CANCELLER, bot, 5, FAR, PERMIT_CANCEL),
        SessionKey(LATE, bot, 5, NOW - 1, PERMIT_TRADE),
    )
    account = replace(venue.state.account(ALICE), key_epoch=LATE, keys=keys)
    venue.state.accounts[ALICE] = account
    assert venue.buy("alice", 10, TICKS, expiry=FAR - 100).status == Status.OK
    assert venue.buy("bob", 5, TICKS).status == Status.OK
    return venue


def an_amend(**changed: int) -> Amend:
    """Alice's bid, as it is."""
    fields = {"account": ALICE, "epoch": 0, "sequence": 70, "order_epoch": 0, "order_sequence": 1}
    fields |= {"ticks": TICKS, "lots": 10, "expiry": FAR - 100}
    return Amend(**(fields | changed))


def status_of(venue: Venue, tx: Amend, signer: str = "alice") -> Status:
    return venue.run(tx, sign_transaction(tx, key(signer))).status


def queue(venue: Venue, side: int = BUY) -> list[tuple[int, int, int, int]]:
    """Account, ticks, lots and expiry of what rests, the best first."""
    return [
        (order.account, key_ticks(side, at), order.lots, order.expiry)
        for at, order in venue.state.book(0, side)
    ]


AS_IT_WAS = [(ALICE, TICKS, 10, FAR - 100), (BOB, TICKS, 5, FAR)]
BEYOND = MARK * 110 // 100 + 1


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"ticks": 0}, "mallory", Status.MALFORMED),
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"epoch": 9}, "bot", Status.UNKNOWN_KEY),
        ({"epoch": TRADER}, "alice", Status.BAD_SIGNATURE),
        ({}, "bob", Status.BAD_SIGNATURE),
        ({"sequence": 1}, "alice", Status.SEQUENCE_USED),
        ({"epoch": CANCELLER, "expiry": NOW - 1}, "bot", Status.NOT_PERMITTED),
        ({"epoch": LATE}, "bot", Status.NOT_PERMITTED),
        ({"expiry": NOW - 1, "order_sequence": 2}, "alice", Status.EXPIRED),
        ({"expiry": NOW - 1, "lots": 0}, "alice", Status.EXPIRED),
        # Without the order there is no market whose limits could be passed.
        ({"order_sequence": 2, "lots": 0, "expiry": 2**40 - 1}, "alice", Status.UNKNOWN_ORDER),
        ({"order_epoch": TRADER}, "alice", Status.UNKNOWN_ORDER),
        # Where it stands.
        ({"lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 0, "expiry": NOW}, "alice", Status.LOTS_OUT_OF_RANGE),
        # Anew.
        ({"expiry": 2**40 - 1, "ticks": BEYOND}, "alice", Status.EXPIRY_TOO_FAR),
        ({"ticks": BEYOND, "lots": 0}, "alice", Status.PRICE_OUT_OF_BAND),
        ({"ticks": TICKS + 1, "lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"expiry": FAR, "lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 20_000_001}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"ticks": MARK * 90 // 100 - 90, "lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 20_000_000}, "alice", Status.MARGIN_TOO_LOW),
    ],
    ids=str,
)
def test_a_refused_amend_leaves_everything_as_it_was(
    venue: Venue, changed: dict[str, int], signer: str, status: Status
) -> None:
    tx = an_amend(**changed)
    before, roots = venue.state.snapshot(), venue.committer.commit()
    assert status_of(venue, tx, signer) == status
    after = venue.committer.commit()
    assert queue(venue) == AS_IT_WAS
    assert (venue.state.markets, venue.state.rows) == (before.markets, before.rows)
    assert (after.markets.root, after.board.root) == (roots.markets.root, roots.board.root)
    if is_identity(status):
        assert venue.state.accounts == before.accounts
        assert after.accounts.root == roots.accounts.root
    else:
        assert last_sequence(venue.state.account(ALICE), tx.epoch) == tx.sequence
        held = replace(venue.state.account(ALICE), owner_sequence=1, keys=())
        assert held == replace(before.account(ALICE), keys=())
        assert status_of(venue, tx, signer) == Status.SEQUENCE_USED


@pytest.mark.parametrize(
    ("lots", "expiry"),
    [(10, FAR - 100), (9, FAR - 100), (1, FAR - 100), (10, FAR - 101), (4, NOW), (1, NOW)],
)
@pytest.mark.parametrize("closed", [False, True])
def test_less_or_sooner_keeps_its_place_in_a_closed_market_too(
    lots: int, expiry: int, closed: bool
) -> None:
    venue = Venue()
    for name in ("alice", "bob"):
        venue.open(name, 1_000)
    venue.buy("alice", 10, TICKS, expiry=FAR - 100)
    venue.buy("bob", 5, TICKS)
    if closed:
        venue.state.rows[0] = replace(venue.state.rows[0], mode=Mode.HALTED)
    receipt = venue.amend("alice", 1, TICKS, lots, expiry)
    assert (receipt.status, receipt.steps) == (Status.OK, 1)
    assert queue(venue) == [(ALICE, TICKS, lots, expiry), AS_IT_WAS[1]]
    [position] = venue.state.account(ALICE).positions
    assert (position.bid_lots, position.ask_lots) == (lots, 0)
    assert venue.state.markets[0].next_order == 2, "no number was given"
    check_invariants(venue.state)


@pytest.mark.parametrize(("lots", "status"), [(2, Status.NOTIONAL_TOO_SMALL), (3, Status.OK)])
@pytest.mark.parametrize("ticks", [TICKS, TICKS - 1])
def test_what_is_left_is_worth_the_least_notional(lots: int, status: Status, ticks: int) -> None:
    venue = Venue(markets=(listing(min_notional=ticks * 100 * 3),))
    venue.open("alice", 1_000)
    venue.buy("alice", 10, TICKS)
    assert venue.amend("alice", 1, ticks, lots).status == status
    assert [place[2] for place in queue(venue)] == [lots if status == Status.OK else 10]


@pytest.mark.parametrize(
    ("ticks", "lots", "expiry", "place"),
    [
        (TICKS, 11, FAR - 100, 1),
        (TICKS, 10, FAR - 99, 1),
        (TICKS, 9, FAR, 1),
        (TICKS - 1, 10, FAR - 100, 1),
        (TICKS - 1, 1, NOW, 1),
        (TICKS + 1, 10, FAR - 100, 0),
        (TICKS + 1, 1, FAR, 0),
    ],
)
def test_more_later_or_another_price_goes_to_the_end_of_the_queue(
    venue: Venue, ticks: int, lots: int, expiry: int, place: int
) -> None:
    receipt = venue.run(tx := an_amend(ticks=ticks, lots=lots, expiry=expiry), signed(tx))
    assert (receipt.status, receipt.steps) == (Status.OK, 2)
    amended = (ALICE, ticks, lots, expiry)
    assert queue(venue) == [amended, AS_IT_WAS[1]] if place == 0 else [AS_IT_WAS[1], amended]
    [reference] = venue.state.account(ALICE).orders
    assert (reference.epoch, reference.sequence) == (0, 1), "under its old name"
    assert reference.key % 2**40 == 2, "with a new number"
    check_invariants(venue.state)


def signed(tx: Amend) -> bytes:
    return sign_transaction(tx, key("alice"))


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_amended_across_the_spread_trades_at_once(side: int) -> None:
    venue, towards = Venue(), 1 if side == BUY else -1
    for name in ("alice", "bob"):
        venue.open(name, 1_000)
    venue.order("alice", side, 10, MARK - 5 * towards)
    venue.order("bob", 1 - side, 4, MARK + 5 * towards)
    receipt = venue.amend("alice", 1, MARK + 5 * towards, 10)
    [fill] = receipt.fills
    assert (receipt.status, receipt.steps) == (Status.OK, 3)
    assert (fill.taker_order, fill.lots, fill.ticks) == ((0, 1), 4, MARK + 5 * towards)
    assert queue(venue, side) == [(ALICE, MARK + 5 * towards, 6, FAR)]
    assert venue.amend("bob", 2, MARK, 4).status == Status.UNKNOWN_ORDER
    check_invariants(venue.state)


def test_a_post_only_order_amended_across_the_spread_is_gone(venue: Venue) -> None:
    venue.sell("carol", 4, MARK)
    assert venue.buy("bob", 3, MARK - 1, life=Life.POST_ONLY).status == Status.OK
    sequence = venue.state.account(BOB).orders[-1].sequence
    assert venue.amend("bob", sequence, MARK - 2, 3).status == Status.OK
    assert venue.amend("bob", sequence, MARK, 3).status == Status.WOULD_TRADE
    assert len(venue.state.account(BOB).orders) == 1 and not venue.fills
    check_invariants(venue.state)


def test_an_amended_order_meets_the_others_of_its_account_as_its_flags_say(venue: Venue) -> None:
    venue.sell("alice", 4, MARK)
    assert venue.amend("alice", 1, MARK, 10).status == Status.OK
    assert queue(venue, SELL) == [] and queue(venue)[0] == (ALICE, MARK, 10, FAR)


def test_a_partly_filled_order_is_amended_from_what_is_left(venue: Venue) -> None:
    venue.sell("carol", 4, TICKS, life=Life.IOC)
    assert queue(venue)[0] == (ALICE, TICKS, 6, FAR - 100)
    assert status_of(venue, an_amend(lots=6)) == Status.OK
    assert queue(venue)[0] == (ALICE, TICKS, 6, FAR - 100)
    # Seven is less than was once asked for, but more than is open.
    assert status_of(venue, an_amend(sequence=71, lots=7)) == Status.OK
    assert queue(venue) == [AS_IT_WAS[1], (ALICE, TICKS, 7, FAR - 100)]
    assert venue.lots("alice") == 4
    check_invariants(venue.state)


def test_a_reduce_only_order_stays_one_and_is_clipped_anew(venue: Venue) -> None:
    venue.sell("carol", 10, TICKS, life=Life.IOC)
    assert venue.sell("alice", 10, MARK + 5, reduce_only=True).status == Status.OK
    sequence = venue.state.account(ALICE).orders[0].sequence
    assert venue.amend("alice", sequence, MARK + 6, 15).status == Status.OK
    assert queue(venue, SELL) == [(ALICE, MARK + 6, 10, FAR)]
    assert venue.sell("alice", 10, TICKS, life=Life.IOC).status == Status.REMAINDER_DROPPED
    assert venue.sell("alice", 5, TICKS - 5).status == Status.OK
    venue.buy("bob", 5, TICKS - 5)
    assert venue.lots("alice") == 0
    assert venue.amend("alice", sequence, MARK + 7, 5).status == Status.NOTHING_TO_REDUCE
    assert queue(venue, SELL) == [(ALICE, MARK + 6, 10, FAR)]
    assert venue.amend("alice", sequence, MARK + 6, 5).status == Status.OK, "less where it stands"
    [(_, left)] = venue.state.book(0, SELL)
    assert isinstance(left, RestingOrder) and left.reduce_only and left.lots == 5
    check_invariants(venue.state)


def test_an_order_that_ran_out_unswept_lives_again_behind_the_others(venue: Venue) -> None:
    venue.run(Header(FAR - 50))
    venue.price(50_000_000)
    assert status_of(venue, an_amend()) == Status.EXPIRED
    assert status_of(venue, an_amend(sequence=71, lots=9)) == Status.EXPIRED
    assert status_of(venue, an_amend(sequence=72, lots=9, expiry=FAR - 10)) == Status.OK
    assert queue(venue) == [AS_IT_WAS[1], (ALICE, TICKS, 9, FAR - 10)]
    check_invariants(venue.state)


def test_the_margin_of_the_old_order_counts_for_the_new_one() -> None:
    """At five percent, ten dollars carry the bid once, less its fee, and never twice."""
    venue = Venue()
    venue.open("alice", 10)
    lots = 10 * DOLLAR * 20 // 50_000_000 * 98 // 100
    assert venue.buy("alice", lots, MARK - 1).status == Status.OK
    assert venue.buy("alice", lots, MARK).status == Status.MARGIN_TOO_LOW
    assert venue.amend("alice", 1, MARK, lots).status == Status.OK
    assert venue.amend("alice", 1, MARK, lots * 2).status == Status.MARGIN_TOO_LOW
    assert queue(venue) == [(ALICE, MARK, lots, FAR)]


def test_admitted_but_without_margin_to_rest_the_order_is_gone() -> None:
    """A price worse than the mark costs its distance, which is asked for only at REST."""
    venue = Venue()
    venue.open("alice", 10)
    lots = 10 * DOLLAR * 20 // 50_000_000 * 98 // 100
    assert venue.buy("alice", lots, MARK - 1).status == Status.OK
    assert venue.amend("alice", 1, MARK + 5_000, lots).status == Status.REST_MARGIN_TOO_LOW
    assert queue(venue) == [] == list(venue.state.account(ALICE).positions)
    check_invariants(venue.state)


def test_with_every_place_taken_an_order_is_still_amended() -> None:
    venue = Venue()
    venue.open("alice", 1_000)
    for _ in range(ACCOUNT_ORDERS_MAX):
        assert venue.buy("alice", 1, TICKS).status == Status.OK
    assert venue.amend("alice", 1, TICKS + 1, 2).status == Status.OK
    assert len(venue.state.account(ALICE).orders) == ACCOUNT_ORDERS_MAX
    assert queue(venue)[0] == (ALICE, TICKS + 1, 2, FAR)


@pytest.mark.parametrize(("closed", "status"), [(0, Status.OK), (1, Status.MARKET_CLOSED)])
def test_a_closed_market_admits_nothing_anew(venue: Venue, closed: int, status: Status) -> None:
    venue.run(Header(NOW + 3_600 + closed))
    assert status_of(venue, an_amend(ticks=TICKS + 1)) == status
    assert status_of(venue, an_amend(sequence=71, lots=3)) == Status.OK


def test_keys_that_trade_amend_the_orders_of_others(venue: Venue) -> None:
    assert status_of(venue, an_amend(epoch=TRADER, lots=8), "bot") == Status.OK
    assert status_of(venue, an_amend(epoch=TRADER, sequence=71, lots=20), "bot") == Status.OK
    assert queue(venue) == [AS_IT_WAS[1], (ALICE, TICKS, 20, FAR - 100)]
    account = venue.state.account(ALICE)
    assert (account.owner_sequence, last_sequence(account, TRADER)) == (1, 71)
    [reference] = account.orders
    assert (reference.epoch, reference.sequence) == (0, 1), "whoever amends it, its name stays"
    assert status_of(venue, an_amend(epoch=TRADER, sequence=72, ticks=MARK), "bot") == Status.OK
    [fill] = venue.sell("carol", 20, MARK).fills
    assert fill.maker_order == (0, 1)


@pytest.mark.parametrize(
    ("left", "status"),
    [(ORDER_STEPS_MAX, Status.OUT_OF_STEPS), (ORDER_STEPS_MAX + 1, Status.OK)],
)
def test_an_amend_needs_the_budget_of_an_order(venue: Venue, left: int, status: Status) -> None:
    venue.state.machine.steps_left = left
    assert status_of(venue, an_amend(lots=8)) == status
    assert (queue(venue) == AS_IT_WAS) == (status == Status.OUT_OF_STEPS)
    assert venue.state.account(ALICE).owner_sequence == (70 if status == Status.OK else 1)
