"""Place an order, look at it in the book, make it smaller, and cancel it.

Shows a trader's whole day in small: prices and sizes are decimal strings, every answer is a
receipt, and a refusal says what was wrong and how to mend it. With a devnet running:

    .venv/bin/python examples/place_and_cancel.py
"""

from decimal import Decimal

from node.client import VenueError
from node.client.devnet import Desk, play

MARKET = "BTC-USD-PERP"


async def place_and_cancel(desk: Desk) -> None:
    client, trader = desk.client, desk.trader
    market = await client.market(MARKET)
    price = str(Decimal(market.mark.usd) * 90 // 100)  # below the market, so that it rests

    ahead = await trader.preview(MARKET, "buy", "0.02", price=price)
    margin = ahead.accounts[0].after
    print(f"would leave {margin.free_collateral} of {margin.equity} USD free: {ahead.message}")

    receipt = await trader.place(MARKET, "buy", "0.02", price=price)
    assert receipt.order is not None, "an order that was taken has a name"
    print(f"order {receipt.order.sequence}: {receipt.message}, in batch {receipt.batch}")
    await trader.amend(receipt.order, size="0.01")
    standing = await trader.order(receipt.order)
    print(f"it is {standing.standing}, with {standing.open_lots} lots open")
    cancelled = await trader.cancel(receipt.order)
    print(f"cancelled: {cancelled.status}")

    try:
        await trader.place(MARKET, "buy", "50", price=price)
    except VenueError as refusal:
        print(f"too much is refused: {refusal.reason}, {refusal.data['mend']}")


if __name__ == "__main__":
    play(place_and_cancel, __doc__, name="alice")
