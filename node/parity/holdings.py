"""Holdings written by hand: what a trade would have left, without one."""

from state.accounts import Position, with_position
from state.exchange import row_with_lots, with_lots
from state.store import Changes


def exchange(changes: Changes, long: int, short: int, market: int, lots: int) -> None:
    """`lots` of a market go to one account, out of another."""
    row = changes.row(market)
    assert row is not None
    for number, signed in ((long, lots), (short, -lots)):
        account = changes.account(number)
        position = account.position(market) or Position(market)
        row = row_with_lots(row, position.lots, position.lots + signed)
        held = with_lots(position, row, position.lots + signed)
        changes.write_account(number, with_position(account, held))
    changes.write_row(row)
