"""The venue's sums recomputed from every leaf: slow, and sure.

Asserted after every step in tests and by the nodes after every batch.
"""

from state.memory import MemoryState
from state.orders import BUY, SELL, key_ticks
from state.units import nano


def check_invariants(state: MemoryState) -> None:
    """Nothing minted, nothing lost, longs equal shorts, references and books agree."""
    _check_money(state)
    _check_lots(state)
    _check_orders(state)
    _check_books(state)


def _check_money(state: MemoryState) -> None:
    machine, sums = state.machine, state.machine.sums
    cash = sum(account.cash for account in state.accounts.values())
    assert cash == sums.cash, f"accounts hold {cash}, the sum says {sums.cash}"
    assert sum(m.pool for m in state.markets.values()) == sums.pools
    assert sum(m.insurance for m in state.markets.values()) == sums.insurance
    assert sum(m.bad_debt for m in state.markets.values()) == sums.bad_debt
    assert sum(m.dust for m in state.markets.values()) == sums.dust
    withdrawn = nano(sum(w.amount for w in state.withdrawals))
    assert withdrawn == machine.withdrawn, f"{withdrawn} withdrawn, not {machine.withdrawn}"
    assert machine.is_conserved, "deposits differ from what is held and was withdrawn"


def _check_lots(state: MemoryState) -> None:
    longs: dict[int, int] = {}
    shorts: dict[int, int] = {}
    for account in state.accounts.values():
        for position in account.positions:
            assert not position.is_empty
            side = longs if position.lots > 0 else shorts
            side[position.market] = side.get(position.market, 0) + abs(position.lots)
    for row in state.rows.values():
        held = longs.get(row.market, 0), shorts.get(row.market, 0)
        assert held == (row.long.lots, row.short.lots), f"market {row.market}: {held}"
        assert held[0] == held[1], f"market {row.market}: longs differ from shorts"
    sums = state.machine.sums
    assert sum(row.long.lots for row in state.rows.values()) == sums.long_lots
    assert sum(row.short.lots for row in state.rows.values()) == sums.short_lots


def _check_orders(state: MemoryState) -> None:
    resting: dict[tuple[int, int, int], int] = {}
    count = 0
    for (market, side), book in state.books.items():
        for key, order in book:
            count += 1
            account = state.account(order.account)
            reference = account.order(order.epoch, order.sequence)
            assert reference is not None, "a resting order is referred to by its account"
            assert (reference.market, reference.side, reference.key) == (market, side, key)
            assert order.lots > 0
            place = (order.account, market, side)
            resting[place] = resting.get(place, 0) + order.lots
    assert count == sum(len(account.orders) for account in state.accounts.values())
    for number, account in state.accounts.items():
        for position in account.positions:
            for side in (0, 1):
                lots = position.bid_lots if side == BUY else position.ask_lots
                assert lots == resting.pop((number, position.market, side), 0)
    assert not resting, "resting lots without a position"


def _check_books(state: MemoryState) -> None:
    for number in state.markets:
        bid, ask = state.front(number, BUY), state.front(number, SELL)
        if bid is not None and ask is not None:
            crossed = key_ticks(BUY, bid[0]) >= key_ticks(SELL, ask[0])
            assert not crossed, f"market {number}: the book is crossed at rest"
