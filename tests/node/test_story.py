"""The demonstration's parts: what it trades, and that it notices what does not hold."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from builders import NOW, Venue, key, listing
from fake_clock import FakeClock
from l1_venue import CLAIMANT, PARAMETERS, L1Venue, l1_venue
from msgspec.structs import replace
from rpc_world import Sequencer, running

from contracts import calls
from node.deploy import Deployment
from node.devnet.acts import Refused, Stage, misbehave, stage_of, trade
from node.devnet.desk import Desk
from node.devnet.outcome import (
    Outcome,
    Posted,
    StoryFailed,
    expect,
    posted_bytes,
    settled_output,
)
from node.devnet.story import PATIENCE_SECONDS, Story
from node.devnet.venue import RunningVenue
from node.errors import Retry
from node.l1.client import L1Client
from node.rpc.client import VenueClient
from node.rpc.rollup_results import BatchSummary, SyncStatus
from node.rpc.wire import Hash
from prover.replay import genesis_output
from state.batch import output_hash
from state.invariants import check_invariants
from state.transactions import Cancel, NewOrder

SYMBOLS = (b"BTC-USD-PERP", b"ETH-USD-PERP", b"SOL-USD-PERP")


class Floor:
    """A venue with three markets, and Alice and Bob at their desks."""

    def __init__(self, node: Sequencer, client: VenueClient) -> None:
        self.node = node
        self.client = client
        self.alice, self.bob = (
            Desk(name, client, key(name).private, node.venue.open(name, 25_000), FakeClock(NOW))
            for name in ("alice", "bob")
        )

    async def stages(self) -> list[Stage]:
        return [stage_of(market) for market in await self.client.markets()]


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    markets = tuple(listing(number, symbol=symbol) for number, symbol in enumerate(SYMBOLS))
    node = Sequencer(Venue(markets=markets))
    async with running(node) as rpc:
        yield Floor(node, rpc.client)


# --- trading ---


async def test_the_trading_is_hundreds_of_orders_of_every_kind(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, await floor.stages())
    sent = [tx for tx, _ in floor.node.submitted]
    orders = [tx for tx in sent if isinstance(tx, NewOrder)]
    assert len(orders) > 330
    kinds = {(tx.flags >> 1 & 1, tx.flags >> 2 & 3, tx.flags >> 4 & 1) for tx in orders}
    # Type, life, reduce-only: limit GTC, IOC, FOK and post-only, and market IOC either way.
    assert {(0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 3, 0), (1, 1, 0), (1, 1, 1)} <= kinds
    assert any(isinstance(tx, Cancel) for tx in sent)
    assert floor.node.fills.last > 100
    check_invariants(floor.node.state)


async def test_honest_orders_are_hardly_ever_refused(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, await floor.stages())
    outcomes = floor.alice.outcomes + floor.bob.outcomes
    assert outcomes["ok"] > 0.75 * outcomes.total()
    assert outcomes["price_out_of_band"] == 6
    assert not outcomes["bad_signature"] and not outcomes["margin_too_low"]


async def test_what_must_be_refused_is_refused(floor: Floor) -> None:
    before = floor.node.state.account(floor.alice.account)
    refused = await misbehave(
        floor.client, floor.alice, (await floor.stages())[0], wrong_key=key("bob").private
    )
    assert [one.reason for one in refused] == ["sequence_used", "bad_signature", "off_tick"]
    assert all(one.reason == one.expected for one in refused)
    after = floor.node.state.account(floor.alice.account)
    assert len(after.orders) == len(before.orders) + 1


async def test_a_venue_that_takes_everything_is_noticed(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage, *_) = await floor.stages()
    receipt = await floor.alice.send(
        floor.alice.draft(stage.number, 0, ticks=stage.mark - 30, lots=stage.lots)
    )

    async def takes_everything(*_: object) -> object:
        return receipt

    monkeypatch.setattr(floor.client, "sign_and_submit", takes_everything)
    refused = await misbehave(floor.client, floor.alice, stage, wrong_key=key("bob").private)
    assert [one.reason for one in refused] == ["taken", "taken", "off_tick"]
    with pytest.raises(StoryFailed, match="used again: expected sequence_used, found taken"):
        expect(refused[0].attempt, refused[0].reason, refused[0].expected)


async def test_a_desk_counts_and_numbers(floor: Floor) -> None:
    (stage, *_) = await floor.stages()
    first = floor.alice.draft(stage.number, 0, ticks=stage.mark - 30, lots=stage.lots)
    await floor.alice.send(first)
    assert await floor.alice.cancel(99) == "unknown_order"
    assert floor.alice.resting == [first.sequence]
    assert floor.alice.outcomes == Counter({"ok": 1, "unknown_order": 1})
    assert floor.alice.next_sequence() == 3


# --- checking ---


def outcome(**changed: Any) -> Outcome:
    fields: dict[str, Any] = {
        "posted": Posted(batches=2, orders=10, fills=3, transactions=12, payload=1_000),
        "refused": [Refused("a replay", "sequence_used", "sequence_used")],
        "statuses": Counter({"ok": 9}),
        "roots": (b"\x01" * 32, b"\x01" * 32),
        "output": genesis_output(),
        "withdrawn": 5_000_000,
        "seconds": 1.239,
        "settlement": "claimed",
    }
    return Outcome.of(**fields | changed)


def test_an_outcome_says_what_was_found() -> None:
    found = outcome()
    assert (found.orders, found.fills, found.batches, found.bytes_posted) == (10, 3, 2, 1_000)
    assert found.bytes_per_order == 100.0 and found.seconds == 1.24
    assert found.sequencer_root == found.follower_root == "0x" + "01" * 32
    assert found.conserved is True
    assert (found.withdrawn, found.withdrawn_usdc) == (5_000_000, "5")


def test_orders_that_take_too_many_bytes_fail_the_story() -> None:
    posted = Posted(batches=2, orders=10, fills=3, transactions=12, payload=1_001)
    with pytest.raises(StoryFailed, match=r"100\.1 bytes of L1, at most 100"):
        outcome(posted=posted)


def test_an_output_that_made_money_is_told() -> None:
    assert outcome(output=replace(genesis_output(), cash=1)).conserved is False


class Scripted:
    """A node that answers from a script."""

    def __init__(self, roots: list[bytes], *, safe: int | None = None, retries: int = 0) -> None:
        self.roots = roots
        self.safe = len(roots) if safe is None else safe
        self.retries = retries

    async def status(self) -> SyncStatus:
        if self.retries:
            self.retries -= 1
            raise Retry("busy")
        return SyncStatus(
            role="follower",
            batch=self.safe,
            time=0,
            sealed=True,
            unsafe=self.safe,
            safe=self.safe,
            finalized=0,
            confirmed=0,
            l1_block=0,
            problems=[],
        )

    async def batch(self, number: int) -> BatchSummary:
        root = Hash(self.roots[number - 1])
        return cast(BatchSummary, _Batch(root))


class _Batch:
    def __init__(self, root: Hash) -> None:
        self.state_root = root


class Script:
    """A narrator who writes down what was reached."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.waits: list[str] = []

    def step(self, text: str) -> None:
        self.steps.append(text)

    def detail(self, text: str) -> None:
        self.steps.append(text)

    def wait(self, text: str) -> None:
        self.waits.append(text)


