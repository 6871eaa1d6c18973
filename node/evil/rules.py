"""The rules that a liar runs in place of the true ones.

Every lie leaves a state that is sound in itself: sums follow their leaves, money is conserved,
longs are shorts. So nothing that L1 checks of a claim tells it from a true one.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from node.evil.kinds import Kind
from node.evil.patching import Rules
from state.accounts import Account
from state.chunks import Row, unpack_chunk
from state.limits import CHUNK_BYTES_MAX
from state.lz4_block import decode
from state.memory import MemoryState
from state.orders import RestingOrder, crosses, decode_flags, key_ticks
from state.packing import NotCanonical
from state.status import Status
from state.steps import advance_order, take_transaction
from state.store import Changes
from state.transactions import Header, SignedPrice
from state.transactions.deposit import apply_deposit, decode_deposit, encode_deposit
from state.units import NANO_PER_MICRO
from state.withdrawals import Withdrawal

LOOT = 1_000 * 10**6
"""Micro-USDC that a liar takes at a time; less where nobody has so much."""


def lying_rules(kind: Kind, liar: bytes) -> Rules:
    """What `kind` exchanges, for one run of one batch. Loot goes to the first account of the
    address `liar`; where it has none, there is nothing to gain and nothing changes.
    """
    match kind:
        case Kind.PRIORITY:
            return {"state.store.Changes.front": _worst_first}
        case Kind.MARGIN:
            return _NO_MARGIN
        case Kind.SEQUENCE:
            return {"state.authentication.last_sequence": _always(-1)}
        case Kind.CHUNK:
            return {"prover.derivation.decode_chunk": _whatever_hash}
        case Kind.WITHDRAWAL:
            return {"state.execution.take_transaction": _with_withdrawal(liar)}
        case Kind.INBOX:
            return {"state.inbox.apply_deposit": _deposits_to(liar)}
        case Kind.STEP | Kind.STALL:
            return {"state.execution.advance_order": _with_theft(liar)}
        case Kind.ROOT:
            return {}


def account_of(state: MemoryState, owner: bytes) -> int | None:
    """The lowest account of an owner."""
    return min((n for n, held in state.accounts.items() if held.owner == owner), default=None)


def _always(value: object) -> Callable[..., object]:
    return lambda *_, **__: value


_NO_MARGIN: Rules = {
    "state.transactions.withdraw.may_leave": _always(True),
    "state.transactions.order.room_status": _always(Status.OK),
    "state.matching.room_status": _always(Status.OK),
    "state.trade.may_stand": _always(True),
}
"""Wherever an order or a withdrawal is asked whether its account can bear it."""


def _whatever_hash(compressed: bytes, _: bytes) -> list[Row]:
    """The transactions of a chunk, whichever raw bytes its header names."""
    return unpack_chunk(decode(compressed, CHUNK_BYTES_MAX))


def _worst_first(changes: Changes, market: int, side: int) -> tuple[int, RestingOrder] | None:
    """The last of the resting orders that the order in progress may still meet."""
    order, best = changes.machine.order, changes.base.front(market, side)
    flags, state = decode_flags(order.flags), _whole(changes)
    if best is None or flags is None:
        return best
    met = [
        (key, resting)
        for key, resting in state.book(market, side)
        if crosses(flags.side, order.ticks, key_ticks(side, key))
    ]
    return met[-1] if met else best


def _deposits_to(liar: bytes) -> Callable[[Changes, bytes], Status]:
    """Every deposit is the liar's."""

    def apply(changes: Changes, payload: bytes) -> Status:
        account = account_of(_whole(changes), liar)
        try:
            item = decode_deposit(payload)
        except NotCanonical:
            return apply_deposit(changes, payload)
        if account is None:
            return apply_deposit(changes, payload)
        return apply_deposit(changes, encode_deposit(replace(item, account=account, owner=liar)))

    return apply


def _with_theft(liar: bytes) -> Callable[..., Changes]:
    """The first fill of the batch costs the richest account LOOT more, and the liar gets it."""
    is_done = False

    def steal(state: MemoryState) -> Changes:
        nonlocal is_done
        changes, account = advance_order(state), account_of(state, liar)
        if changes.events and account is not None and not is_done:
            is_done = True
            _move(changes, _richest(state, account), account)
        return changes

    return steal


def _move(changes: Changes, victim: int, account: int) -> None:
    robbed = changes.account(victim)
    loot = min(LOOT * NANO_PER_MICRO, max(robbed.cash, 0))
    changes.write_account(victim, replace(robbed, cash=robbed.cash - loot))
    enriched = changes.account(account)
    changes.write_account(account, replace(enriched, cash=enriched.cash + loot))


def _with_withdrawal(liar: bytes) -> Callable[..., Changes]:
    """Beside the first transaction of a trader, the richest account pays out to the liar."""
    is_done = False

    def withdraw(state: MemoryState, tx: Any, *more: Any, **options: Any) -> Changes:
        nonlocal is_done
        changes = take_transaction(state, tx, *more, **options)
        if not isinstance(tx, Header | SignedPrice) and not is_done:
            is_done = True
            _pay_out(changes, _richest(state), liar)
        return changes

    return withdraw


def _pay_out(changes: Changes, victim: int, liar: bytes) -> None:
    robbed, machine = changes.account(victim), changes.machine
    amount = min(LOOT, max(robbed.cash, 0) // NANO_PER_MICRO)
    changes.write_account(victim, replace(robbed, cash=robbed.cash - amount * NANO_PER_MICRO))
    machine.withdrawn += amount * NANO_PER_MICRO
    changes.append_withdrawal(Withdrawal(machine.withdrawals, victim, liar, amount))


def _richest(state: MemoryState, but: int | None = None) -> int:
    """The account with the most cash."""

    def wealth(entry: tuple[int, Account]) -> int:
        return entry[1].cash

    return max((entry for entry in state.accounts.items() if entry[0] != but), key=wealth)[0]


def _whole(changes: Changes) -> MemoryState:
    """The state under a layer: liars keep theirs in memory."""
    assert isinstance(changes.base, MemoryState)
    return changes.base
