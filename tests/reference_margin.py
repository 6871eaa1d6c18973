"""The venue's margin by the book: docs/protocol.md 5.1 and 5.2, from scratch each time."""

from fractions import Fraction
from math import ceil, floor

from reference_ledger import Ledger, Market, Markets
from reference_listing import ONE, Bracket

TICKS_MAX = 2**24 - 1


def scale(value: int, lower: int, upper: int) -> Fraction:
    """How far open interest worth `value` has gone from `lower` to `upper`, in whole ppm."""
    if upper == 0 or value <= lower:
        return Fraction(0)
    if value >= upper:
        return Fraction(1)
    return Fraction(ceil(Fraction(value - lower, upper - lower) * ONE), ONE)


def requirement(notional: int, tiers: tuple[Bracket, ...], scaled: Fraction) -> int:
    """Initial margin of one position: tier by tier, each rounded up."""
    total = 0
    for place, tier in enumerate(tiers):
        end = tiers[place + 1].start if place + 1 < len(tiers) else notional
        part = max(0, min(notional, end) - tier.start)
        rate = tier.initial + ceil((ONE - tier.initial) * scaled)
        total += ceil(Fraction(part * rate, ONE))
    return total


def equity(ledger: Ledger, markets: Markets, account: int) -> int:
    """Cash and every lot at its mark."""
    holder = ledger.holders[account]
    return holder.cash + sum(lots * markets[m].mark for m, lots in holder.lots.items())


def initial_margin(
    ledger: Ledger, markets: Markets, account: int, *, at_higher: bool = False
) -> int:
    """At the mark, or at the higher of mark and slow mark."""
    total = 0
    for number in ledger.markets_of(account):
        market, terms = markets[number], markets[number].terms
        price = max(market.mark, market.slow_mark) if at_higher else market.mark
        # The scale of open interest counts at the mark, even where the rest does not.
        interest = ledger.open_interest(number) * market.mark
        scaled = scale(interest, terms.interest_lower, terms.interest_upper)
        worst = max(abs(lots) for lots in ledger.reach(account, number))
        total += requirement(worst * price, terms.tiers, scaled)
    return total


def is_healthy(ledger: Ledger, markets: Markets, account: int) -> bool:
    return equity(ledger, markets, account) >= initial_margin(ledger, markets, account)


def spare(ledger: Ledger, markets: Markets, account: int) -> int:
    """What may leave while every position is worth the less favourable price."""
    holder = ledger.holders[account]
    worth = holder.cash
    for number, lots in holder.lots.items():
        prices = markets[number].mark, markets[number].slow_mark
        worth += min(lots * price for price in prices)
    return worth - initial_margin(ledger, markets, account, at_higher=True)


def is_fresh(market: Market, now: int) -> bool:
    return market.mark > 0 and now - market.time <= market.terms.price_age_max


def band_edges(market: Market) -> tuple[int, int]:
    """The lowest price a sell, and the highest a buy may name, in ticks."""
    band, tick = Fraction(market.terms.band, ONE), market.terms.tick
    lowest = ceil(market.mark * (1 - band) / tick)
    return lowest, min(floor(market.mark * (1 + band) / tick), TICKS_MAX)
