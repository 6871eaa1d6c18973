"""Markets, books and accounts as they are served, every figure worked out by hand."""

from typing import Any

import pytest
from builders import DOLLAR, FAR, NOW, PUBLISHER, Venue, key, listing
from rpc_world import Follower, Sequencer, running

from state.accounts import SessionKey
from state.markets import Tier
from state.orders import BUY, Life
from state.transactions import Header

ALICE, BOB = 1 << 8, 2 << 8


def trading_venue() -> Venue:
    """Alice is long 1,000 lots at 50,000 and bids for more; Bob is short and asks."""
    venue = Venue()
    venue.open("alice", 10_000)
    venue.open("bob", 20_000)
    venue.sell("bob", 1_000, 500_000)
    venue.buy("alice", 1_000, 500_000)
    venue.buy("alice", 200, 499_000)
    venue.buy("bob", 300, 499_000, expiry=NOW + 100)
    venue.buy("alice", 500, 498_000, life=Life.POST_ONLY)
    venue.sell("bob", 70, 501_000)
    return venue


async def result(node: Follower, method: str, **params: Any) -> Any:
    async with running(node) as rpc:
        return await rpc.result(method, **params)


async def test_a_market_is_told_in_both_units() -> None:
    found = await result(Sequencer(trading_venue()), "venue_market", market="BTC-USD-PERP")
    assert found == {
        "market": 0,
        "symbol": "BTC-USD-PERP",
        "mode": "live",
        "lotExponent": 6,
        "lotSize": "0.000001",
        "tick": 100,
        "tickSize": "0.1",
        "mark": {"usd": "50000", "nano": "50000000"},
        "index": {"usd": "50000", "nano": "50000000"},
        "slowMark": {"usd": "50000", "nano": "50000000"},
        "priceAge": {"time": NOW, "age": 0, "ageMax": 3_600, "fresh": True},
        "openInterest": {
            "size": "0.001",
            "lots": "1000",
            "lotsMax": str(10**15),
            "notional": "50",
        },
        "band": {"ppm": 100_000, "lowest": "45000", "highest": "55000"},
        "takerFeePpm": 500,
        "makerFeePpm": 100,
        "minNotional": "0",
        "orderLotsMax": str(10**12),
        "positionLotsMax": str(10**13),
        "orderLifeMax": 90 * 86_400,
        "tiers": [{"start": "0", "initialPpm": 50_000, "maintenancePpm": 30_000}],
        "interestLower": "0",
        "interestUpper": "0",
        "publishers": ["0x" + PUBLISHER.address.hex()],
    }


@pytest.mark.parametrize("name", [1, "1", "ETH-USD-PERP"])
async def test_a_market_is_found_by_number_and_symbol(name: Any) -> None:
    eth = listing(1, symbol=b"ETH-USD-PERP", lot_exponent=5, tick=1_000)
    node = Sequencer(Venue(markets=(listing(), eth)))
    found = await result(node, "venue_market", market=name)
    assert (found["symbol"], found["tickSize"], found["mark"]["usd"]) == (
        *("ETH-USD-PERP", "0.1"),
        "5000",
    )
    assert [m["market"] for m in await result(node, "venue_markets")] == [0, 1]


@pytest.mark.parametrize("name", [7, -1, 2**70, "7", "btc", "", "0x0", "x" * 1000])
async def test_an_unknown_market_is_answered_with_those_there_are(name: Any) -> None:
    async with running(Sequencer()) as rpc:
        for method, params in (
            ("venue_market", {"market": name}),
            ("venue_book", {"market": name}),
            ("rollup_bestOrderProof", {"market": name, "side": "buy"}),
        ):
            error = await rpc.error(method, **params)
            assert error["code"] == 2001
            assert error["data"]["reason"] == "unknown_market"
            assert error["data"]["expected"] == ["0 BTC-USD-PERP"]
            assert len(error["data"]["got"]) <= 80


async def test_a_market_without_a_price_has_no_band_and_is_not_fresh() -> None:
    venue = Venue()
    venue.run(Header(NOW + 10_000))
    found = await result(Follower(venue), "venue_market", market=0)
    assert found["priceAge"] == {"time": NOW, "age": 10_000, "ageMax": 3_600, "fresh": False}
    unpriced = Venue(mark=0)
    found = await result(Follower(unpriced), "venue_market", market=0)
    assert found["mark"] == {"usd": "0", "nano": "0"}
    assert found["band"]["highest"] is None
    assert found["priceAge"]["fresh"] is False


