"""Positions with their cost, from fills alone: the average-cost method, in integers.

The state knows no entry price: a fill moves cash one way and lots the other. Here the cost
of the open lots is kept beside them, and profit is what a closing fill brings beyond it:

    a fill of n lots at price p, s = 1 bought, -1 sold:  cash moves by -s x n x p - fee
    opening:   cost += s x n x p
    closing:   released = cost x n / |lots|, its magnitude rounded down
               cost -= released;  realised += -s x n x p - released
    through zero: closed to the last lot first, where nothing is rounded, then opened

So for every account, to the nano, over all its markets and since its first deposit:

    cash   = deposits - withdrawals + transfers in - transfers out - cost + realised - fees
    equity = deposits - withdrawals + transfers in - transfers out + realised + unrealised - fees

with unrealised = lots x mark - cost. What rounding leaves behind stays in the cost, and is
realised with the last lot.
"""

from node.tape.records import Holding
from state.units import notional, ratio_down


def after_fill(
    holding: Holding, *, signed_lots: int, price: int, fee: int, time: int
) -> tuple[Holding, int | None]:
    """`holding` after it bought (or with negative lots sold), and what the fill realised.

    `price` is in nano-USD per lot. None is realised where the cost of what was closed is not
    known.
    """
    held, cost = holding.lots, holding.cost
    closing = 0 if held * signed_lots >= 0 else min(abs(held), abs(signed_lots))
    direction = 1 if signed_lots > 0 else -1
    realised: int | None = 0
    if closing:
        released = _released(cost, closing, abs(held))
        if released is None or cost is None:
            realised = None
        else:
            realised = -direction * notional(closing, price) - released
            cost -= released
    lots, opening = held + signed_lots, abs(signed_lots) - closing
    if closing == abs(held):
        cost = 0
    if opening and cost is not None:
        cost += direction * notional(opening, price)
    is_new = lots != 0 and (held == 0 or (held > 0) is not (lots > 0))
    since = time if is_new else holding.since if lots else 0
    gained, fees = holding.realised + (realised or 0), holding.fees + fee
    return Holding(lots, cost, gained, fees, since), realised


def _released(cost: int | None, closing: int, held: int) -> int | None:
    """The closed lots' part of the cost, toward zero; all of it with the last lot."""
    if cost is None:
        return None
    part = ratio_down(abs(cost), closing, held)
    return part if cost >= 0 else -part


def unrealised(holding: Holding, mark: int) -> int | None:
    """lots x mark - cost, in nano-USD; None where the cost is not known."""
    return None if holding.cost is None else notional(holding.lots, mark) - holding.cost


def entry_price(holding: Holding) -> int | None:
    """|cost| / |lots| in nano-USD per lot, rounded down; None when flat or not known."""
    if holding.lots == 0 or holding.cost is None:
        return None
    return ratio_down(abs(holding.cost), 1, abs(holding.lots))
