"""What an order meets on L1 is what it meets in Python, byte by byte, whichever way it ends."""

from functools import cache
from unittest.mock import patch

import histories
import pytest
from block_world import change_account, change_market
from builders import NOW, listing
from evm_engines import ENGINES, Engine, Pyrevm, Reverted
from histories import History
from msgspec.structs import replace
from step_contracts import Case, RecordedVenue, Rules

from contracts.compiler import RUNTIME_BYTES_MAX, compile_contract
from state.limits import ORDER_NUMBER_MAX
from state.machine import Phase
from state.orders import BUY, SELL, Life, SelfTrade
from state.status import Status
from state.steps import Step
from state.transactions import Header

MARK = 500_000
PHASE = 20
"""Where a machine's words hold the order in progress, whose first word is its phase."""


@cache
def rules(engine: type[Engine] = Pyrevm) -> Rules:
    return Rules(engine(), "matching")


def matching(venue: RecordedVenue) -> list[Case]:
    """The steps that the contract is asked for."""
    return [c for c in venue.cases if c.step == Step.ORDER and c.machine[PHASE][0] == Phase.MATCH]


def started(dollars: int = 10_000) -> RecordedVenue:
    """Alice, bob and carol in one market whose mark is `MARK` ticks."""
    venue = RecordedVenue(markets=(listing(),))
    for name in ("alice", "bob", "carol"):
        venue.open(name, dollars)
    return venue


def ended(venue: RecordedVenue, status: Status) -> None:
    """The last transaction ended so, and each of its steps is that of the contract."""
    assert venue.state.machine.status == status
    for case in matching(venue):
        rules().check(case)


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(("made", "taken"), [(10, 10), (10, 4), (4, 10)])
@pytest.mark.parametrize("held", [0, 3, -3, 10, -10])
def test_lots_are_matched_rest_and_turn_positions_over(
    side: int, made: int, taken: int, held: int
) -> None:
    venue = started()
    if held:
        venue.order("carol", BUY if held < 0 else SELL, abs(held), MARK)
        venue.order("bob", BUY if held > 0 else SELL, abs(held), MARK)
        assert venue.lots("bob") == held
    venue.order("alice", 1 - side, made, MARK)
    venue.order("bob", side, taken, MARK)
    assert venue.lots("bob") == held + min(made, taken) * (1 if side == BUY else -1)
    ended(venue, Status.OK)


def test_an_order_joins_the_end_of_the_queue() -> None:
    venue = started()
    for name in ("bob", "alice", "bob"):
        venue.buy(name, 5, MARK - 1)
    venue.sell("carol", 11, MARK - 1)
    ended(venue, Status.OK)


@pytest.mark.parametrize("engine", ENGINES)
def test_both_engines_say_the_same(engine: type[Engine]) -> None:
    venue = started()
    venue.sell("alice", 5, MARK)
    venue.buy("bob", 7, MARK)
    for case in matching(venue):
        rules(engine).check(case)


@pytest.mark.parametrize("self_trade", SelfTrade)
@pytest.mark.parametrize("life", Life)
def test_who_meets_an_own_order_gives_way(self_trade: SelfTrade, life: Life) -> None:
    venue = started()
    venue.sell("alice", 5, MARK)
    receipt = venue.buy("alice", 5, MARK, life=life, self_trade=self_trade)
    expected = {Life.GTC: Status.OK, Life.POST_ONLY: Status.OK, Life.IOC: Status.REMAINDER_DROPPED}
    status = expected.get(life, Status.KILLED)
    if self_trade != SelfTrade.CANCEL_RESTING and life != Life.FOK:
        status = Status.SELF_TRADE
    assert receipt.status == status
    ended(venue, status)


def test_what_may_not_rest_is_dropped_or_killed() -> None:
    venue = started()
    venue.sell("alice", 5, MARK)
    venue.buy("bob", 7, MARK, life=Life.FOK)
    ended(venue, Status.KILLED)
    venue.buy("bob", 5, MARK, life=Life.FOK)
    ended(venue, Status.OK)
    venue.buy("bob", 7, MARK, life=Life.IOC)
    ended(venue, Status.REMAINDER_DROPPED)


def test_a_post_only_order_takes_nothing() -> None:
    venue = started()
    venue.sell("alice", 5, MARK)
    venue.buy("bob", 5, MARK, life=Life.POST_ONLY)
    ended(venue, Status.WOULD_TRADE)


def test_an_order_meets_no_more_fronts_than_it_may() -> None:
    venue = started()
    for _ in range(3):
        venue.sell("alice", 1, MARK)
    with patch("state.transactions.order.ORDER_FRONTS_MAX", 2):
        venue.buy("bob", 3, MARK)
    ended(venue, Status.FRONTS_EXHAUSTED)


def test_an_expired_front_is_swept() -> None:
    venue = started()
    venue.sell("alice", 5, MARK, expiry=NOW + 10)
    venue.run(Header(NOW + 11))
    venue.buy("bob", 5, MARK)
    ended(venue, Status.OK)
    assert venue.lots("bob") == 0


