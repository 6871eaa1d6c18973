"""Matches: two entries, down to the first step in which they differ; the twin of
contracts/matches.vy.
"""

from msgspec import structs

from prover.dispute import entries, payments
from prover.dispute.ledger import Call, Ledger, require
from prover.dispute.terms import DisputeTerms
from prover.dispute.views import EntryStatus, MatchStatus, MatchView, match_id
from state.crypto import ZERO_HASH as ZERO
from state.crypto import keccak

ONE, TWO = 1, 2
WON_BY = {MatchStatus.ONE_WON: ONE, MatchStatus.TWO_WON: TWO}


def advance(
    ledger: Ledger,
    terms: DisputeTerms,
    call: Call,
    match: bytes,
    left: bytes,
    right: bytes,
    next_left: bytes,
    next_right: bytes,
) -> None:
    """Move for the side whose turn it is: the children of its node, and those of the child that
    differs from the other side's first (zero where these are leaves).
    """
    m = open_match(ledger, match)
    require(m.height > 0, "matches: sealed already")
    require(call.now <= turn_ends_at(terms, m), "matches: turn is over")
    require(keccak(left + right) == m.other, "matches: not the children of the mover's node")
    goes_right = left == m.left
    own, others = (right, m.right) if goes_right else (left, m.left)
    m = structs.replace(
        _clocked(m, call.now), height=m.height - 1, index=2 * m.index + int(goes_right)
    )
    side = m.mover
    if m.height > 0:
        is_shown = keccak(next_left + next_right) == own
        require(is_shown, "matches: not the children of the node that differs")
        mover = TWO if side == ONE else ONE
        m = structs.replace(m, mover=mover, other=others, left=next_left, right=next_right)
    else:
        require(next_left == next_right == ZERO, "matches: leaves have no children")
        leaves = (own, others) if side == ONE else (others, own)
        m = structs.replace(m, mover=0, other=ZERO, left=leaves[0], right=leaves[1])
    price = payments.price(payments.ADVANCE_GAS, call.base_fee, terms.base_fee_cap)
    _earn(ledger, match, m, side, call.sender, price)


def _clocked(m: MatchView, now: int) -> MatchView:
    """What the turn took is taken from the mover's clock, down to zero."""
    now = max(now, m.turn_at)
    spent = now - m.turn_at
    if m.mover == ONE:
        return structs.replace(m, clock_one=max(m.clock_one - spent, 0), turn_at=now)
    return structs.replace(m, clock_two=max(m.clock_two - spent, 0), turn_at=now)


def _earn(ledger: Ledger, match: bytes, m: MatchView, side: int, mover: bytes, amount: int) -> None:
    """`amount` is below zero where what was earned is collected."""
    key = (match, side, mover)
    ledger.earned[key] = ledger.earned.get(key, 0) + amount
    if side == ONE:
        m = structs.replace(m, earned_one=m.earned_one + amount)
    else:
        m = structs.replace(m, earned_two=m.earned_two + amount)
    ledger.matches[match] = m


def time_out(
    ledger: Ledger, terms: DisputeTerms, call: Call, match: bytes, left: bytes, right: bytes
) -> None:
    """End a match whose mover is late, or that nobody settled within move_time."""
    m = open_match(ledger, match)
    require(call.now > turn_ends_at(terms, m), "matches: turn is not over")
    status = MatchStatus.BOTH_LOST
    if m.mover == ONE:
        status = MatchStatus.TWO_WON
    elif m.mover == TWO:
        status = MatchStatus.ONE_WON
    price = payments.price(payments.TIME_OUT_GAS, call.base_fee, terms.base_fee_cap)
    end(ledger, terms, call, match, status, price, left, right)


def collect(ledger: Ledger, call: Call, match: bytes) -> None:
    """Credit the caller for their moves for the side that won."""
    m = ledger.matches.get(match)
    require(m is not None and m.status in WON_BY, "matches: nobody won")
    assert m is not None
    side = WON_BY[m.status]
    amount = ledger.earned.get((match, side, call.sender), 0)
    require(amount > 0, "matches: nothing to collect")
    _earn(ledger, match, m, side, call.sender, -amount)
    ledger.credit(call.sender, amount)


def pair(
    ledger: Ledger, terms: DisputeTerms, call: Call, entry: bytes, left: bytes, right: bytes
) -> None:
    """An entry that has no match meets who waits, or waits; the children are those of its root.

    Clocks begin when entries end: until then somebody else may have entered the trace of a player
    who is still to come, and must not be able to lose it for them.
    """
    dispute = ledger.entries[entry].dispute
    counts = ledger.disputes[dispute]
    waiting = counts.waiting
    if waiting == ZERO:
        ledger.disputes[dispute] = structs.replace(counts, waiting=entry)
        entries.set_status(ledger, entry, EntryStatus.WAITING)
        return
    ledger.disputes[dispute] = structs.replace(counts, waiting=ZERO)
    match = match_id(waiting, entry)
    for side in (waiting, entry):
        ledger.entries[side] = structs.replace(
            ledger.entries[side], status=EntryStatus.IN_MATCH, match=match
        )
    ledger.matches[match] = MatchView(
        one=waiting,
        two=entry,
        other=ledger.entries[waiting].trace_root,
        left=left,
        right=right,
        height=terms.height,
        index=0,
        mover=ONE,
        clock_one=terms.clock,
        clock_two=terms.clock,
        turn_at=max(call.now, counts.ends_at),
        status=MatchStatus.OPEN,
        earned_one=0,
        earned_two=0,
    )


def end(
    ledger: Ledger,
    terms: DisputeTerms,
    call: Call,
    match: bytes,
    status: MatchStatus,
    price: int,
    left: bytes,
    right: bytes,
) -> None:
    """Who lost is out, and pays: the caller at once, then the moves of who won, and the insurance
    fund what is left. Who won meets the next.
    """
    m = structs.replace(ledger.matches[match], status=status)
    ledger.matches[match] = m
    winner, moves, bonds = None, 0, 2 * terms.entry_bond
    if status == MatchStatus.ONE_WON:
        winner, moves, bonds = m.one, m.earned_one, terms.entry_bond
    elif status == MatchStatus.TWO_WON:
        winner, moves, bonds = m.two, m.earned_two, terms.entry_bond
    for entry in (m.one, m.two):
        if entry != winner:
            entries.lose(ledger, entry)
    ledger.credit(call.sender, price)
    ledger.credit(ledger.insurance, bonds - moves - price)
    if winner is not None:
        is_shown = keccak(left + right) == ledger.entries[winner].trace_root
        require(is_shown, "matches: not the children of the winner's root")
        pair(ledger, terms, call, winner, left, right)


def turn_ends_at(terms: DisputeTerms, m: MatchView) -> int:
    """turn_at + max(what is left of the mover's clock, move_time), in seconds; once sealed
    turn_at + move_time.
    """
    clock = m.clock_one if m.mover == ONE else m.clock_two if m.mover == TWO else 0
    return m.turn_at + max(clock, terms.move_time)


def open_match(ledger: Ledger, match: bytes) -> MatchView:
    """A match that is not over."""
    found = ledger.matches.get(match)
    require(found is not None and found.status == MatchStatus.OPEN, "matches: not an open match")
    assert found is not None
    return found
