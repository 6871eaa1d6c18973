"""What the market maker wants in the book: a ladder around the mark, kept where it still fits."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from state.orders import BUY, SELL, crosses
from state.units import RATE_ONE


class Ladder(Struct, frozen=True):
    """Levels on either side of the mark. Distances are parts per million of it.

    The k-th level is `inner` + k x `step` away; all of a market's levels hold
    `notional` nano-USD each. A quote that has drifted by more than `tolerance` is replaced.
    """

    levels: int
    inner: int
    step: int
    tolerance: int
    notional: int


class Quote(Struct, frozen=True, order=True):
    """One resting order that is wanted."""

    side: int
    ticks: int
    lots: int


class Resting(Struct, frozen=True):
    """One resting order that is there, named by its sequence number."""

    sequence: int
    side: int
    ticks: int
    lots: int


class Changeover(Struct, frozen=True):
    """What to place and then what to cancel: in this order the book is never empty."""

    place: tuple[Quote, ...]
    cancel: tuple[int, ...]


def wanted(ladder: Ladder, *, mark: int, tick: int, lots_max: int) -> tuple[Quote, ...]:
    """The ladder around `mark` nano-USD per lot, bids rounded down and asks up to a tick."""
    lots = max(1, min(ladder.notional // mark, lots_max))
    quotes: list[Quote] = []
    for level in range(ladder.levels):
        away = ladder.inner + level * ladder.step
        bid = mark * (RATE_ONE - away) // (RATE_ONE * tick)
        ask = -(mark * (RATE_ONE + away) // -(RATE_ONE * tick))
        quotes += [Quote(BUY, max(bid, 1), lots), Quote(SELL, ask, lots)]
    return tuple(quotes)


def changeover(
    quotes: Sequence[Quote], resting: Iterable[Resting], *, tolerance: int
) -> Changeover:
    """Keep what rests within `tolerance` ppm of a wanted price and at half its size or more.

    A resting order stands in for one quote only; the rest is cancelled, but for what the
    new quotes cross: meeting an order of the same account removes it.
    """
    missing = list(quotes)
    unwanted: list[Resting] = []
    for order in resting:
        match = next((q for q in missing if _stands_in(order, q, tolerance)), None)
        if match is None:
            unwanted.append(order)
        else:
            missing.remove(match)
    cancel = [
        order.sequence for order in unwanted if not any(_meets(quote, order) for quote in missing)
    ]
    # First what removes nothing: the other side must have its new orders by then.
    place = sorted(missing, key=lambda quote: any(_meets(quote, order) for order in unwanted))
    return Changeover(tuple(place), tuple(cancel))


def _meets(quote: Quote, order: Resting) -> bool:
    return quote.side != order.side and crosses(quote.side, quote.ticks, order.ticks)


def _stands_in(order: Resting, quote: Quote, tolerance: int) -> bool:
    drift = abs(order.ticks - quote.ticks) * RATE_ONE
    return (
        order.side == quote.side
        and drift <= tolerance * quote.ticks
        and 2 * order.lots >= quote.lots
    )
