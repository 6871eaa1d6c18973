# pragma version 0.4.3
"""
@title Matches: two entries, down to the first step in which they differ
@notice docs/disputes.md, section 3. One side has shown the children of its node, the other is to
        move: it shows its own, and those of the child in which the two first differ.
        match = keccak(one | two)
"""

from . import batches
from . import entries
from . import payments
from . import traces

uses: payments
uses: entries


STATUS_OPEN: constant(uint8) = 1
STATUS_ONE_WON: constant(uint8) = 2
STATUS_TWO_WON: constant(uint8) = 3
STATUS_BOTH_LOST: constant(uint8) = 4

ONE: constant(uint8) = 1
TWO: constant(uint8) = 2

# What ended a match, or an entry.
STEP: constant(uint8) = 1
TIME: constant(uint8) = 2
REFUTED: constant(uint8) = 3

U8: constant(uint256) = 2**8 - 1
U32: constant(uint256) = 2**32 - 1
U64: constant(uint256) = 2**64 - 1
U128: constant(uint256) = 2**128 - 1


# @notice Seconds that each side has for a match.
CLOCK: public(immutable(uint64))

# @notice Seconds that it has for a move, however little is left of its clock.
MOVE_TIME: public(immutable(uint64))


struct Match:
    one: bytes32  # the entry that waited
    two: bytes32  # the one that came to it
    other: bytes32  # the mover's node; zero once sealed
    left: bytes32  # the children of the other side's; once sealed the leaf of one
    right: bytes32  # and that of two
    height: uint8  # of the nodes, counted from the leaves; 0 once sealed
    index: uint32  # of the nodes on their level, counted from the left
    mover: uint8  # 1 or 2; 0 once sealed
    clock_one: uint64
    clock_two: uint64
    turn_at: uint64  # seconds; no earlier than when entries end
    status: uint8
    earned_one: uint256  # wei for moves, not collected; of a side that lost it counts for nothing
    earned_two: uint256


# u64 clock_one | u64 clock_two | u64 turn_at | u32 index | u8 height | u8 mover | u8 status
# u128 earned_one | u128 earned_two
struct StoredMatch:
    one: bytes32
    two: bytes32
    other: bytes32
    left: bytes32
    right: bytes32
    place: uint256
    earned: uint256


_matches: HashMap[bytes32, StoredMatch]

# @notice Wei by match, side and mover; collected if that side wins.
earned: public(HashMap[bytes32, HashMap[uint8, HashMap[address, uint256]]])


event Matched:
    dispute: indexed(bytes32)
    match: indexed(bytes32)
    one: bytes32
    two: bytes32


event Advanced:
    match: indexed(bytes32)
    side: uint8
    mover: address
    height: uint8
    index: uint32


event Ended:
    dispute: indexed(bytes32)
    match: indexed(bytes32)
    status: uint8
    how: uint8
    caller: address


@deploy
def __init__(clock: uint64, move_time: uint64):
    """
    @notice Seconds.
    """
    assert move_time > 0, "matches: move time is zero"
    assert clock >= move_time, "matches: clock is below the move time"
    assert clock <= batches.DURATION_MAX, "matches: clock is too long"
    CLOCK = clock
    MOVE_TIME = move_time


