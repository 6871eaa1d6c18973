"""Block trades by chance: some hedge, some close, and some fail in their last leg."""

from reference_chance import Chance
from reference_ledger import BUY
from reference_margin import band_edges
from reference_markets import NOBODYS, near

from state.legs import NO_LEG, Leg
from state.transactions import BlockTrade

LEGS_MAX = 4


class Deals(Chance):
    """What two traders agree on past the books."""

    def block_trade(self) -> None:
        r = self.random
        maker, taker = r.sample(self.accounts, 2)
        if r.random() < 0.06:
            taker = maker
        count = min(r.choice((1, 1, 2, 2, 3, 4, 4)), len(self.listed))
        markets = sorted(r.sample(sorted(self.listed), count))
        legs = [self._leg(market, maker, taker) for market in markets]
        if r.random() < 0.3:
            legs[-1] = self._bad(legs[-1])
        if r.random() < 0.03:
            count, legs = self._malformed(count, legs)
        epochs, signers = zip(*(self._signer(number) for number in (maker, taker)), strict=True)
        sequences = self._next(), max(0, self._next() - r.choice((0, 0, 2)))
        places = (*legs, *[NO_LEG] * LEGS_MAX)[:LEGS_MAX]
        tx = BlockTrade(
            *(maker, epochs[0], sequences[0], taker, epochs[1], sequences[1]),
            *(self._expiry(), count, places),
        )
        self.twins.run(tx, *(signers if r.random() < 0.98 else signers[::-1]))

    def _leg(self, market: int, maker: int, taker: int) -> Leg:
        """What both could carry, or what closes a position of one of them."""
        r, ledger = self.random, self.twins.model.ledger
        held = ledger.lots(r.choice((maker, taker)), market)
        if held and r.random() < 0.4:
            return Leg(market, r.randrange(2), self._ticks(market), abs(held))
        share = r.choice((1, 2, 5, 30))
        lots = max(1, min(self._affordable(maker), self._affordable(taker)) // share)
        return Leg(market, r.randrange(2), self._ticks(market), lots)

    def _ticks(self, market: int) -> int:
        """Mostly within the band."""
        ticks = near(self.random, self.market(market), BUY)
        lowest, highest = band_edges(self.market(market))
        return ticks if self.random.random() < 0.05 else max(lowest, min(ticks, highest))

    def _bad(self, leg: Leg) -> Leg:
        r, market = self.random, self.market(leg.market)
        lowest, highest = band_edges(market)
        held = market.terms.position_max - abs(
            self.twins.model.ledger.lots(r.choice(self.accounts), leg.market)
        )
        return r.choice(
            (
                Leg(NOBODYS, leg.taker_side, leg.ticks, leg.lots),
                Leg(leg.market, leg.taker_side, max(0, lowest - 1), leg.lots),
                Leg(leg.market, leg.taker_side, min(2**24 - 1, highest + 1), leg.lots),
                Leg(leg.market, leg.taker_side, leg.ticks, 0),
                Leg(leg.market, leg.taker_side, leg.ticks, 1),
                Leg(leg.market, leg.taker_side, leg.ticks, 2**48 - 1),
                Leg(leg.market, leg.taker_side, leg.ticks, max(1, held + r.choice((0, 1)))),
                Leg(leg.market, leg.taker_side, leg.ticks, leg.lots * 40),
            )
        )

    def _malformed(self, count: int, legs: list[Leg]) -> tuple[int, list[Leg]]:
        last = legs[-1]
        return self.random.choice(
            (
                (0, legs),
                (5, legs),
                (count, [*legs[:-1], Leg(last.market, 2, last.ticks, last.lots)]),
                (max(1, count - 1), [*legs, last]),
                (2, [last, last]),
                (2, [last, Leg(max(0, last.market - 1), 0, 1, 1)]),
            )
        )
