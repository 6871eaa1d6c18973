"""Block trades by chance: some hedge, some close, and some fail in their last leg."""

from node.parity.chance import NOBODYS, Chance
from node.parity.listings import band_ends, near
from state.authentication import may_block_trade
from state.legs import NO_LEGS, Leg
from state.limits import BLOCK_LEGS_MAX, LOTS_MAX, TICKS_MAX
from state.orders import BUY
from state.resting import lots_of
from state.transactions import BlockTrade


class Deals(Chance):
    """What two traders agree on past the books."""

    def block_trade(self) -> None:
        """One to four legs, by keys that mostly may."""
        r = self.random
        maker, taker = r.sample(self.accounts, 2)
        if r.random() < 0.04:
            taker = maker
        count = min(r.choice((1, 1, 2, 2, 3, 4, 4)), len(self.listed))
        markets = sorted(r.sample(sorted(self.listed), count))
        legs = [self._leg(market, maker, taker) for market in markets]
        if r.random() < 0.3:
            legs[-1] = self._bad(legs[-1])
        if r.random() < 0.03:
            count, legs = self._malformed(count, legs)
        epochs, signers = zip(
            *(self.signer(number, may_block_trade) for number in (maker, taker)), strict=True
        )
        sequences = self.next(), max(0, self.next() - r.choice((0, 0, 0, 2)))
        tx = BlockTrade(
            *(maker, epochs[0], sequences[0], taker, epochs[1], sequences[1]),
            *(self.expiry(), count, (*legs, *NO_LEGS)[:BLOCK_LEGS_MAX]),
        )
        self.send(tx, *(signers if r.random() < 0.985 else signers[::-1]))

    def _leg(self, market: int, maker: int, taker: int) -> Leg:
        """What both could carry, or what closes a position of one of them."""
        r = self.random
        held = lots_of(self.account(r.choice((maker, taker))), market)
        if held and r.random() < 0.4:
            return Leg(market, r.randrange(2), self._ticks(market), abs(held))
        share = r.choice((1, 2, 5, 30))
        lots = max(1, min(self.affordable(maker), self.affordable(taker)) // share)
        return Leg(market, r.randrange(2), self._ticks(market), min(lots, LOTS_MAX))

    def _ticks(self, market: int) -> int:
        """Mostly within the band."""
        ticks = near(self.random, self.market(market), self.row(market), BUY)
        lowest, highest = band_ends(self.market(market), self.row(market))
        return ticks if self.random.random() < 0.05 else max(lowest, min(ticks, highest))

    def _bad(self, leg: Leg) -> Leg:
        r, market = self.random, self.market(leg.market)
        lowest, highest = band_ends(market, self.row(leg.market))
        held = abs(lots_of(self.account(self.any_account()), leg.market))
        interest = market.open_interest_max - self.row(leg.market).long.lots
        terms = r.choice(
            (
                (NOBODYS, leg.ticks, leg.lots),
                (leg.market, max(0, lowest - r.randrange(2)), leg.lots),
                (leg.market, min(TICKS_MAX, highest + r.randrange(2)), leg.lots),
                (leg.market, leg.ticks, 0),
                (leg.market, leg.ticks, 1),
                (leg.market, leg.ticks, LOTS_MAX),
                (leg.market, leg.ticks, max(1, market.position_max - held + r.randrange(2))),
                (leg.market, leg.ticks, max(1, interest + r.randrange(2))),
                (leg.market, leg.ticks, leg.lots * 40),
            )
        )
        return Leg(terms[0], leg.taker_side, terms[1], min(terms[2], LOTS_MAX))

    def _malformed(self, count: int, legs: list[Leg]) -> tuple[int, list[Leg]]:
        last = legs[-1]
        return self.random.choice(
            (
                (0, legs),
                (5, legs),
                (255, legs),
                (count, [*legs[:-1], Leg(last.market, 2, last.ticks, last.lots)]),
                (max(1, count - 1), [*legs, last]),
                (2, [last, last]),
                (2, [last, Leg(max(0, last.market - 1), 0, 1, 1)]),
            )
        )