@external
def advance(
    match: bytes32, left: bytes32, right: bytes32, next_left: bytes32, next_right: bytes32
):
    """
    @notice Move for the side whose turn it is. Anyone may, and is paid if that side wins.
    @param left With `right` the children of the mover's node.
    @param next_left With `next_right` the children of the mover's child that differs from the other
           side's first; zero where these are leaves.
    """
    m: Match = self._open(match)
    assert m.height > 0, "matches: sealed already"
    # The clock of a turn that begins later stands still until then.
    now: uint64 = max(convert(block.timestamp, uint64), m.turn_at)
    assert now <= self._turn_ends_at(m), "matches: turn is over"
    assert traces._node(left, right) == m.other, "matches: not the children of the mover's node"

    goes_right: bool = left == m.left
    m = self._clocked(m, now)
    own: bytes32 = right if goes_right else left
    others: bytes32 = m.right if goes_right else m.left
    side: uint8 = m.mover
    m.height -= 1
    m.index = 2 * m.index + convert(goes_right, uint32)
    if m.height > 0:
        shown: bool = traces._node(next_left, next_right) == own
        assert shown, "matches: not the children of the node that differs"
        m.mover = TWO if side == ONE else ONE
        m.other = others
        m.left = next_left
        m.right = next_right
    else:
        is_last: bool = next_left == empty(bytes32) and next_right == empty(bytes32)
        assert is_last, "matches: leaves have no children"
        m.mover = 0
        m.other = empty(bytes32)
        m.left = own if side == ONE else others
        m.right = others if side == ONE else own

    price: uint256 = payments._price(payments.ADVANCE_GAS)
    self.earned[match][side][msg.sender] += price
    if side == ONE:
        m.earned_one += price
    else:
        m.earned_two += price
    self._store(match, m)
    log Advanced(match=match, side=side, mover=msg.sender, height=m.height, index=m.index)


@external
def time_out(match: bytes32, left: bytes32, right: bytes32):
    """
    @notice End a match whose mover is late, or that nobody settled within MOVE_TIME. Anyone may,
            and is paid.
    @param left With `right` the children of the trace root of who wins.
    """
    m: Match = self._open(match)
    is_over: bool = convert(block.timestamp, uint64) > self._turn_ends_at(m)
    assert is_over, "matches: turn is not over"
    status: uint8 = STATUS_BOTH_LOST
    if m.mover == ONE:
        status = STATUS_TWO_WON
    elif m.mover == TWO:
        status = STATUS_ONE_WON
    price: uint256 = payments._price(payments.TIME_OUT_GAS)
    self._end(match, m, status, TIME, price, payments.TIMED_OUT, left, right)


@external
def collect(match: bytes32):
    """
    @notice Credit the caller for their moves for the side that won.
    """
    m: Match = self._match(match)
    won: bool = m.status == STATUS_ONE_WON or m.status == STATUS_TWO_WON
    assert won, "matches: nobody won"
    side: uint8 = ONE if m.status == STATUS_ONE_WON else TWO
    amount: uint256 = self.earned[match][side][msg.sender]
    assert amount > 0, "matches: nothing to collect"
    self.earned[match][side][msg.sender] = 0
    if side == ONE:
        m.earned_one -= amount
    else:
        m.earned_two -= amount
    self._store(match, m)
    payments._credit(msg.sender, amount, payments.MOVED)


@external
@view
def match_of(match: bytes32) -> Match:
    """
    @notice What is kept of a match; all zero where there is none.
    """
    return self._match(match)


@internal
def _pair(entry: bytes32, left: bytes32, right: bytes32):
    """
    @notice An entry that has no match meets who waits, or waits. Clocks begin when entries end: until
            then somebody else may have entered the trace of a player who is still to come, and
            must not be able to lose it for them.
    @param left With `right` the children of its trace root.
    """
    dispute: bytes32 = entries._entries[entry].dispute
    waiting: bytes32 = entries._disputes[dispute].waiting
    if waiting == empty(bytes32):
        entries._disputes[dispute].waiting = entry
        entries._set_status(entry, entries.STATUS_WAITING)
        return
    entries._disputes[dispute].waiting = empty(bytes32)
    match: bytes32 = keccak256(concat(waiting, entry))
    for side: bytes32 in [waiting, entry]:
        entries._set_status(side, entries.STATUS_IN_MATCH)
        entries._entries[side].match = match
    now: uint64 = convert(block.timestamp, uint64)
    self._store(
        match,
        Match(
            one=waiting,
            two=entry,
            other=entries._entries[waiting].trace_root,
            left=left,
            right=right,
            height=entries.HEIGHT,
            index=0,
            mover=ONE,
            clock_one=CLOCK,
            clock_two=CLOCK,
            turn_at=max(now, entries._dispute(dispute).ends_at),
            status=STATUS_OPEN,
            earned_one=0,
            earned_two=0,
        ),
    )
    self._matches[match].one = waiting
    self._matches[match].two = entry
    log Matched(dispute=dispute, match=match, one=waiting, two=entry)