def test_reduce_only_orders_are_cut_to_the_position() -> None:
    venue = started()
    venue.sell("alice", 5, MARK)
    venue.buy("bob", 5, MARK)
    venue.sell("bob", 9, MARK + 1, reduce_only=True)
    venue.sell("bob", 9, MARK + 1, reduce_only=True)
    venue.buy("carol", 9, MARK + 1)
    ended(venue, Status.OK)
    assert venue.lots("bob") == 0
    venue.buy("bob", 2, MARK + 2)
    venue.sell("carol", 2, MARK + 2)
    venue.buy("alice", 9, MARK - 1)
    venue.sell("carol", 9, MARK - 1, reduce_only=True)
    ended(venue, Status.NOTHING_LEFT_TO_REDUCE)


def test_a_maker_without_margin_is_swept() -> None:
    venue = started()
    venue.sell("alice", 1_000, MARK)
    change_account(venue, "alice", cash=0)
    venue.buy("bob", 1_000, MARK)
    ended(venue, Status.OK)
    assert venue.lots("bob") == 0


@pytest.mark.parametrize(
    ("asks", "life", "status"),
    [
        ([], Life.GTC, Status.OK),
        ([4_000], Life.GTC, Status.REST_MARGIN_TOO_LOW),
        ([20_000], Life.POST_ONLY, Status.WOULD_TRADE),
        ([20_000], Life.IOC, Status.TAKER_MARGIN_TOO_LOW),
        ([4_000, 20_000], Life.GTC, Status.TAKER_MARGIN_TOO_LOW),
        ([20_000], Life.FOK, Status.KILLED),
    ],
)
def test_an_unhealthy_taker_may_only_shrink_its_position(
    asks: list[int], life: Life, status: Status
) -> None:
    venue = started()
    venue.open("bent", 36)
    venue.buy("alice", 10_000, MARK)
    venue.sell("bent", 10_000, MARK)
    venue.price(51_500_000)
    for lots in asks:
        venue.sell("carol", lots, MARK + 15_000)
    assert venue.buy("bent", 19_000, MARK + 15_000, life=life).status == status
    ended(venue, status)


def test_cash_past_its_maximum_is_a_position_too_large() -> None:
    venue = started()
    venue.buy("alice", 5, MARK)
    change_account(venue, "bob", cash=2**111)
    venue.sell("bob", 5, MARK)
    ended(venue, Status.POSITION_TOO_LARGE)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"open_interest_max": 4}, Status.OPEN_INTEREST_TOO_LARGE),
        ({"open_interest_max": 5}, Status.OK),
    ],
)
def test_the_limits_of_a_market_end_an_order(changed: dict[str, int], status: Status) -> None:
    venue = started()
    venue.sell("alice", 5, MARK)
    change_market(venue, 0, **changed)
    venue.buy("bob", 5, MARK)
    ended(venue, status)


def test_a_full_book_takes_no_order() -> None:
    venue = started()
    change_market(venue, 0, next_order=ORDER_NUMBER_MAX)
    venue.buy("bob", 5, MARK)
    ended(venue, Status.OK)
    venue.buy("bob", 5, MARK)
    ended(venue, Status.BOOK_FULL)


@pytest.mark.parametrize("seed", range(4))
def test_every_step_of_a_random_history_is_that_of_python(seed: int) -> None:
    with patch.object(histories, "Venue", RecordedVenue):
        history = History(seed)
        history.run(300)
    venue = history.venue
    assert isinstance(venue, RecordedVenue)
    cases = matching(venue)
    assert len(cases) > 80
    for case in cases:
        rules().check(case)


def test_a_leaf_that_is_missing_proves_nothing() -> None:
    venue = started()
    venue.sell("alice", 5, MARK)
    venue.buy("bob", 5, MARK)
    case = matching(venue)[-2]
    with pytest.raises(Reverted, match="witness: leaf missing"):
        rules().apply(replace(case, leaves=bytes(5)))
    with pytest.raises(Reverted, match="store: front missing"):
        rules().apply(replace(case, fronts=0))


def without_rows(leaves: bytes) -> bytes:
    """The leaves of a witness less all rows of the board."""
    at, ends = 0, []
    for key_bytes in (4, 2, 1):
        count, at = leaves[at], at + 1
        for _ in range(count):
            size_at = at + key_bytes
            at = size_at + 2 + int.from_bytes(leaves[size_at : size_at + 2])
        ends.append(at)
    return leaves[: ends[1]] + b"\0" + leaves[ends[2] :]


def test_a_row_that_is_missing_proves_nothing_though_nothing_is_left_to_reduce() -> None:
    """WTN-8."""
    venue = started()
    venue.sell("alice", 5, MARK)
    venue.buy("bob", 5, MARK)
    for _ in range(2):
        venue.sell("bob", 5, MARK + 1, reduce_only=True)
    venue.buy("carol", 9, MARK + 1)
    swept = [case for case in matching(venue) if case.after[PHASE][0] == Phase.MATCH][-1]
    venue.buy("alice", 9, MARK - 1)
    venue.sell("carol", 9, MARK - 1, reduce_only=True)
    nothing_left = matching(venue)[-1]
    assert nothing_left.status == Status.NOTHING_LEFT_TO_REDUCE
    for case in (swept, nothing_left):
        rules().check(case)
        with pytest.raises(Reverted):
            rules().apply(replace(case, leaves=without_rows(case.leaves)))


def test_the_contract_can_be_deployed() -> None:
    assert len(compile_contract("steps/matching").runtime_code) <= RUNTIME_BYTES_MAX
