"""The margin of an account with every term named, so that a refusal is checked by hand."""

from node.rpc.amounts import usd
from node.rpc.results import MarginTerms, PositionTerms, Slice
from node.rpc.views.lookup import grid_of
from node.rpc.views.markets import market_price
from node.rpc.wire import U64
from node.view import VenueView
from state.accounts import Account, Position
from state.margin import (
    cautious_health,
    has_fresh_marks,
    health,
    initial_margin,
    interest_scale,
    is_fresh,
    worst_lots,
)
from state.markets import BoardRow
from state.store import PreState
from state.units import RATE_ONE, micro_down, notional, share_up


def margin_terms(
    view: VenueView,
    account: Account,
    *,
    cautious: bool = False,
    state: PreState | None = None,
) -> MarginTerms:
    """As orders are judged, positions at their marks; `cautious`, as withdrawals and transfers
    are, at the worse of mark and slow mark. `state` is another one than the view's, if given.
    """
    state = state or view.state
    now = (cautious_health if cautious else health)(state, account)
    return MarginTerms(
        cash=usd(account.cash),
        equity=usd(now.equity),
        initial_margin=usd(now.initial),
        free_collateral=usd(now.equity - now.initial),
        healthy=now.is_healthy,
        fresh=has_fresh_marks(state, account),
        positions=[_position(state, p, cautious=cautious) for p in account.positions],
    )


def withdrawable_micro(view: VenueView, account: Account) -> int:
    """The most micro-USDC that may leave `account` as it stands."""
    if not has_fresh_marks(view.state, account):
        return 0
    now = cautious_health(view.state, account)
    return micro_down(max(0, now.equity - now.initial))


def _position(state: PreState, position: Position, *, cautious: bool) -> PositionTerms:
    market, row = state.market(position.market), state.row(position.market)
    assert market is not None and row is not None, "a position's market is there"
    grid, worst = grid_of(market), worst_lots(position)
    mark = _cautious_mark(row, position.lots) if cautious else row.mark
    # More exposure needs more margin, whichever way the position is.
    exposure = notional(worst, max(row.mark, row.slow_mark) if cautious else row.mark)
    return PositionTerms(
        market=market.market,
        symbol=market.name,
        size=grid.size(position.lots),
        lots=position.lots,
        bid_lots=U64(position.bid_lots),
        ask_lots=U64(position.ask_lots),
        worst_lots=U64(worst),
        mark=market_price(market, row.mark),
        valued_at=market_price(market, mark),
        value=usd(notional(position.lots, mark)),
        exposure=usd(exposure),
        interest_ppm=interest_scale(row),
        slices=slices(row, exposure),
        initial_margin=usd(initial_margin(row, exposure)),
        fresh=is_fresh(row, state.machine.time),
    )


def _cautious_mark(row: BoardRow, lots: int) -> int:
    return min(row.mark, row.slow_mark) if lots > 0 else max(row.mark, row.slow_mark)


def slices(row: BoardRow, exposure: int) -> list[Slice]:
    """The slices of `exposure` that `initial_margin` adds up, one a tier."""
    scale, found = interest_scale(row), []
    ends = [tier.start for tier in row.tiers[1:]] + [exposure]
    for tier, next_start in zip(row.tiers, ends, strict=True):
        if exposure <= tier.start:
            break
        end = min(exposure, next_start)
        rate = tier.initial + share_up(RATE_ONE - tier.initial, scale)
        found.append(
            Slice(
                start=usd(tier.start),
                end=usd(end),
                rate_ppm=rate,
                margin=usd(share_up(end - tier.start, rate)),
            )
        )
    return found
