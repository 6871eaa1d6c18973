# pragma version 0.4.3
"""
@title Margin: what an account is worth, what its risk requires, and when a change may stand
@notice As state/margin.py.
"""

from . import accounts
from . import limits
from . import markets
from . import store
from . import units


struct Health:
    equity: int256
    initial: int256


@internal
@pure
def _is_healthy(health: Health) -> bool:
    """
    @notice equity >= initial margin
    """
    return health.equity >= health.initial


@internal
@pure
def _is_fresh(row: markets.MarginRow, now: uint256) -> bool:
    """
    @notice A mark counts while its market is live and it is no older than its maximum.
    """
    # now - row.time <= price_age_max; no mark is from the future, but nothing here relies on it.
    return (
        row.mode == markets.LIVE and row.mark > 0 and now <= row.time + row.price_age_max
    )


@internal
@pure
def _worst_lots(position: accounts.Position) -> uint256:
    """
    @notice max(|lots + bids|, |lots - asks|): the largest position that open orders can make.
    """
    # Bids and asks are not negative, so neither of the other two signs can be the larger.
    long: int256 = position.lots + convert(position.bid_lots, int256)
    short: int256 = convert(position.ask_lots, int256) - position.lots
    return convert(max(long, short), uint256)


@internal
@pure
def _interest_scale(row: markets.MarginRow) -> uint256:
    """
    @notice How far open interest has come from `interest_lower` to `interest_upper`, in ppm, up.
    """
    if row.interest_upper == 0:
        return 0
    open_interest: uint256 = max(row.long_lots, row.short_lots) * row.mark
    if open_interest <= row.interest_lower:
        return 0
    if open_interest >= row.interest_upper:
        return units.RATE_ONE
    return units._ratio_up(
        units.RATE_ONE,
        open_interest - row.interest_lower,
        row.interest_upper - row.interest_lower,
    )


@internal
@pure
def _initial_margin(row: markets.MarginRow, exposure: uint256) -> int256:
    """
    @notice Sum over tiers of ceil(slice x rate), the rate rising to one with open interest:
            rate = initial + ceil((1 - initial) x interest_scale)
    """
    scale: uint256 = self._interest_scale(row)
    required: uint256 = 0
    rest: uint256 = exposure
    for i: uint256 in range(row.tier_count, bound=limits.TIERS_MAX):
        tier: uint256 = row.tiers[row.tier_count - 1 - i]
        start: uint256 = tier >> markets.TIER_START
        if rest > start:
            rate: uint256 = (tier >> markets.TIER_INITIAL) & markets.U32
            if scale > 0:
                rate += units._share_up(units.RATE_ONE - rate, scale)
            required += units._share_up(rest - start, rate)
            rest = start
    return convert(required, int256)


@internal
@pure
def _health(
    rows: store.Rows, account: accounts.Account, changed: markets.MarginRow
) -> Health:
    """
    @notice equity = cash + sum(lots x mark); initial = sum(initial_margin(worst lots x mark)).
    @param changed Stands in for the board row of its market; of domain zero, for none.
    """
    health: Health = Health(equity=account.head.cash, initial=0)
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        position: accounts.Position = account.positions[i]
        row: markets.MarginRow = changed
        if changed.domain == 0 or changed.market != position.market:
            # In line: a function of its own would copy all rows for each position.
            place: uint256 = rows.places[markets._board_key(position.market)]
            row = rows.rows[place]
            assert row.market == position.market and row.domain > 0, "store: row missing"
        health.equity += position.lots * convert(row.mark, int256)
        health.initial += self._initial_margin(
            row, units._notional(self._worst_lots(position), row.mark)
        )
    return health


@internal
@pure
def _cautious_health(rows: store.Rows, account: accounts.Account) -> Health:
    """
    @notice As `_health`, at the worse of mark and slow mark: for positions the one that is worth
            less, for initial margin the higher one. A mark moved for a moment lifts no cash out.
    """
    health: Health = Health(equity=account.head.cash, initial=0)
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        position: accounts.Position = account.positions[i]
        place: uint256 = rows.places[markets._board_key(position.market)]
        row: markets.MarginRow = rows.rows[place]
        assert row.market == position.market and row.domain > 0, "store: row missing"
        low: uint256 = min(row.mark, row.slow_mark)
        high: uint256 = max(row.mark, row.slow_mark)
        mark: uint256 = low if position.lots > 0 else high
        health.equity += position.lots * convert(mark, int256)
        health.initial += self._initial_margin(
            row, units._notional(self._worst_lots(position), high)
        )
    return health


@internal
@pure
def _has_fresh_marks(rows: store.Rows, account: accounts.Account, now: uint256) -> bool:
    """
    @notice Whether every market that the account stands in is live and has a fresh mark.
    """
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        position: accounts.Position = account.positions[i]
        place: uint256 = rows.places[markets._board_key(position.market)]
        row: markets.MarginRow = rows.rows[place]
        assert row.market == position.market and row.domain > 0, "store: row missing"
        if not self._is_fresh(row, now):
            return False
    return True


@internal
@pure
def _may_stand(before: Health, after: Health, lots_before: int256, lots_after: int256) -> bool:
    """
    @notice Healthy, or a strictly smaller position on the same side and no riskier:
            equity_after / initial_after >= equity_before / initial_before, by cross
            multiplication.
    """
    if self._is_healthy(after):
        return True
    # Lots have 64 bits.
    is_other_side: bool = unsafe_mul(lots_before, lots_after) < 0
    if is_other_side or abs(lots_after) >= abs(lots_before):
        return False
    return after.equity * before.initial >= before.equity * after.initial
