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
    lots = position.lots
    return max(abs(lots + position.bid_lots), abs(lots - position.ask_lots))


def interest_scale(row: BoardRow) -> int:
    """How far open interest has come from `interest_lower` to `interest_upper`, in ppm, up."""
    if row.interest_upper == 0:
        return 0
    open_interest = notional(max(row.long.lots, row.short.lots), row.mark)
    if open_interest <= row.interest_lower:
        return 0
    if open_interest >= row.interest_upper:
        return RATE_ONE
    past = open_interest - row.interest_lower
    return ratio_up(RATE_ONE, past, row.interest_upper - row.interest_lower)


def initial_margin(row: BoardRow, exposure: int) -> int:
    """Sum over tiers of ceil(slice x rate), the rate rising to one with open interest.

    rate = initial + ceil((1 - initial) x interest_scale)
    """
    scale = interest_scale(row)
    required, tiers = 0, row.tiers
    for index, tier in enumerate(tiers):
        if exposure <= tier.start and index > 0:
            break
        top = exposure
        if index + 1 < len(tiers):
            top = min(exposure, tiers[index + 1].start)
        rate = tier.initial
        if scale:
            rate += share_up(RATE_ONE - rate, scale)
        required += share_up(top - tier.start, rate)
    return required


def health(state: PreState, account: Account, changed: BoardRow | None = None) -> Health:
    """equity = cash + sum(lots x mark); initial = sum(initial_margin(worst lots x mark)).

    `changed` stands in for the board row of its market.
    """
    equity, initial = account.cash, 0
    for position in account.positions:
        row = _row(state, position.market, changed)
        equity += notional(position.lots, row.mark)
        initial += initial_margin(row, notional(worst_lots(position), row.mark))
    return Health(equity, initial)


def cautious_health(state: PreState, account: Account) -> Health:
    """As `health`, at the worse of mark and slow mark: for positions the one that is worth
    less, for initial margin the higher one. A mark moved for a moment lifts no cash out.
    """
    equity, initial = account.cash, 0
    for position in account.positions:
        row = _row(state, position.market, None)
        low, high = min(row.mark, row.slow_mark), max(row.mark, row.slow_mark)
        equity += notional(position.lots, low if position.lots > 0 else high)
        initial += initial_margin(row, notional(worst_lots(position), high))
    return Health(equity, initial)


def has_fresh_marks(state: PreState, account: Account) -> bool:
    """Whether every market that the account stands in is live and has a fresh mark."""
    now = state.machine.time
    return all(is_fresh(_row(state, p.market, None), now) for p in account.positions)


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


def _row(state: PreState, market: int, changed: BoardRow | None) -> BoardRow:
    if changed is not None and changed.market == market:
        return changed
    row = state.row(market)
    assert row is not None, "a position's market has a row"
    return row
