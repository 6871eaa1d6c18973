"""Quote both sides of a market around its mark, and lean against the position.

Shows a batch that cancels and places with nothing in between, a stream of own fills, and a switch
that cancels all orders should this program die. With a devnet running:

    .venv/bin/python examples/market_maker.py --seconds 60
"""

import asyncio
from decimal import Decimal

from node.client import Break, CancelAll, Order
from node.client.devnet import Desk, play

MARKET, SIZE, AWAY, LEAN = "BTC-USD-PERP", Decimal("0.02"), Decimal("0.0001"), Decimal("0.001")


async def make_market(desk: Desk) -> None:
    async with desk.trader.cancel_on_disconnect(), asyncio.TaskGroup() as tasks:
        tasks.create_task(tell_fills(desk))
        while True:
            await quote(desk)
            await asyncio.sleep(0.5)


async def quote(desk: Desk) -> None:
    market = await desk.client.market(MARKET)
    held = {one.market: Decimal(one.size) for one in (await desk.trader.positions()).positions}
    mark, tick = Decimal(market.mark.usd), Decimal(market.tick_size)
    middle = mark * (1 - LEAN * held.get(market.market, Decimal(0)))
    bid, ask = middle * (1 - AWAY) // tick * tick, -(-middle * (1 + AWAY) // tick) * tick
    await desk.trader.batch(
        [
            CancelAll(MARKET),
            Order(market=MARKET, side="buy", size=str(SIZE), price=str(bid)),
            Order(market=MARKET, side="sell", size=str(SIZE), price=str(ask)),
        ]
    )
    print(f"mark {mark}: {bid} bid, {ask} asked, holding {held.get(market.market, 0)}")


async def tell_fills(desk: Desk) -> None:
    async with desk.client.watch_fills(account=desk.trader.account) as fills:
        async for event in fills:
            for one in [] if isinstance(event, Break) else event.data.fills:
                side = one.fill.side if one.fill.taker == desk.trader.account else "quote"
                print(f"  fill {one.number} ({side}): {one.fill.size} at {one.fill.price}")


if __name__ == "__main__":
    play(make_market, __doc__, name="bob")
