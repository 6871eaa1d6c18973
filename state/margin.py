"""Margin: what an account is worth, what its risk requires, and when a change may stand."""

from msgspec import Struct

from state.accounts import Account, Position
from state.markets import BoardRow, Mode
from state.store import PreState
from state.units import RATE_ONE, notional, ratio_up, share_up


class Health(Struct, frozen=True, gc=False):
    """Equity and initial margin, in nano-USD."""

    equity: int
    initial: int

    @property
    def is_healthy(self) -> bool:
        return self.equity >= self.initial


def is_fresh(row: BoardRow, now: int) -> bool:
    """A mark counts while its market is live and it is no older than its maximum."""
    return row.mode == Mode.LIVE and row.mark > 0 and now - row.time <= row.price_age_max


def worst_lots(position: Position) -> int:
    """max(|lots + bids|, |lots - asks|): the largest position that open orders can make."""
    # Bids and asks are not negative, so neither of the other two signs can be the larger.
    long, short = position.lots + position.bid_lots, position.ask_lots - position.lots
    return long if long > short else short


def interest_scale(row: BoardRow) -> int:
    """How far open interest has come from `interest_lower` to `interest_upper`, in ppm, up."""
    lower, upper = row.interest_lower, row.interest_upper
    if upper == 0:
        return 0
    long, short = row.long.lots, row.short.lots
    open_interest = (long if long > short else short) * row.mark
    if open_interest <= lower:
        return 0
    if open_interest >= upper:
        return RATE_ONE
    return ratio_up(RATE_ONE, open_interest - lower, upper - lower)


def initial_margin(row: BoardRow, exposure: int) -> int:
    """Sum over tiers of ceil(slice x rate), the rate rising to one with open interest.

    rate = initial + ceil((1 - initial) x interest_scale)
    """
    scale, required = interest_scale(row), 0
    for tier in reversed(row.tiers):
        start = tier.start
        if exposure > start:
            rate = tier.initial
            if scale:
                rate += share_up(RATE_ONE - rate, scale)
            required += share_up(exposure - start, rate)
            exposure = start
    return required


def health(state: PreState, account: Account, changed: BoardRow | None = None) -> Health:
    """equity = cash + sum(lots x mark); initial = sum(initial_margin(worst lots x mark)).

    `changed` stands in for the board row of its market.
    """
    equity, initial, row_of = account.cash, 0, state.row
    # The hottest loop of the venue: `_row`, `notional` and `worst_lots` stand here in line.
    for position in account.positions:
        market = position.market
        row = changed if changed is not None and changed.market == market else row_of(market)
        assert row is not None, "a position's market has a row"
        mark, lots = row.mark, position.lots
        equity += lots * mark
        long, short = lots + position.bid_lots, position.ask_lots - lots
        initial += initial_margin(row, (long if long > short else short) * mark)
    return Health(equity, initial)


def cautious_health(state: PreState, account: Account) -> Health:
    """As `health`, at the worse of mark and slow mark: for positions the one that is worth
    less, for initial margin the higher one. A mark moved for a moment lifts no cash out.
    """
    equity, initial = account.cash, 0
    for position in account.positions:
        row = _row(state, position.market)
        low, high = min(row.mark, row.slow_mark), max(row.mark, row.slow_mark)
        equity += notional(position.lots, low if position.lots > 0 else high)
        initial += initial_margin(row, notional(worst_lots(position), high))
    return Health(equity, initial)


def has_fresh_marks(state: PreState, account: Account) -> bool:
    """Whether every market that the account stands in is live and has a fresh mark."""
    now = state.machine.time
    return all(is_fresh(_row(state, p.market), now) for p in account.positions)


def may_stand(before: Health, after: Health, lots_before: int, lots_after: int) -> bool:
    """Healthy, or a strictly smaller position on the same side and no riskier.

    No riskier: equity_after / initial_after >= equity_before / initial_before, compared
    by cross multiplication.
    """
    if after.is_healthy:
        return True
    same_side = lots_before * lots_after >= 0
    if not (same_side and abs(lots_after) < abs(lots_before)):
        return False
    return after.equity * before.initial >= before.equity * after.initial


def _row(state: PreState, market: int) -> BoardRow:
    row = state.row(market)
    assert row is not None, "a position's market has a row"
    return row
