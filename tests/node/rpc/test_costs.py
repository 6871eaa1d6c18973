"""Fees and funding: what is told is what is charged."""

from builders import Venue, listing
from rpc_world import Follower, running

from state.units import share_up


async def test_the_fee_schedule_is_what_a_fill_is_charged() -> None:
    venue = Venue(markets=(listing(), listing(1, symbol=b"FREE", taker_fee=0, maker_fee=0)))
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    venue.sell("bob", 1_001, 500_001)
    (fill,) = venue.buy("alice", 1_001, 500_001).fills
    async with running(Follower(venue)) as rpc:
        found = await rpc.result("venue_fees")
        one = await rpc.result("venue_fees", market="FREE")
    btc, free = found["markets"]
    assert (btc["takerRate"], btc["makerRate"]) == ("0.0005", "0.0001")
    value = fill.lots * fill.price
    assert fill.taker_fee == share_up(value, btc["takerPpm"])
    assert fill.maker_fee == share_up(value, btc["makerPpm"])
    assert float(found["collected"]) == (fill.taker_fee + fill.maker_fee) / 10**9
    assert (free["takerRate"], free["leastFee"], btc["leastFee"]) == ("0", "0", "0.000000001")
    assert one["markets"] == [free]


async def test_a_block_trade_costs_what_the_schedule_says() -> None:
    venue = Venue()
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    async with running(Follower(venue)) as rpc:
        (btc,) = (await rpc.result("venue_fees"))["markets"]
        leg = {"market": 0, "takerSide": "buy", "price": "50000", "size": "0.1"}
        fields = {"maker": 1 << 8, "taker": 2 << 8, "legs": [leg]}
        found = await rpc.result("venue_preview", kind="blockTrade", fields=fields)
    (fill,) = found["fills"]
    assert float(fill["takerFee"]) == 5_000 * btc["blockTradeTakerPpm"] / 10**6
    assert float(fill["makerFee"]) == 5_000 * btc["blockTradeMakerPpm"] / 10**6


async def test_funding_says_plainly_that_there_is_none() -> None:
    async with running(Follower()) as rpc:
        found = await rpc.result("venue_funding", market=0)
        error = await rpc.error("venue_funding", market="NONE")
        assert not (await rpc.client.funding(0)).active
        assert [one.market for one in (await rpc.client.fees()).markets] == [0]
    assert (found["active"], found["rate"], found["nextTime"]) == (False, "0", None)
    assert "no rule" in found["rule"]
    assert error["data"]["reason"] == "unknown_market"
