"""What happened, over JSON-RPC: trades, candles, fills, orders and positions."""

import pytest
from builders import DOLLAR, FAR, MICRO_DOLLAR, NOW, Venue, key
from rpc_world import Follower, Sequencer, running, submission

from node.rpc.amounts import units_of
from state.orders import BUY, Flags, Life, encode_flags
from state.transactions import Header, NewOrder

ALICE, BOB, CAROL = 1 << 8, 2 << 8, 3 << 8
LOTS = 10_000


def nano(text: str) -> int:
    """USD as a result has it, which may be negative."""
    value = units_of(text.lstrip("-"), 9)
    return -value if text.startswith("-") else value


def traded() -> Sequencer:
    """Alice buys at 500,000 ticks, sells some dearer to carol, and rests the remainder."""
    venue = Venue()
    node = Sequencer(venue)
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    venue.sell("bob", 2 * LOTS, 500_000)
    venue.sell("bob", LOTS, 505_000)
    venue.buy("alice", 2 * LOTS, 500_000)
    venue.run(Header(NOW + 90))
    venue.sell("alice", LOTS, 500_400)
    venue.buy("carol", LOTS, 500_400)
    return node


async def test_trades_come_newest_first_and_page_on() -> None:
    async with running(traded()) as rpc:
        page = await rpc.result("venue_trades", market="BTC-USD-PERP")
        assert [trade["number"] for trade in page["trades"]] == [2, 1]
        assert page["trades"][0] | {"time": 0} == {
            "number": 2,
            "batch": 1,
            "time": 0,
            "side": "buy",
            "price": "50040",
            "size": "0.01",
            "ticks": 500_400,
            "lots": LOTS,
            "block": False,
        }
        (older,) = (await rpc.result("venue_trades", market=0, before=2, count=5))["trades"]
        assert older["number"] == 1 and page["sinceBatch"] == 1


@pytest.mark.parametrize("count", [0, 1_001])
async def test_a_page_has_a_size(count: int) -> None:
    async with running(traded()) as rpc:
        error = await rpc.error("venue_trades", market=0, count=count)
        assert error["data"]["reason"] == "count_out_of_range"
        assert error["data"]["expected"] == "1 to 1000"


async def test_candles_have_exact_strings_and_ticks() -> None:
    async with running(traded()) as rpc:
        page = await rpc.result("venue_candles", market=0, interval="1m")
        first, second = page["candles"][::-1]
        assert (first["open"], first["close"], first["openTicks"]) == ("50000", "50000", 500_000)
        assert (second["volume"], second["lots"], second["trades"]) == ("0.01", "10000", 1)
        assert nano(first["value"]) == 2 * LOTS * 50_000_000
        assert second["start"] - first["start"] in (60, 120)
        day = await rpc.result("venue_candles", market=0, interval="1d")
        assert [c["high"] for c in day["candles"]] == ["50040"]
        error = await rpc.error("venue_candles", market=0, interval="2m")
        assert error["data"]["reason"] == "unknown_value"


async def test_fills_are_told_as_their_holder_had_them() -> None:
    async with running(traded()) as rpc:
        sold, bought = (await rpc.result("venue_fills", account=ALICE))["fills"]
        assert (bought["role"], bought["side"], bought["realised"]) == ("taker", "buy", "0")
        assert (sold["role"], sold["side"], sold["counterparty"]) == ("maker", "sell", CAROL)
        assert nano(sold["realised"]) == LOTS * 400 * 100
        assert (await rpc.result("venue_fills", account=ALICE, before=2))["fills"] == [bought]
        assert (await rpc.result("venue_fills", account=ALICE, market=0, count=1))["fills"] == [
            sold
        ]


async def test_orders_say_what_became_of_them() -> None:
    node = traded()
    venue = node.venue
    venue.buy("carol", 5, 499_000)
    (resting,) = venue.state.account(CAROL).orders
    venue.amend("carol", resting.sequence, 499_000, 3)
    venue.cancel("carol", resting.sequence)
    venue.buy("carol", LOTS, 499_000, life=Life.FOK)
    venue.buy("carol", 10**7, 499_000)
    async with running(node) as rpc:
        found = (await rpc.result("venue_orders", account=CAROL))["orders"]
        assert [(o["status"], o["reason"]) for o in found] == [
            ("refused", "margin_too_low"),
            ("dropped", "killed"),
            ("cancelled", "cancel"),
            ("filled", None),
        ]
        cancelled = next(o for o in found if o["status"] == "cancelled")
        assert (cancelled["amended"], cancelled["lots"], cancelled["openLots"]) == (1, 3, 0)
        filled = found[-1]
        assert (filled["averagePrice"], filled["filledLots"]) == ("50040", LOTS)
        rests = await rpc.result("venue_orders", account=BOB, status="resting")
        assert [o["openLots"] for o in rests["orders"]] == [LOTS]
        numbers = [o["number"] for o in found]
        older = await rpc.result("venue_orders", account=CAROL, before=numbers[1], count=1)
        assert [o["number"] for o in older["orders"]] == [numbers[2]]


