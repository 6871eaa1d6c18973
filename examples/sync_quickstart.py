"""The client without `await`: for notebooks, scripts, and programs with threads of their own.

Shows that every method and every stream of `Client` is one of `SyncClient` too. With a devnet
running, and an account (any other example opens one):

    .venv/bin/python examples/sync_quickstart.py
"""

from decimal import Decimal
from itertools import islice

from node.client import Break, SyncClient
from node.client.devnet import parser, told_in_a_line
from node.devnet.people import person

MARKET = "ETH-USD-PERP"


def main() -> None:
    given = parser(__doc__).parse_args()
    with SyncClient(given.rpc) as client:
        for market in client.markets():
            print(f"{market.symbol}: mark {market.mark.usd}, lots of {market.lot_size}")
        trader = client.trader(person(given.name).private_key)
        market = client.market(MARKET)
        price = Decimal(market.mark.usd) * 98 // 100
        with client.watch_orders(trader.account) as orders:
            receipt = trader.place(MARKET, "buy", "0.1", price=str(price))
            assert receipt.order is not None, "an order that was taken has a name"
            trader.cancel(receipt.order)
            for event in islice(orders, 1, 3):
                for order in [] if isinstance(event, Break) else event.data.orders:
                    print(f"order {order.id.sequence} of {order.size} is {order.status}")


if __name__ == "__main__":
    with told_in_a_line():
        main()
