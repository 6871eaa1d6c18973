"""Keep what an account gains or loses by a move of all coins near nothing.

Buys ether to begin with, and from then on sells or buys bitcoin whenever the dollars at risk,
delta = sum of lots x mark, leave a band around the target. Shows the stream of an account, whose
margin says what each position is worth, and market orders. With a devnet running:

    .venv/bin/python examples/delta_hedger.py --seconds 60
"""

from decimal import Decimal

from node.client import Break
from node.client.devnet import Desk, play
from node.rpc.message_types import Side

HELD, HEDGE = "ETH-USD-PERP", "BTC-USD-PERP"
BEGIN_WITH, TARGET, BAND = Decimal("1"), Decimal(0), Decimal(10)
"""Ether, and dollars."""


async def hedge(desk: Desk) -> None:
    positions = (await desk.trader.positions()).positions
    held = {one.symbol: Decimal(one.size) for one in positions}
    if missing := BEGIN_WITH - held.get(HELD, Decimal(0)):
        side: Side = "buy" if missing > 0 else "sell"
        receipt = await desk.trader.place(HELD, side, str(abs(missing)))
        print(f"{side} {receipt.filled_size} of {HELD}: {receipt.message}")
    async with desk.client.watch_account(desk.trader.account) as stream:
        async for event in stream:
            if isinstance(event, Break):
                print(f"not hedging: {event.detail}")
            else:
                await bring_back(desk)


async def bring_back(desk: Desk) -> None:
    account = await desk.trader.summary()  # as it is after our last order, which events may not be
    delta = sum((Decimal(one.value) for one in account.margin.positions), Decimal(0))
    if abs(delta - TARGET) <= BAND:
        return
    market = await desk.client.market(HEDGE)
    lot = Decimal(market.lot_size)
    size = abs(delta - TARGET) / Decimal(market.mark.usd) // lot * lot
    if size * Decimal(market.mark.usd) < Decimal(market.min_notional):
        return
    receipt = await desk.trader.place(HEDGE, "sell" if delta > TARGET else "buy", str(size))
    print(f"delta {delta:.2f} USD: {receipt.filled_size} of {HEDGE} against it")


if __name__ == "__main__":
    play(hedge, __doc__, name="carol")
