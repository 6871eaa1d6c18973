"""Block trades: docs/protocol.md 5.4, every leg or none."""

from reference_ledger import Ledger, Markets
from reference_margin import band_edges, is_fresh, spare
from reference_matching import Outcome, exchange, is_too_large, is_too_much_interest
from reference_orders import has_place

from state.legs import NO_LEG, Leg
from state.status import Status
from state.transactions.block_trade import BlockTrade


def is_formed(tx: BlockTrade) -> bool:
    """One to four legs, their markets ascending, and nothing in the places of the others."""
    used, spare = tx.legs[: tx.count], tx.legs[tx.count :]
    markets = [leg.market for leg in used]
    return (
        1 <= tx.count <= 4
        and markets == sorted(set(markets))
        and all(leg.taker_side in (0, 1) for leg in used)
        and all(leg == NO_LEG for leg in spare)
    )


def trade_block(
    ledger: Ledger, markets: Markets, tx: BlockTrade, now: int
) -> tuple[Ledger, Outcome]:
    """An authenticated block trade of two accounts: the ledger after it, or as it was."""
    after, fills = ledger, []
    steps = 2
    for leg in tx.legs[: tx.count]:
        steps += 1
        status = _terms_refuse(markets, leg, now)
        if status == Status.OK:
            before = after
            after, fill = exchange(
                *(before, markets, leg.market),
                (tx.taker, tx.taker_epoch, tx.taker_sequence),
                (tx.maker, tx.maker_epoch, tx.maker_sequence),
                side=leg.taker_side,
                ticks=leg.ticks,
                lots=leg.lots,
            )
            fills.append(fill)
            status = _parties_refuse(before, after, markets, tx, leg.market)
        if status != Status.OK:
            return ledger, Outcome(status, [], steps)
    steps += 1
    if not _is_sound(after, markets, tx.taker, now):
        return ledger, Outcome(Status.TAKER_MARGIN_TOO_LOW, [], steps)
    if not _is_sound(after, markets, tx.maker, now):
        return ledger, Outcome(Status.MAKER_MARGIN_TOO_LOW, [], steps)
    return after, Outcome(Status.OK, fills, steps)


def _is_sound(ledger: Ledger, markets: Markets, account: int, now: int) -> bool:
    """As what may leave an account: nothing could, but no less is left than that."""
    fresh = all(is_fresh(markets[number], now) for number in ledger.markets_of(account))
    return fresh and spare(ledger, markets, account) >= 0


def _terms_refuse(markets: Markets, leg: Leg, now: int) -> Status:
    market = markets.get(leg.market)
    if market is None:
        return Status.UNKNOWN_MARKET
    if not is_fresh(market, now):
        return Status.MARKET_CLOSED
    lowest, highest = band_edges(market)
    if not lowest <= leg.ticks <= highest:
        return Status.PRICE_OUT_OF_BAND
    if leg.lots == 0:
        return Status.LOTS_OUT_OF_RANGE
    if leg.lots * leg.ticks * market.terms.tick < market.terms.min_notional:
        return Status.NOTIONAL_TOO_SMALL
    return Status.OK


def _parties_refuse(
    before: Ledger, after: Ledger, markets: Markets, tx: BlockTrade, market: int
) -> Status:
    parties = tx.taker, tx.maker
    if not all(has_place(before, party, market) for party in parties):
        return Status.TOO_MANY_POSITIONS
    if is_too_much_interest(before, after, markets, market):
        return Status.OPEN_INTEREST_TOO_LARGE
    if any(is_too_large(before, after, markets, party, market) for party in parties):
        return Status.POSITION_TOO_LARGE
    return Status.OK
