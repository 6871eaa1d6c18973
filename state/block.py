"""A block trade after its ADMIT and SAVE: LEG once per leg, then SETTLE.

Two accounts exchange what they agreed on, past the book. Legs hedge one another, so
limits are asked leg by leg, but margin only at the end; the first refusal ends in RESTORE.
A price that both agreed on, off the mark, moves value past the book, so either must be as
sound in the end as after a withdrawal.
"""

from msgspec.structs import replace

from state.accounts import Account
from state.exchange import Exchange, Party
from state.legs import Leg
from state.limits import ACCOUNT_POSITIONS_MAX
from state.machine import NO_BLOCK, NO_ORDER, BlockInProgress
from state.margin import cautious_health, has_fresh_marks, is_fresh
from state.orders import BUY, SELL
from state.status import Status
from state.store import Changes
from state.transactions.order import band_edge
from state.units import notional


def block_step(changes: Changes) -> None:
    """The next LEG of the block trade in progress, or its SETTLE."""
    block = changes.machine.block
    if block.leg == block.count:
        _finish(changes, _settled(changes, block))
        return
    status = _take_leg(changes, block, block.legs[block.leg])
    if status:
        _finish(changes, status)
    else:
        changes.machine.block = replace(block, leg=block.leg + 1)


def _take_leg(changes: Changes, block: BlockInProgress, leg: Leg) -> Status:
    """LEG: its terms, a slot for either, then the limits of what would stand."""
    if status := _terms_status(changes, leg):
        return status
    order = changes.machine.order
    assert block.maker != order.account and leg.taker_side in (BUY, SELL), "no ADMIT leads here"
    exchange = Exchange(
        changes,
        leg.market,
        taker=Party(order.account, order.epoch, order.sequence),
        maker=Party(block.maker, block.maker_epoch, block.maker_sequence),
        taker_side=leg.taker_side,
        ticks=leg.ticks,
    )
    parties = (exchange.taker, exchange.maker)
    assert not any(account.is_absent for account in parties), "no ADMIT leads here"
    if not all(_has_slot(account, leg.market) for account in parties):
        return Status.TOO_MANY_POSITIONS
    exchange.move(leg.lots)
    status = (
        exchange.interest_status()
        or exchange.size_status(exchange.taker, exchange.taker_after)
        or exchange.size_status(exchange.maker, exchange.maker_after)
    )
    if status == Status.OK:
        exchange.write(block=True)
    return status


def _terms_status(changes: Changes, leg: Leg) -> Status:
    """Whether anybody may trade these lots of this market at this price now."""
    market, row = changes.market(leg.market), changes.row(leg.market)
    if market is None or row is None:
        return Status.UNKNOWN_MARKET
    if not is_fresh(row, changes.machine.time):
        return Status.MARKET_CLOSED
    # One of the two sells: a band without a price for either takes no trade.
    lowest, highest = band_edge(market, row, SELL), band_edge(market, row, BUY)
    if lowest == 0 or not lowest <= leg.ticks <= highest:
        return Status.PRICE_OUT_OF_BAND
    if leg.lots == 0:
        return Status.LOTS_OUT_OF_RANGE
    if notional(leg.lots, leg.ticks * market.tick) < market.min_notional:
        return Status.NOTIONAL_TOO_SMALL
    return Status.OK


def _has_slot(account: Account, market: int) -> bool:
    held = account.position(market)
    return held is not None or len(account.positions) < ACCOUNT_POSITIONS_MAX


def _settled(changes: Changes, block: BlockInProgress) -> Status:
    """SETTLE: with every leg traded, both must be sound; the taker is asked first."""
    if not _is_sound(changes, changes.account(changes.machine.order.account)):
        return Status.TAKER_MARGIN_TOO_LOW
    if not _is_sound(changes, changes.account(block.maker)):
        return Status.MAKER_MARGIN_TOO_LOW
    return Status.OK


def _is_sound(changes: Changes, account: Account) -> bool:
    """Healthy at the worse of mark and slow mark, none of them stale."""
    return has_fresh_marks(changes, account) and cautious_health(changes, account).is_healthy


def _finish(changes: Changes, status: Status) -> None:
    """The last step: KEEP every leg, or RESTORE what SAVE found."""
    if status == Status.OK:
        changes.keep()
    else:
        changes.restore()
    machine = changes.machine
    machine.order, machine.block, machine.status = NO_ORDER, NO_BLOCK, status
