"""The typed client against a real server: what it reads, signs, sends and raises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from builders import DOMAIN, FAR, NOW, PUBLISHER, Venue, key, listing, sign_transaction
from eth_account import Account as EthAccount
from msgspec.structs import replace
from rpc_world import Follower, Rpc, Sequencer, running
from trie.smt import calc_root

from node.errors import Retry
from node.rpc.client import VenueClient, VenueError
from node.rpc.errors import RpcError
from node.rpc.results import OrderId
from node.rpc.server import RpcConfig
from node.rpc.wire import U64
from state.accounts import SessionKey
from state.eip712 import domain
from state.orders import Life, decode_flags
from state.transactions import Cancel, Header, NewOrder, SignedPrice, Transfer, Withdraw

ALICE, BOB = 1 << 8, 2 << 8
A, B = key("alice"), key("bob")


def node_of_two() -> Sequencer:
    eth = listing(1, symbol=b"ETH-USD-PERP", lot_exponent=5, tick=1_000)
    node = Sequencer(Venue(markets=(listing(), eth)))
    node.venue.open("alice", 10_000)
    node.venue.open("bob", 10_000)
    return node


@asynccontextmanager
async def trading() -> AsyncIterator[tuple[Sequencer, VenueClient]]:
    node = node_of_two()
    async with running(node) as rpc:
        yield node, rpc.client


async def test_results_are_typed() -> None:
    async with trading() as (node, client):
        node.venue.buy("alice", 5, 490_000)
        (market, _), book = await client.markets(), await client.book("BTC-USD-PERP", depth=1)
        assert (market.symbol, market.mark.nano) == ("BTC-USD-PERP", 50_000_000)
        assert book.best_bid is not None
        assert (book.best_bid.price, book.best_bid.lots + 1) == ("49000", 6)
        account = await client.account(ALICE)
        assert account.orders[0].id == OrderId(epoch=0, sequence=U64(1))
        assert account.next_sequence == 2
        assert [found.account for found in await client.accounts(A.address)] == [ALICE]
        assert bytes(account.owner) == A.address


async def test_the_rollup_is_typed_too() -> None:
    async with trading() as (node, client):
        node.venue.withdraw("alice", 5)
        record = node.seal()
        assert (await client.status()).unsafe == 1
        assert bytes((await client.config()).rollup) == DOMAIN.rollup
        assert bytes((await client.batch(1)).state_root) == record.state_root
        assert [batch.number for batch in await client.batches(first=1, count=5)] == [1]
        proof = await client.account_proof(ALICE)
        assert calc_root(proof.key, proof.leaf, proof.siblings) == proof.roots.accounts_root
        best = await client.best_order_proof("ETH-USD-PERP", "sell")
        assert best.empty and calc_root(best.key, best.leaf, best.siblings) == best.book_root
        assert (await client.withdrawal(0)).status == "sealed"
        paid = await client.withdrawal_proof(0, batch=1)
        assert bytes(paid.withdrawals_root) == record.withdrawals_root


async def test_an_order_is_drafted_and_signed_here() -> None:
    async with trading() as (node, client):
        receipt = await client.sign_and_submit_order(
            A.private,
            account=ALICE,
            market="ETH-USD-PERP",
            side="buy",
            size="0.25",
            price="4900.1",
            life="post-only",
        )
        assert (receipt.status, receipt.resting_lots) == ("ok", 25_000)
        tx, _ = node.submitted[0]
    assert isinstance(tx, NewOrder)
    flags = decode_flags(tx.flags)
    assert flags is not None and flags.life == Life.POST_ONLY
    assert (tx.market, tx.ticks, tx.lots) == (1, 49_001, 25_000)
    assert (tx.sequence, tx.expiry) == (1, NOW + 86_400)


async def test_a_market_order_and_what_rests_against_it() -> None:
    async with trading() as (_, client):
        resting = await client.sign_and_submit_order(
            B.private, account=BOB, market=0, side="sell", size="0.001", price="50000", sequence=7
        )
        assert resting.order == OrderId(epoch=0, sequence=U64(7))
        receipt = await client.sign_and_submit_order(
            A.private, account=ALICE, market=0, side="buy", size="0.0004", expiry=FAR
        )
        assert (receipt.status, receipt.filled_size, len(receipt.fills)) == ("ok", "0.0004", 1)
        cancelled = await client.sign_and_cancel(B.private, account=BOB, order=resting.order)
        assert cancelled.status == "ok"
        assert (await client.account(BOB)).orders == []


async def test_money_moves() -> None:
    async with trading() as (node, client):
        receipt = await client.sign_and_withdraw(
            A.private, account=ALICE, amount="12.5", recipient=b"\x05" * 20
        )
        assert receipt.withdrawal == 0
        assert node.state.withdrawals[0].recipient == b"\x05" * 20
        await client.sign_and_transfer(
            A.private, account=ALICE, to_account=ALICE + 1, amount="0.000000001"
        )
        assert node.state.account(ALICE + 1).cash == 1


async def test_publishers_publish() -> None:
    async with trading() as (node, client):
        node.venue.run(Header(NOW + 1))
        receipt = await client.sign_and_submit_price(
            PUBLISHER.private, market="BTC-USD-PERP", price="50123.456", time=NOW + 1
        )
        assert receipt.status == "ok"
        assert (await client.market(0)).mark.nano == 50_123_456
        node.venue.run(Header(NOW + 2))
        tx = SignedPrice(0, 50_000_000, NOW + 2)
        signature = sign_transaction(tx, PUBLISHER)
        assert (await client.submit_price(0, tx.price, tx.time, signature)).status == "ok"


async def test_a_session_key_trades_under_its_own_numbers() -> None:
    async with trading() as (node, client):
        session = key("session")
        account = node.state.accounts[ALICE]
        node.state.accounts[ALICE] = replace(
            account, keys=(SessionKey(4, session.address, 90, FAR, 1),)
        )
        receipt = await client.sign_and_submit_order(
            session.private,
            account=ALICE,
            market=0,
            side="buy",
            size="1",
            price="49000",
            key_epoch=4,
        )
        assert receipt.order == OrderId(epoch=4, sequence=U64(91))
        cancelled = await client.sign_and_cancel(
            session.private, account=ALICE, order=receipt.order, key_epoch=4
        )
        assert cancelled.status == "ok"


async def test_a_wallet_may_sign_what_the_node_drafts() -> None:
    async with trading() as (_, client):
        found = await client.typed_data("transfer", account=ALICE, toAccount=ALICE + 2, amount="1")
        full = {
            "types": {
                name: [{"name": field.name, "type": field.type} for field in fields]
                for name, fields in found.types.items()
            },
            "primaryType": found.primary_type,
            "domain": found.domain,
            "message": found.message,
        }
        signed = EthAccount.sign_typed_data(A.private, full_message=full)
        receipt = await client.submit("transfer", found.message, bytes(signed.signature))
        assert receipt.status == "ok"


@pytest.mark.parametrize(
    "tx",
    [
        NewOrder(ALICE, 0, 9, 0, 0, 490_000, 1, FAR),
        Withdraw(ALICE, 9, b"\x01" * 20, 1, FAR),
        Transfer(ALICE, 9, ALICE + 1, 1, FAR),
    ],
)
async def test_any_transaction_may_be_signed_and_sent(tx: Any) -> None:
    async with trading() as (node, client):
        assert (await client.sign_and_submit(A.private, tx)).status == "ok"
    assert node.submitted[0][0] == tx


async def test_a_signed_cancel_is_sent_under_its_own_name() -> None:
    async with trading() as (node, client):
        node.venue.buy("alice", 5, 490_000)
        tx = Cancel(ALICE, 0, 9, 0, 1, FAR)
        message = {"account": ALICE, "keyEpoch": 0, "sequence": 9, "orderKeyEpoch": 0}
        message |= {"orderSequence": 1, "expiry": FAR}
        assert (await client.cancel(message, sign_transaction(tx, A))).status == "ok"


async def test_a_domain_given_is_not_taken_from_the_node() -> None:
    """A client that knows its deployment signs for no other, whatever the node says."""
    node = node_of_two()
    async with running(node) as rpc:
        other = VenueClient(rpc.server.url, domain=domain(1, b"\x01" * 20))
        async with other:
            with pytest.raises(VenueError) as refused:
                await other.sign_and_transfer(
                    A.private, account=ALICE, to_account=ALICE + 1, amount="1"
                )
    assert refused.value.reason == "bad_signature"


# --- what it raises ---


async def test_an_error_of_the_node_is_an_error_here() -> None:
    async with trading() as (_, client):
        with pytest.raises(VenueError) as refused:
            await client.account(77)
    error = refused.value
    assert isinstance(error, RpcError)
    assert (error.code, error.reason) == (2001, "unknown_account")
    assert "no account 77" in error.message
    assert error.data["mend"] and error.data["got"] == 77


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"price": "50000.05"}, "off_tick"),
        ({"size": "0.0000001"}, "off_lot"),
        ({"size": "1e3"}, "not_a_decimal"),
        ({"price": None, "life": "GTC"}, "life_needs_a_price"),
    ],
)
async def test_what_cannot_be_drafted_is_never_signed(changed: dict[str, Any], reason: str) -> None:
    order: dict[str, Any] = {"account": ALICE, "market": 0, "side": "buy"}
    order |= {"size": "1", "price": "50000"} | changed
    async with trading() as (node, client):
        with pytest.raises(RpcError) as refused:
            await client.sign_and_submit_order(A.private, **order)
    assert refused.value.reason == reason
    assert node.submitted == []


async def test_a_node_that_is_not_there_may_be_later() -> None:
    async with running(Follower()) as rpc:
        url = rpc.server.url
    async with VenueClient(url) as client:
        with pytest.raises(Retry, match="cannot be reached"):
            await client.status()
        with pytest.raises(Retry, match="no WebSocket"):
            async with client.fills():
                pass


@asynccontextmanager
async def impostor(body: bytes, *, delay: bool = False) -> AsyncIterator[VenueClient]:
    """A server that says the same to everything, or nothing at all."""

    async def say(_: web.Request) -> web.Response:
        if delay:
            await asyncio.Event().wait()
        return web.Response(body=body)

    app = web.Application()
    app.router.add_route("*", "/", say)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with VenueClient(f"http://127.0.0.1:{port}", timeout_seconds=0.3) as client:
        yield client
    await runner.cleanup()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"5",
        b'{"id": 99, "result": {}}',
        b'{"id": 1}',
        b'{"id": 1, "result": {}}',
        b'{"id": 1, "result": [1.5]}',
        b'{"id": 1, "error": "no"}',
        b'{"id": 1, "error": {"code": "no"}}',
        b'{"id": 1, "error": {}}',
        b"[" * 100_000,
    ],
)
async def test_what_is_no_node_is_not_believed(body: bytes) -> None:
    async with impostor(body) as client:
        with pytest.raises(Retry):
            await client.status()


async def test_an_error_without_data_is_an_error_all_the_same() -> None:
    async with impostor(b'{"id": 1, "error": {"code": -32601, "message": "no"}}') as client:
        with pytest.raises(VenueError) as refused:
            await client.status()
    assert (refused.value.code, refused.value.reason) == (-32601, "unknown")


async def test_a_node_that_says_nothing_is_given_up_on() -> None:
    async with impostor(b"", delay=True) as client:
        with pytest.raises(Retry, match="did not answer rollup_syncStatus in time"):
            await client.status()


# --- fills ---


async def trade(rpc: Rpc, node: Sequencer, lots: int) -> None:
    node.venue.sell("bob", lots, 500_000)
    await rpc.client.sign_and_submit_order(
        A.private, account=ALICE, market=0, side="buy", size=f"0.{lots:06}", price="50000"
    )


async def test_fills_come_in_order() -> None:
    node = node_of_two()
    async with running(node) as rpc, rpc.client.fills(account=ALICE) as fills:
        await trade(rpc, node, 3)
        await trade(rpc, node, 4)
        heard = []
        async for notice in fills:
            heard.append(notice)
            if len(heard) == 2:
                break
    assert [notice.fill.lots for notice in heard] == [3, 4]
    assert [notice.sequence for notice in heard] == [2, 3], "the first is the snapshot"
    assert heard[0].fill.taker_order == OrderId(epoch=0, sequence=U64(1))


async def test_a_subscription_that_is_refused_raises() -> None:
    async with trading() as (_, client):
        with pytest.raises(VenueError) as refused:
            async with client.fills(market="DOGE"):
                pass
    assert refused.value.reason == "unknown_market"


async def test_a_reader_who_was_dropped_is_told() -> None:
    node = node_of_two()
    async with (
        running(node, RpcConfig(notices_max=0)) as rpc,
        rpc.client.fills() as fills,
    ):
        with pytest.raises(VenueError) as dropped:
            async for _ in fills:
                pass
    assert dropped.value.reason == "slow_reader"
    assert dropped.value.data["mend"]


async def test_a_stopping_node_ends_the_stream_with_a_retry() -> None:
    node = node_of_two()
    async with running(node) as rpc, rpc.client.fills() as fills:
        closing = asyncio.create_task(rpc.server.close())
        with pytest.raises(Retry, match="1001"):
            async for _ in fills:
                pass
        await closing
