"""The contract that the venue is compared with does what a perpetual must, and no more."""

import pytest
from evm_engines import Engine, Pyrevm, Reverted
from rollup_world import person

from contracts import token
from contracts.abi import Function, View
from contracts.compiler import compile_contract
from node.benchmark.alternative import run_contract
from node.benchmark.contract import CANCEL, DEPOSIT, PLACE, SET_MARK, SOURCES, TRADES
from node.clock import SystemClock
from node.config import EMBEDDED

MARK = 600_000
LOTS = 1_000
DOLLAR = 10**6
ORACLE, ALICE, BOB, CAROL = (person(name) for name in ("oracle", "alice", "bob", "carol"))
ACCOUNTS = View(
    "accounts", ("address",), ("int256", "int256", "uint256", "uint256"), lambda *held: held
)
WITHDRAW = Function("withdraw", ("uint256",))


class Market:
    """The contract on an engine, three people with $1,000 each, the mark at MARK."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.token = engine.deploy(compile_contract("test_usdc").creation_code, sender=ORACLE)
        code = compile_contract("perp", SOURCES).creation_code
        self.perp = engine.deploy(code + self.token.rjust(32, b"\0"), sender=ORACLE)
        self.sequence = 0
        engine.send(self.perp, SET_MARK.encode(MARK), sender=ORACLE)
        for who in (ALICE, BOB, CAROL):
            amount = 1_000 * DOLLAR
            engine.send(self.token, token.mint(to=who, amount=amount), sender=who)
            approval = token.approve(spender=self.perp, amount=amount)
            engine.send(self.token, approval, sender=who)
            engine.send(self.perp, DEPOSIT.encode(amount), sender=who)

    def place(
        self, who: bytes, side: str, ticks: int, lots: int = LOTS, *, rests: bool = True
    ) -> int:
        """The lots traded; `sequence` is that of the order."""
        self.sequence += 1
        data = PLACE.encode(self.sequence, side == "buy", ticks, lots, rests)
        return int.from_bytes(self.engine.send(self.perp, data, sender=who).output)

    def cancel(self, who: bytes, sequence: int, side: str) -> None:
        self.engine.send(self.perp, CANCEL.encode(sequence, side == "buy"), sender=who)

    def account(self, who: bytes) -> tuple[int, int, int, int]:
        """Cash, lots, open buys, open sells."""
        cash, lots, buys, sells = ACCOUNTS.answer(self.engine.call(self.perp, ACCOUNTS.call(who)))
        return cash, lots, buys, sells

    @property
    def trades(self) -> int:
        return TRADES.answer(self.engine.call(self.perp, TRADES.call()))


@pytest.fixture
def market() -> Market:
    return Market(Pyrevm())


def test_the_best_price_trades_first_and_at_one_price_the_first_order(market: Market) -> None:
    for who, ticks in ((ALICE, MARK + 2), (BOB, MARK + 1), (ALICE, MARK + 1)):
        market.place(who, "sell", ticks)
    assert market.place(CAROL, "buy", MARK + 2, LOTS) == LOTS
    assert market.account(BOB)[1] == -LOTS, "the better price, and there the first"
    assert market.place(CAROL, "buy", MARK + 2, 2 * LOTS) == 2 * LOTS
    assert market.account(ALICE)[1] == -2 * LOTS
    assert market.trades == 3


def test_a_price_beyond_the_limit_is_not_taken_and_the_rest_rests(market: Market) -> None:
    market.place(ALICE, "sell", MARK + 1, LOTS // 2)
    market.place(ALICE, "sell", MARK + 9)
    assert market.place(BOB, "buy", MARK + 1) == LOTS // 2
    assert market.account(BOB)[1:3] == (LOTS // 2, LOTS // 2)
    assert market.place(CAROL, "sell", MARK + 1) == LOTS // 2


def test_what_may_not_rest_is_dropped(market: Market) -> None:
    assert market.place(BOB, "buy", MARK, rests=False) == 0
    assert market.account(BOB)[1:] == (0, 0, 0)


def test_a_cancelled_order_is_not_traded(market: Market) -> None:
    market.place(ALICE, "sell", MARK)
    market.cancel(ALICE, market.sequence, "sell")
    market.place(BOB, "sell", MARK)
    assert market.place(CAROL, "buy", MARK) == LOTS
    assert [market.account(who)[1] for who in (ALICE, BOB)] == [0, -LOTS]


def test_money_and_lots_only_change_hands(market: Market) -> None:
    market.place(ALICE, "sell", MARK)
    market.place(BOB, "buy", MARK)
    fees = View("fees", (), ("uint256",), int)
    paid = fees.answer(market.engine.call(market.perp, fees.call()))
    accounts = [market.account(who) for who in (ALICE, BOB, CAROL)]
    value = LOTS * MARK * 100
    assert paid == value * 600 // 10**6, "five basis points of the taker, one of the maker"
    assert sum(cash for cash, *_ in accounts) + paid == 3_000 * 10**9
    assert sum(lots for _, lots, *_ in accounts) == 0


def test_nobody_trades_rests_or_withdraws_beyond_their_margin(market: Market) -> None:
    most = 1_000 * 10**9 * 20 // (MARK * 100)
    market.place(ALICE, "buy", MARK, most)
    for attempt in (
        PLACE.encode(99, True, MARK, 1, True),
        PLACE.encode(99, True, MARK, LOTS, True),
        WITHDRAW.encode(1 * DOLLAR),
    ):
        with pytest.raises(Reverted, match="margin is too low"):
            market.engine.send(market.perp, attempt, sender=ALICE)
    market.cancel(ALICE, market.sequence, "buy")
    market.engine.send(market.perp, WITHDRAW.encode(1_000 * DOLLAR), sender=ALICE)
    assert market.account(ALICE)[0] == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PLACE.encode(1, True, MARK, LOTS, True), "sequence is used"),
        (CANCEL.encode(7, True), "no such order"),
        (SET_MARK.encode(1), "not the oracle"),
        (PLACE.encode(9, True, 0, LOTS, True), "nothing to trade"),
    ],
)
def test_what_makes_no_sense_reverts(market: Market, data: bytes, reason: str) -> None:
    market.place(ALICE, "buy", MARK)
    with pytest.raises(Reverted, match=reason):
        market.engine.send(market.perp, data, sender=ALICE)


async def test_the_mix_runs_whole_on_an_l1() -> None:
    outcome = await run_contract(SystemClock(), 16, EMBEDDED)
    assert (outcome.orders, outcome.trades, outcome.reverted) == (16, 4, 0)
    assert outcome.engine == EMBEDDED
    assert 21_000 < outcome.gas_of_an_order < 1_000_000
