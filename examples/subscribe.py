"""Keep a market's book and tell its trades, through whatever happens to the connection.

Shows streams, `Book`, and breaks: restart the node meanwhile, and see both go on. With a devnet
running:

    .venv/bin/python examples/subscribe.py --seconds 30
"""

import asyncio

from node.client import Book, Break, Client
from node.client.devnet import limited, parser, run

MARKET = "BTC-USD-PERP"


async def watch(url: str) -> None:
    async with Client(url) as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_book(client))
        tasks.create_task(tell_trades(client))


async def keep_book(client: Client) -> None:
    book = Book()
    async with client.watch_book(MARKET) as stream:
        async for event in stream:
            book.take(event)
            if isinstance(event, Break):
                print(f"the book is not current ({event.cause}): {event.detail}")
            else:
                depth = f"{len(book.bids)} bids, {len(book.asks)} asks"
                print(f"batch {book.batch}: middle {book.middle}, {depth} ({event.type})")


async def tell_trades(client: Client) -> None:
    async with client.watch_trades(MARKET) as stream:
        async for event in stream:
            for trade in [] if isinstance(event, Break) else event.data.trades:
                print(f"trade {trade.number}: {trade.side} {trade.size} at {trade.price}")


if __name__ == "__main__":
    given = parser(__doc__).parse_args()
    run(limited(watch(given.rpc), given.seconds))
