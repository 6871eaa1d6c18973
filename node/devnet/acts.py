"""The trading of the demonstration: two desks, every kind of order, and some that must fail."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from node.devnet.desk import Desk
from node.rpc.client import VenueClient, VenueError
from node.rpc.results import MarketSummary
from state.orders import BUY, SELL, Life

QUOTES = 20
"""Resting orders of each desk in each market."""

ORDER_DOLLARS = 60


class Stage(Struct, frozen=True):
    """A market as the desks see it: the mark in ticks, and the lots of about $60."""

    number: int
    symbol: str
    mark: int
    lots: int
    tick_size: str


class Refused(Struct, frozen=True):
    """Something that the venue must not take, and the reason it gave."""

    attempt: str
    expected: str
    reason: str


def stage_of(market: MarketSummary) -> Stage:
    """The market around its present mark."""
    nano = int(market.mark.nano)
    lots = max(1, ORDER_DOLLARS * 10**9 // nano)
    return Stage(market.market, market.symbol, nano // market.tick, lots, market.tick_size)


async def trade(alice: Desk, bob: Desk, stages: Sequence[Stage]) -> None:
    """Everything that two honest traders send."""
    for stage in stages:
        await asyncio.gather(
            quote(alice, stage, BUY, QUOTES),
            quote(bob, stage, SELL, QUOTES),
        )
    for stage in stages:
        await asyncio.gather(take(alice, stage, BUY), take(bob, stage, SELL))
    for stage in stages:
        await asyncio.gather(exotic(alice, stage, BUY), exotic(bob, stage, SELL))
    await asyncio.gather(tidy(alice), tidy(bob))


async def quote(desk: Desk, stage: Stage, side: int, count: int) -> None:
    """Post-only orders close to the mark, several at each price: time decides among those."""
    for number in range(count):
        away = 1 + number % 5
        ticks = stage.mark - away if side == BUY else stage.mark + away
        await desk.send(
            desk.draft(stage.number, side, ticks=ticks, lots=stage.lots, life=Life.POST_ONLY)
        )


async def take(desk: Desk, stage: Stage, side: int) -> None:
    """Orders that cross: limit orders that may rest, immediate ones, and market orders."""
    reach = stage.mark + 5 if side == BUY else stage.mark - 5
    for number in range(QUOTES - 4):
        life = Life.IOC if number % 2 else Life.GTC
        await desk.send(desk.draft(stage.number, side, ticks=reach, lots=stage.lots, life=life))
    for _ in range(4):
        await desk.send(desk.draft(stage.number, side, ticks=0, lots=stage.lots, life=Life.IOC))


async def exotic(desk: Desk, stage: Stage, side: int) -> None:
    """All-or-nothing, reduce-only, and what the book or the band does not allow."""
    near = stage.mark - 8 if side == BUY else stage.mark + 8
    far = stage.mark // 2 if side == SELL else stage.mark * 2
    through = stage.mark + 50 if side == BUY else stage.mark - 50
    for number in range(8):
        other = SELL if side == BUY else BUY
        await desk.send(desk.draft(stage.number, side, ticks=near - number, lots=stage.lots))
        await desk.send(
            desk.draft(
                *(stage.number, other),
                ticks=0,
                lots=stage.lots,
                life=Life.IOC,
                reduce_only=True,
            )
        )
    await desk.send(
        desk.draft(stage.number, side, ticks=through, lots=2 * stage.lots, life=Life.FOK)
    )
    await desk.send(desk.draft(stage.number, side, ticks=near, lots=50 * stage.lots, life=Life.FOK))
    await desk.send(desk.draft(stage.number, side, ticks=far, lots=stage.lots))


async def tidy(desk: Desk) -> None:
    """Cancel the last few orders that still rest; what was filled meanwhile is gone already."""
    for sequence in desk.resting[-5:]:
        await desk.cancel(sequence)


async def misbehave(
    venue: VenueClient, alice: Desk, stage: Stage, *, wrong_key: bytes
) -> list[Refused]:
    """A used number, a stolen name and a price between ticks: the venue must refuse all three."""
    order = alice.draft(stage.number, BUY, ticks=stage.mark - 20, lots=stage.lots)
    await alice.send(order)
    reused = await alice.send(replace(order, ticks=stage.mark - 21))
    forged = await alice.send(
        alice.draft(stage.number, BUY, ticks=stage.mark - 20, lots=stage.lots),
        private_key=wrong_key,
    )
    return [
        Refused("a sequence number used again", "sequence_used", _reason(reused)),
        Refused("an order signed by somebody else", "bad_signature", _reason(forged)),
        Refused("a price between two ticks", "off_tick", await _off_tick(venue, alice, stage)),
    ]


def _reason(outcome: object) -> str:
    return outcome if isinstance(outcome, str) else "taken"


async def _off_tick(venue: VenueClient, desk: Desk, stage: Stage) -> str:
    """Ask the node to draft an order at half a tick; signed orders count in whole ones."""
    try:
        await venue.typed_data(
            "order",
            account=desk.account,
            market=stage.symbol,
            side="buy",
            size="1",
            price=stage.tick_size + "5",
        )
    except VenueError as refusal:
        return refusal.reason
    return "taken"