@internal
def _end(
    match: bytes32,
    open_match: Match,
    status: uint8,
    how: uint8,
    price: uint256,
    why: uint8,
    left: bytes32,
    right: bytes32,
):
    """
    @notice Who lost is out, and pays: the caller at once, then the moves of who won, and the
            insurance fund what is left. Who won meets the next.
    """
    m: Match = open_match
    m.status = status
    self._store(match, m)
    dispute: bytes32 = entries._entries[m.one].dispute
    log Ended(dispute=dispute, match=match, status=status, how=how, caller=msg.sender)
    winner: bytes32 = empty(bytes32)
    left_over: uint256 = 0
    if status == STATUS_ONE_WON:
        winner = m.one
        left_over = entries.ENTRY_BOND - m.earned_one
    else:
        entries._lose(m.one, how)
    if status == STATUS_TWO_WON:
        winner = m.two
        left_over = entries.ENTRY_BOND - m.earned_two
    else:
        entries._lose(m.two, how)
    if status == STATUS_BOTH_LOST:
        left_over = 2 * entries.ENTRY_BOND
    payments._credit(msg.sender, price, why)
    payments._credit(payments.INSURANCE, left_over - price, payments.REMAINDER)
    if winner != empty(bytes32):
        trace_root: bytes32 = entries._entries[winner].trace_root
        shown: bool = traces._node(left, right) == trace_root
        assert shown, "matches: not the children of the winner's root"
        self._pair(winner, left, right)


@internal
@pure
def _clocked(before: Match, now: uint64) -> Match:
    """
    @notice What the move took is gone from the mover's clock, down to zero; the next turn begins.
    """
    m: Match = before
    spent: uint64 = now - m.turn_at
    if m.mover == ONE:
        m.clock_one -= min(spent, m.clock_one)
    else:
        m.clock_two -= min(spent, m.clock_two)
    m.turn_at = now
    return m


@internal
@view
def _turn_ends_at(m: Match) -> uint64:
    """
    @notice turn_at + max(what is left of the mover's clock, MOVE_TIME), in seconds; once sealed
            turn_at + MOVE_TIME.
    """
    clock: uint64 = 0
    if m.mover == ONE:
        clock = m.clock_one
    elif m.mover == TWO:
        clock = m.clock_two
    return m.turn_at + max(clock, MOVE_TIME)


@internal
@view
def _open(match: bytes32) -> Match:
    """
    @notice A match that is not over.
    """
    m: Match = self._match(match)
    assert m.status == STATUS_OPEN, "matches: not an open match"
    return m


@internal
@view
def _match(match: bytes32) -> Match:
    """
    @notice What is kept of a match, unpacked.
    """
    stored: StoredMatch = self._matches[match]
    return Match(
        one=stored.one,
        two=stored.two,
        other=stored.other,
        left=stored.left,
        right=stored.right,
        height=convert((stored.place >> 16) & U8, uint8),
        index=convert((stored.place >> 24) & U32, uint32),
        mover=convert((stored.place >> 8) & U8, uint8),
        clock_one=convert((stored.place >> 184) & U64, uint64),
        clock_two=convert((stored.place >> 120) & U64, uint64),
        turn_at=convert((stored.place >> 56) & U64, uint64),
        status=convert(stored.place & U8, uint8),
        earned_one=stored.earned >> 128,
        earned_two=stored.earned & U128,
    )


@internal
def _store(match: bytes32, m: Match):
    """
    @notice Everything but the two entries, which stay.
    """
    self._matches[match].other = m.other
    self._matches[match].left = m.left
    self._matches[match].right = m.right
    self._matches[match].place = (
        (convert(m.clock_one, uint256) << 184)
        | (convert(m.clock_two, uint256) << 120)
        | (convert(m.turn_at, uint256) << 56)
        | (convert(m.index, uint256) << 24)
        | (convert(m.height, uint256) << 16)
        | (convert(m.mover, uint256) << 8)
        | convert(m.status, uint256)
    )
    self._matches[match].earned = (m.earned_one << 128) | m.earned_two
