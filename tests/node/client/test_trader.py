"""A trader's messages on their way: in order, never twice, whatever becomes of the answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from builders import DOMAIN, NOW, Venue, key, listing
from fake_clock import FakeClock
from rpc_world import Sequencer, running
from scripted_node import Wire, wired

from node.client import (
    Cancel,
    CancelAll,
    Client,
    ClientClosed,
    NoAccount,
    Order,
    Trader,
    VenueError,
)
from node.client.guard import guard_key
from node.errors import Retry
from node.rpc.params import BlockTradeFields, LegFields
from node.rpc.results import OrderId
from node.rpc.wire import U32, U64
from node.signatures import address_of
from node.view import SignedTransaction, Stops
from state.execution import Receipt
from state.transactions import AddKey
from state.transactions import CancelAll as CancelAllRow

ALICE, BOB = 1 << 8, 2 << 8
A, B = key("alice"), key("bob")
FLIGHT = 50


def node_of_two() -> Sequencer:
    node = Sequencer(Venue(markets=(listing(),)))
    node.venue.open("alice", 100_000)
    node.venue.open("bob", 100_000)
    return node


def client_of(url: str, **options: Any) -> Client:
    return Client(url, domain=DOMAIN, clock=FakeClock(NOW), **options)


@asynccontextmanager
async def trading() -> AsyncIterator[tuple[Sequencer, Client, Trader]]:
    node = node_of_two()
    async with running(node) as rpc, client_of(rpc.server.url) as client:
        yield node, client, await client.trader(A.private)


@asynccontextmanager
async def trading_over_a_wire(**options: Any) -> AsyncIterator[tuple[Sequencer, Wire, Trader]]:
    node = node_of_two()
    async with (
        running(node) as rpc,
        client_of(rpc.server.url) as direct,
        wired(rpc.server) as (wire, url),
        client_of(url, **options) as client,
    ):
        trader = await client.trader(A.private)
        await direct.trader(B.private)
        yield node, wire, trader


def sequences(node: Sequencer) -> list[int]:
    return [tx.sequence for tx, _ in node.submitted]  # type: ignore[union-attr]


async def bid(trader: Trader, price: str = "49000") -> OrderId:
    receipt = await trader.place(0, "buy", "0.001", price=price)
    assert receipt.order is not None
    return receipt.order


async def test_many_in_flight_are_executed_in_the_order_of_the_calls() -> None:
    async with trading() as (node, _, trader):
        prices = [str(49_000 + place) for place in range(16)]
        found = await asyncio.gather(*(bid(trader, price) for price in prices))
        done = await asyncio.gather(*(trader.cancel(order) for order in found[1:]))
        rest = [trader.cancel(OrderId(epoch=0, sequence=U64(1))) for _ in range(FLIGHT - 31)]
        last = await asyncio.gather(*rest, return_exceptions=True)
    assert [int(order.sequence) for order in found] == list(range(1, 17))
    assert {receipt.status for receipt in done} == {"ok"}
    assert sequences(node) == list(range(1, FLIGHT + 1))
    assert [tx.ticks for tx, _ in node.submitted[:16]] == [490_000 + 10 * n for n in range(16)]  # type: ignore[union-attr]
    refusals = [one.reason for one in last if isinstance(one, VenueError)]
    assert refusals == ["unknown_order"] * (len(last) - 1), "only the first of them found it"


async def test_lost_answers_are_asked_for_again_and_nothing_is_done_twice() -> None:
    async with trading_over_a_wire() as (node, wire, trader):
        await bid(trader)
        wire.is_deaf = True
        losing = asyncio.create_task(wire.lose_an_answer())
        found = await asyncio.gather(
            *(trader.place(0, "buy", "0.001", price="48000") for _ in range(10))
        )
        await losing
        account = await trader.summary()
    assert wire.connections >= 2
    assert sequences(node) == list(range(1, 12)), "each was executed once, and in order"
    assert [int(one.order.sequence) for one in found if one.order] == list(range(2, 12))
    assert any(one.resubmission for one in found), "and was told again"
    assert len(account.orders) == 11


async def test_where_no_answer_comes_nobody_claims_to_know() -> None:
    async with trading_over_a_wire(patience_seconds=0.2) as (node, wire, trader):
        await bid(trader)
        wire.is_deaf = True
        with pytest.raises(Retry, match="unknown, venue_order may tell"):
            await bid(trader)
        wire.cut()
        wire.is_deaf = False
        assert int((await bid(trader)).sequence) == 3
    assert sequences(node) == [1, 2, 3], "what was given up on is not sent again"


async def test_a_number_that_another_process_used_is_replaced() -> None:
    async with trading() as (_, client, trader):
        await bid(trader)
        for sequence in (20, 40):
            await client.sign_and_submit_order(
                *(A.private,),
                account=ALICE,
                market=0,
                side="buy",
                size="0.001",
                price="48000",
                sequence=sequence,
            )
            found = await asyncio.gather(*(bid(trader) for _ in range(5)))
            numbers = sorted(int(order.sequence) for order in found)
            assert len(set(numbers)) == 5 and numbers[0] > sequence
        assert len((await trader.summary()).orders) == 13, "none was lost, and none placed twice"


async def test_what_was_sent_twice_is_not_signed_anew() -> None:
    """Its first sending may have been executed: who asked must look before he leaps."""
    async with trading_over_a_wire() as (node, wire, trader):
        await bid(trader)
        wire.is_deaf = True
        placing = asyncio.create_task(bid(trader))
        await wire_heard(node)
        # The node forgets its answers, as after 65,536 more transactions.
        node.answers = type(node.answers)()
        wire.cut()
        wire.is_deaf = False
        with pytest.raises(VenueError) as refused:
            await placing
    assert refused.value.reason == "sequence_used"
    assert sequences(node) == [1, 2, 2]


async def wire_heard(node: Sequencer) -> None:
    while len(node.submitted) < 2:
        await asyncio.sleep(0)


class Busy(Sequencer):
    """A node that is busy a few times."""

    times = 0

    def hand_in(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> Sequence[asyncio.Future[Receipt]]:
        if self.times:
            self.times -= 1
            raise Retry("come again")
        return super().hand_in(batch, stops=stops)


async def test_a_node_that_cannot_do_it_now_is_asked_again() -> None:
    node = Busy(Venue(markets=(listing(),)))
    node.venue.open("alice", 1_000)
    async with running(node) as rpc, client_of(rpc.server.url) as client:
        trader = await client.trader(A.private)
        node.times = 5
        assert int((await bid(trader)).sequence) == 1 and node.times == 0
        node.times = 1_000
        with pytest.raises(VenueError, match="come again"):
            await bid(trader)
        node.times = 0
        assert int((await bid(trader)).sequence) == 3
    assert sequences(node) == [1, 3]


async def test_a_refusal_is_told_once_and_the_next_order_goes_on() -> None:
    async with trading() as (node, _, trader):
        with pytest.raises(VenueError) as refused:
            await trader.place(0, "buy", "90", price="49000")
        assert refused.value.reason == "margin_too_low"
        with pytest.raises(Exception, match="off_tick"):
            await trader.place(0, "buy", "1", price="49000.05")
        assert int((await bid(trader)).sequence) == 2
    assert sequences(node) == [1, 2], "what cannot be drafted takes no number"


async def test_a_batch_and_everything_else_a_trader_does() -> None:
    async with trading() as (node, _, trader):
        first = await bid(trader)
        amended = await trader.amend(first, size="0.0005")
        assert amended.kept_priority
        items = await trader.batch(
            [
                Cancel(first),
                Order(market=0, side="buy", size="0.001", price="48000", client_order_id="mine"),
                Order(market=0, side="buy", size="900", price="48000"),
                CancelAll(0),
            ]
        )
        assert [item.error is None for item in items] == [True, True, False, True]
        assert (await trader.order(client_order_id="mine")).standing == "removed"
        preview = await trader.preview(0, "buy", "0.1", price="49000")
        assert (preview.status, preview.resting_lots) == ("ok", 100_000)
        assert (await trader.cancel_all()).cancelled == 0
        assert (await trader.transfer(ALICE + 1, "5")).status == "ok"
        assert (await trader.withdraw("7.5")).withdrawal == 0
        assert node.state.withdrawals[0].recipient == A.address
        assert (await trader.positions()).cash == "99987.5"


async def test_too_much_at_once_is_refused_here_and_harms_nobody() -> None:
    async with trading() as (node, _, trader):
        order = Order(market=0, side="buy", size="0.001", price="48000")
        with pytest.raises(VenueError, match="body_too_large"):
            await trader.batch([order] * 1_000)
        assert int((await bid(trader)).sequence) == 1
    assert sequences(node) == [1]


async def test_a_session_key_trades_for_an_account_and_can_be_ended() -> None:
    async with trading() as (_, client, trader):
        session = key("session")
        with pytest.raises(NoAccount, match="nor is a session key"):
            await client.trader(session.private, ALICE)
        with pytest.raises(NoAccount, match="owns no subaccount 0"):
            await client.trader(session.private)
        added = await trader.add_key(session.address)
        other = await client.trader(session.private, ALICE)
        assert (other.account, other.key_epoch) == (ALICE, added.key_epoch)
        order = await bid(other)
        assert order.epoch == added.key_epoch
        await trader.revoke_key(other.key_epoch)
        with pytest.raises(VenueError, match="unknown_key"):
            await other.cancel(order)


async def test_both_halves_of_a_block_trade() -> None:
    async with trading() as (node, client, maker):
        taker = await client.trader(B.private)
        legs = [LegFields(0, "buy", price="50000", size="0.01")]  # type: ignore[arg-type]
        fields = BlockTradeFields(
            *(U32(ALICE), U32(BOB), legs),
            maker_sequence=U64(await maker.reserve_sequence()),
            taker_sequence=U64(await taker.reserve_sequence()),
        )
        message = await client.draft_block_trade(fields)
        halves = [await maker.sign_block_trade(message), await taker.sign_block_trade(message)]
        assert (await client.submit_block_trade(message, *halves)).status == "ok"
        assert int((await bid(maker)).sequence) == 2, "the block trade's number is not used again"
        node.venue.open("carol", 10)
        with pytest.raises(ValueError, match="no party"):
            await (await client.trader(key("carol").private)).sign_block_trade(message)


async def test_a_switch_outlives_the_orders_that_follow_it() -> None:
    async with trading() as (node, _, trader):
        async with trader.cancel_on_disconnect() as standing:
            assert standing.armed and standing.warnings == []
            await bid(trader)
            await bid(trader)
        while (await trader.summary()).orders:
            await asyncio.sleep(0)
        renewed = [await trader.dead_man_switch(seconds) for seconds in (60, 90, 0)]
        assert [one.armed for one in renewed] == [True, True, False]
        keys = (await trader.summary()).keys
    assert [held.address for held in keys] == [address_of(guard_key(A.private))]
    assert (keys[0].may_trade, keys[0].may_cancel) == (False, True)
    assert [type(tx) for tx, _ in node.submitted].count(AddKey) == 1, "the key is found again"
    assert isinstance(node.submitted[-1][0], CancelAllRow)


async def test_a_closed_client_leaves_nobody_waiting() -> None:
    async with trading_over_a_wire() as (_, wire, trader):
        await bid(trader)
        wire.is_deaf = True
        waiting = asyncio.create_task(bid(trader))
        await asyncio.sleep(0.05)
    with pytest.raises(Retry, match="the client was closed"):
        await waiting


async def test_nothing_is_sent_by_a_client_that_was_closed() -> None:
    async with trading() as (node, client, trader):
        await bid(trader)
        await client.close()
        with pytest.raises(ClientClosed, match="make another one"):
            await trader.cancel(OrderId(epoch=0, sequence=U64(1)))
        assert len(node.submitted) == 1