async def test_the_book_adds_up_the_orders_at_each_price() -> None:
    book = await result(Sequencer(trading_venue()), "venue_book", market=0)
    assert book["bids"] == [
        {"price": "49900", "size": "0.0005", "ticks": 499_000, "lots": "500", "orders": 2},
        {"price": "49800", "size": "0.0005", "ticks": 498_000, "lots": "500", "orders": 1},
    ]
    assert book["asks"] == [
        {"price": "50100", "size": "0.00007", "ticks": 501_000, "lots": "70", "orders": 1}
    ]
    assert (book["bestBid"], book["bestAsk"]) == (book["bids"][0], book["asks"][0])
    assert (book["market"], book["batch"], book["time"]) == (0, 1, NOW)


async def test_an_expired_order_is_not_shown_in_the_book() -> None:
    venue = trading_venue()
    venue.run(Header(NOW + 101))
    book = await result(Sequencer(venue), "venue_book", market=0)
    assert book["bids"][0]["lots"] == "200"
    assert venue.state.order(0, BUY, venue.state.account(BOB).orders[0].key) is not None


async def test_an_empty_book_has_no_best() -> None:
    book = await result(Sequencer(), "venue_book", market=0)
    assert (book["bestBid"], book["bestAsk"], book["bids"], book["asks"]) == (None, None, [], [])


async def test_depth_cuts_the_levels_off_and_is_bounded() -> None:
    venue = Venue()
    venue.open("alice", 100_000)
    for ticks in range(490_000, 490_030):
        venue.buy("alice", 1, ticks)
    async with running(Sequencer(venue)) as rpc:
        assert len((await rpc.result("venue_book", market=0))["bids"]) == 20
        assert len((await rpc.result("venue_book", market=0, depth=1))["bids"]) == 1
        deep = await rpc.result("venue_book", market=0, depth="0xc8")
        assert [level["ticks"] for level in deep["bids"]] == list(range(490_029, 489_999, -1))
        for depth in (0, 201):
            error = await rpc.error("venue_book", market=0, depth=depth)
            assert error["data"]["reason"] == "depth_out_of_range"


async def test_an_account_names_every_term_of_its_margin() -> None:
    """Alice paid 50 USD and 0.025 in fees for 1,000 lots, and bids for 700 more at the mark."""
    found = await result(Sequencer(trading_venue()), "venue_account", account=ALICE)
    margin = found["margin"]
    assert margin == {
        "cash": "9949.975",
        "equity": "9999.975",
        "initialMargin": "4.25",
        "freeCollateral": "9995.725",
        "healthy": True,
        "fresh": True,
        "positions": [
            {
                "market": 0,
                "symbol": "BTC-USD-PERP",
                "size": "0.001",
                "lots": 1_000,
                "bidLots": "700",
                "askLots": "0",
                "worstLots": "1700",
                "mark": {"usd": "50000", "nano": "50000000"},
                "valuedAt": {"usd": "50000", "nano": "50000000"},
                "value": "50",
                "exposure": "85",
                "interestPpm": 0,
                "slices": [{"start": "0", "end": "85", "ratePpm": 50_000, "margin": "4.25"}],
                "initialMargin": "4.25",
                "fresh": True,
            }
        ],
    }
    assert found["withdrawable"] == "9995.725"
    assert found["owner"] == "0x" + key("alice").address.hex()
    assert (found["account"], found["ownerNumber"], found["subaccount"]) == (256, 1, 0)
    assert found["nextSequence"] == "6"
    first, second = found["orders"]
    assert first == {
        "id": {"epoch": 0, "sequence": "3"},
        "market": 0,
        "symbol": "BTC-USD-PERP",
        "side": "buy",
        "price": "49900",
        "ticks": 499_000,
        "size": "0.0002",
        "lots": 200,
        "expiry": FAR,
        "life": "GTC",
        "reduceOnly": False,
        "selfTrade": "cancel-resting",
        "flags": 0,
        "clientOrderId": None,
    }
    assert (second["id"]["sequence"], second["life"]) == ("5", "post-only")


