"""The client of a venue: `Client` for asyncio, `SyncClient` without, the same methods in both.

    async with Client("http://127.0.0.1:9000", domain=domain(chain_id, rollup)) as client:
        trader = await client.trader(private_key)
        await trader.place("BTC-USD-PERP", "buy", "0.01", price="60000")

docs/client.md tells the rest; `examples/` has programs to begin from.
"""

from node.client.book import Book
from node.client.client import Client, NoAccount
from node.client.on_l1 import VenueOnL1, domain_on_l1, venue_on_l1
from node.client.proofs import BadProof, verify_account_proof, verify_best_order_proof
from node.client.streams import Break, Stream
from node.client.sync_client import SyncClient, SyncTrader
from node.client.trader import Cancel, CancelAll, Order, Trader
from node.errors import Retry
from node.rpc.channel import ClientClosed, VenueError
from node.rpc.drafts import NotOpen
from node.rpc.streams.results import Notice
from state.eip712 import Domain, domain

__all__ = [
    "BadProof",
    "Book",
    "Break",
    "Cancel",
    "CancelAll",
    "Client",
    "ClientClosed",
    "Domain",
    "NoAccount",
    "NotOpen",
    "Notice",
    "Order",
    "Retry",
    "Stream",
    "SyncClient",
    "SyncTrader",
    "Trader",
    "VenueError",
    "VenueOnL1",
    "domain",
    "domain_on_l1",
    "venue_on_l1",
    "verify_account_proof",
    "verify_best_order_proof",
]