def story(sequencer: Scripted, follower: Scripted) -> tuple[Story, FakeClock, Script]:
    deployment = Deployment(chain_id=31_337, token=bytes(20), rollup=bytes(20), block=0)
    venue = RunningVenue(directory=Path(), l1="", sequencer="", follower="", deployment=deployment)
    said = Script()
    clock = FakeClock(NOW)
    made = Story(
        venue,
        sequencer=cast(VenueClient, sequencer),
        follower=cast(VenueClient, follower),
        l1=L1Client("http://127.0.0.1:1"),
        clock=clock,
        narrator=said,
    )
    return made, clock, said


async def test_equal_roots_are_told() -> None:
    roots = [b"\x01" * 32, b"\x02" * 32]
    made, _, said = story(Scripted(roots), Scripted(roots, retries=2))
    assert await made.same_root(2) == (roots[1], roots[1])
    assert said.waits == ["waiting for the follower at batch 2"]
    assert said.steps[-1] == "0x" + "02" * 32


@pytest.mark.parametrize("place", [0, 1])
async def test_one_differing_root_fails_the_story(place: int) -> None:
    roots = [b"\x01" * 32, b"\x02" * 32]
    other = [*roots[:place], b"\x09" * 32, *roots[place + 1 :]]
    made, _, _ = story(Scripted(roots), Scripted(other))
    with pytest.raises(StoryFailed, match=f"the root of batch {place + 1}: expected 0"):
        await made.same_root(2)


async def test_a_follower_that_never_comes_fails_the_story() -> None:
    made, clock, _ = story(Scripted([bytes(32)]), Scripted([bytes(32)], safe=0))
    with pytest.raises(StoryFailed, match="in vain for the follower at batch 1"):
        await made.same_root(1)
    assert clock.monotonic() >= PATIENCE_SECONDS


# --- reading L1 ---


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as made:
        yield made


class Records:
    """A node's records of the batches of an `L1Venue`: two orders and a fill in each."""

    def __init__(self, void: int = 0) -> None:
        self.void = void

    async def batch(self, number: int) -> object:
        class Record:
            orders, fills, transactions = 2, 1, 4

        record = Record()
        record.number, record.void = number, number == self.void  # type: ignore[attr-defined]
        return record


async def test_bytes_are_counted_in_the_logs_of_l1(venue: L1Venue) -> None:
    await venue.fund()
    now = await venue.now()
    logs = [await venue.post([venue.opening(now), venue.trade(now, 5)]) for _ in range(2)]
    node = cast(VenueClient, Records())
    posted = await posted_bytes(venue.reader, node, 2)
    assert posted.payload == sum(len(log.payload) for log in logs) > 0
    assert (posted.batches, posted.orders, posted.fills) == (2, 4, 2)
    first = await posted_bytes(venue.reader, node, 1)
    assert first.payload == len(logs[0].payload)
    with pytest.raises(StoryFailed, match=r"no log of batches \[3\]"):
        await posted_bytes(venue.reader, node, 3)
    with pytest.raises(StoryFailed, match=r"batches \[2\] are void"):
        await posted_bytes(venue.reader, cast(VenueClient, Records(void=2)), 2)


async def test_only_a_confirmed_claim_is_read(venue: L1Venue) -> None:
    await venue.fund()
    await venue.trading_day()
    (made,) = venue.executed
    await venue.claim(CLAIMANT, made.output, made.parent_claim, made.header)
    with pytest.raises(StoryFailed, match="no log of a confirmed claim on batch 1"):
        await settled_output(venue.reader, 1)
    await venue.mine(PARAMETERS.claim_window)
    await venue.send(
        CLAIMANT,
        calls.confirm(parent_claim=made.parent_claim, output_hash=output_hash(made.output)),
    )
    assert await settled_output(venue.reader, 1) == made.output
    assert made.output.is_conserved