async def test_tiers_and_open_interest_show_in_the_slices() -> None:
    """Two tiers, and open interest half way between its bounds: each rate half way to one."""
    tiers = (Tier(0, 50_000, 30_000), Tier(30 * DOLLAR, 100_000, 60_000))
    market = listing(tiers=tiers, interest_lower=40 * DOLLAR, interest_upper=60 * DOLLAR)
    venue = Venue(markets=(market,))
    venue.open("alice", 10_000)
    venue.open("bob", 10_000)
    venue.sell("bob", 1_000, 500_000)
    venue.buy("alice", 1_000, 500_000)
    found = await result(Sequencer(venue), "venue_account", account=BOB)
    (position,) = found["margin"]["positions"]
    assert position["interestPpm"] == 500_000
    assert position["slices"] == [
        {"start": "0", "end": "30", "ratePpm": 525_000, "margin": "15.75"},
        {"start": "30", "end": "50", "ratePpm": 550_000, "margin": "11"},
    ]
    assert position["initialMargin"] == found["margin"]["initialMargin"] == "26.75"
    assert (position["lots"], position["value"]) == (-1_000, "-50")


async def test_withdrawable_is_at_the_worse_of_mark_and_slow_mark() -> None:
    """The mark leaps by a tenth; a minute on, the slow mark has gone 1/11 of the way."""
    venue = trading_venue()
    for seconds in (60, 120):
        venue.run(Header(NOW + seconds))
        venue.price(55_000_000)
    async with running(Sequencer(venue)) as rpc:
        market = await rpc.result("venue_market", market=0)
        found = await rpc.result("venue_account", account=ALICE)
    assert market["slowMark"] == {"usd": "50454.545", "nano": "50454545"}
    # 9949.975 + 50.454545 - 1,700 lots x 0.055 x 5 %
    assert found["withdrawable"] == "9995.754545"
    assert found["margin"]["freeCollateral"] == "10000.3"


async def test_a_stale_mark_keeps_everything_in() -> None:
    venue = trading_venue()
    venue.run(Header(NOW + 3_601))
    found = await result(Sequencer(venue), "venue_account", account=ALICE)
    assert found["withdrawable"] == "0"
    assert (found["margin"]["fresh"], found["margin"]["healthy"]) == (False, True)


async def test_session_keys_have_sequences_of_their_own() -> None:
    venue = Venue()
    venue.open("alice", 10)
    session = SessionKey(3, key("session").address, 41, FAR, 1)
    account = venue.state.accounts[ALICE]
    venue.state.accounts[ALICE] = type(account)(owner=account.owner, keys=(session,))
    found = await result(Sequencer(venue), "venue_account", account=ALICE)
    assert found["keys"] == [
        {
            "epoch": 3,
            "address": "0x" + key("session").address.hex(),
            "nextSequence": "42",
            "expiry": FAR,
            "mayTrade": True,
            "mayCancel": True,
            "mayBlockTrade": False,
            "permissions": 1,
        }
    ]


async def test_the_accounts_of_an_address_are_found_by_it() -> None:
    venue = Venue()
    venue.open("bob", 1)
    venue.open("alice", 10, subaccount=7)
    venue.open("alice", 20)
    async with running(Sequencer(venue)) as rpc:
        owner = "0x" + key("alice").address.hex()
        found = await rpc.result("venue_accounts", owner=owner)
        assert [account["account"] for account in found] == [0x200, 0x207]
        assert [account["margin"]["cash"] for account in found] == ["20", "10"]
        assert await rpc.result("venue_accounts", owner="0x" + "00" * 20) == []
        for wrong in ("0x" + "00" * 19, "0x0", owner[2:], "0xzz", 5, None):
            error = await rpc.error("venue_accounts", owner=wrong)
            assert error["code"] == -32602
            assert error["data"]["reason"] in ("not_hex", "wrong_length")


@pytest.mark.parametrize("number", [0, 255, 2**32 - 1, "0x100"])
async def test_an_absent_account_is_not_an_empty_one(number: Any) -> None:
    async with running(Sequencer()) as rpc:
        error = await rpc.error("venue_account", account=number)
    assert (error["code"], error["data"]["reason"]) == (2001, "unknown_account")
    assert "deposit" in error["data"]["mend"]


async def test_a_side_without_room_for_a_tick_has_no_band() -> None:
    venue = Venue(markets=(listing(tick=1),), mark=2**25)
    found = await result(Sequencer(venue), "venue_market", market=0)
    assert found["band"]["lowest"] is None