async def test_a_client_order_id_stands_beside_its_order_and_fills() -> None:
    node = traded()
    async with running(node) as rpc:
        flags = encode_flags(Flags(BUY, life=Life.IOC))
        tx = NewOrder(CAROL, 0, next(node.venue.sequences), 0, flags, 505_000, LOTS, FAR)
        await rpc.result("venue_submit", **submission(tx, key("carol"), client_order_id="mine"))
        (order, *_) = (await rpc.result("venue_orders", account=CAROL))["orders"]
        (fill, *_) = (await rpc.result("venue_fills", account=CAROL))["fills"]
        assert order["clientOrderId"] == fill["clientOrderId"] == "mine"


async def test_positions_add_up_to_the_account() -> None:
    node = traded()
    node.venue.price(51_000_000)
    node.venue.withdraw("alice", 7 * MICRO_DOLLAR)
    async with running(node) as rpc:
        for account in (ALICE, BOB, CAROL):
            page = await rpc.result("venue_positions", account=account)
            margin = (await rpc.result("venue_account", account=account))["margin"]
            assert page["equity"] == margin["equity"] and page["cash"] == margin["cash"]
            assert page["initialMargin"] == margin["initialMargin"]
            paid_in = 10_000 - (7 if account == ALICE else 0)
            assert page["paidIn"] == str(paid_in)
            profit = nano(page["realised"]) + nano(page["unrealised"]) - nano(page["fees"])
            assert nano(page["equity"]) == paid_in * DOLLAR + profit
            (position,) = page["positions"]
            assert nano(position["unrealised"]) == nano(position["value"]) - nano(position["cost"])
        alice = await rpc.result("venue_positions", account=ALICE)
        (position,) = alice["positions"]
        assert position["entryPrice"] == {"usd": "50000", "nano": "50000000"}
        assert (position["lots"], position["size"], position["since"]) == (LOTS, "0.01", NOW)
        assert (alice["unrealised"], alice["realised"]) == ("10", "0.4")


async def test_a_closed_position_keeps_its_profit() -> None:
    node = traded()
    node.venue.sell("alice", LOTS, 499_900)
    node.venue.buy("carol", LOTS, 499_900)
    async with running(node) as rpc:
        (position,) = (await rpc.result("venue_positions", account=ALICE))["positions"]
        assert (position["lots"], position["entryPrice"], position["since"]) == (0, None, None)
        assert position["cost"] == "0" and nano(position["realised"]) != 0


async def test_a_node_that_knows_no_cost_says_null() -> None:
    node = traded()
    node.tape.begin_late(node.state, node.tape.fills)
    async with running(node) as rpc:
        page = await rpc.result("venue_positions", account=ALICE)
        assert (page["paidIn"], page["unrealised"], page["sinceBatch"]) == (None, None, 2)
        (position,) = page["positions"]
        assert position["cost"] is None and position["entryPrice"] is None
        assert position["lots"] == LOTS
        assert (await rpc.result("venue_trades", market=0))["trades"] == []


@pytest.mark.parametrize("method", ["venue_fills", "venue_orders", "venue_positions"])
async def test_an_account_that_is_not_there_is_said_to_be_missing(method: str) -> None:
    async with running(Follower()) as rpc:
        error = await rpc.error(method, account=7)
        assert error["data"]["reason"] == "unknown_account"


async def test_the_client_reads_all_of_it() -> None:
    async with running(traded()) as rpc:
        assert [t.number for t in (await rpc.client.trades("BTC-USD-PERP", before=2)).trades] == [1]
        assert len((await rpc.client.candles(0, "1h", count=1)).candles) == 1
        assert len((await rpc.client.account_fills(ALICE, market=0)).fills) == 2
        assert (await rpc.client.account_orders(BOB, status="refused")).orders == []
        assert (await rpc.client.positions(CAROL)).positions[0].lots == LOTS
