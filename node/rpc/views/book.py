"""The book of a market, aggregated by price."""

from itertools import groupby

from node.rpc.amounts import Grid
from node.rpc.errors import InvalidParams
from node.rpc.params import BOOK_DEPTH_DEFAULT, BOOK_DEPTH_MAX, BookParams
from node.rpc.results import BookDepth, Level
from node.rpc.views.lookup import find_market, grid_of
from node.rpc.wire import U64
from node.view import VenueView
from state.orders import BUY, SELL, key_ticks


def book(view: VenueView, params: BookParams) -> BookDepth:
    """Up to `depth` levels a side, from the best."""
    depth = BOOK_DEPTH_DEFAULT if params.depth is None else params.depth
    if not 1 <= depth <= BOOK_DEPTH_MAX:
        raise InvalidParams(
            "depth_out_of_range",
            f"depth {depth} is not within 1 to {BOOK_DEPTH_MAX}",
            f"ask for 1 to {BOOK_DEPTH_MAX} levels",
            expected=f"1 to {BOOK_DEPTH_MAX}",
            got=depth,
        )
    market, _ = find_market(view, params.market)
    bids, asks = (levels(view, market.market, side, grid_of(market), depth) for side in (BUY, SELL))
    machine = view.state.machine
    return BookDepth(
        market=market.market,
        symbol=market.name,
        batch=machine.batch,
        time=machine.time,
        best_bid=bids[0] if bids else None,
        best_ask=asks[0] if asks else None,
        bids=bids,
        asks=asks,
    )


def levels(view: VenueView, market: int, side: int, grid: Grid, depth: int) -> list[Level]:
    """Live orders by price, at most `depth` prices."""
    now = view.state.machine.time
    live = (
        (key_ticks(side, key), order.lots)
        for key, order in view.state.book(market, side)
        if now <= order.expiry
    )
    found: list[Level] = []
    for ticks, orders in groupby(live, key=lambda pair: pair[0]):
        sizes = [lots for _, lots in orders]
        found.append(
            Level(
                price=grid.price(ticks),
                size=grid.size(sum(sizes)),
                ticks=ticks,
                lots=U64(sum(sizes)),
                orders=len(sizes),
            )
        )
        if len(found) == depth:
            break
    return found
