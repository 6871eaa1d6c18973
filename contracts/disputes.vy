# pragma version 0.4.3
"""
@title Disputes: which of several claims is right
@notice docs/disputes.md. Claims are entered with a trace under bond; entries meet in matches that
        come down to one step, which L1 takes itself. Deployed for one rollup, and without
        anybody's power over it.
"""

from . import claims
from . import entries
from . import matches
from . import outputs
from . import payments
from . import traces
from .state import limits
from .state import machine

initializes: payments
initializes: entries
initializes: matches[payments := payments, entries := entries]

exports: (
    matches.advance,
    matches.time_out,
    matches.collect,
    matches.match_of,
    matches.earned,
    matches.CLOCK,
    matches.MOVE_TIME,
)
exports: (
    entries.result,
    entries.dispute,
    entries.entry,
    entries.ROLLUP,
    entries.HEIGHT,
    entries.ENTRY_WINDOW,
    entries.ENTRY_BOND,
    entries.PUBLISHED_STEPS,
)
exports: (
    payments.withdraw,
    payments.credits,
    payments.INSURANCE,
    payments.BASE_FEE_CAP,
)


# All roots, and two words of encoding that a slice counts in before it is taken.
PUBLISHED_BYTES_MAX: constant(uint256) = 32 * traces.PUBLISHED_STEPS_MAX + 64


interface Rollup:
    def prove_step(
        root: bytes32,
        machine_bytes: Bytes[machine.MACHINE_BYTES],
        roots: bytes32[3],
        leaves: Bytes[limits.LEAVES_BYTES_MAX],
        proofs: Bytes[limits.PROOFS_BYTES_MAX],
        given: Bytes[limits.INPUT_BYTES_MAX],
    ) -> (bytes32, uint256): view


struct Parameters:
    height: uint8
    clock: uint64  # seconds
    move_time: uint64  # seconds
    entry_window: uint64  # seconds
    entry_bond: uint256  # wei
    base_fee_cap: uint256  # wei a gas
    published_steps: uint16


# A step, and that it begins at a root of the trace.
struct Step:
    previous: bytes32
    previous_branch: DynArray[bytes32, traces.HEIGHT_MAX]
    machine: Bytes[machine.MACHINE_BYTES]
    roots: bytes32[3]
    leaves: Bytes[limits.LEAVES_BYTES_MAX]
    proofs: Bytes[limits.PROOFS_BYTES_MAX]
    input: Bytes[limits.INPUT_BYTES_MAX]


event Published:
    dispute: indexed(bytes32)
    entry: indexed(bytes32)
    leaves: Bytes[PUBLISHED_BYTES_MAX]


@deploy
def __init__(rollup: address, insurance: address, parameters: Parameters):
    """
    @param rollup Foretold: the rollup is deployed behind this contract, and refuses one of another.
    @param insurance Who gets what is left of lost bonds.
    """
    entries.__init__(
        rollup,
        parameters.height,
        parameters.entry_window,
        parameters.entry_bond,
        parameters.published_steps,
    )
    matches.__init__(parameters.clock, parameters.move_time)
    payments.__init__(insurance, parameters.base_fee_cap)
    dearest: uint256 = payments._dearest_match(convert(parameters.height, uint256))
    assert parameters.entry_bond >= dearest, "disputes: bond is below the dearest match"


@external
@payable
def enter(
    grandparent: bytes32,
    parent_output: Bytes[outputs.OUTPUT_BYTES],
    output: Bytes[outputs.OUTPUT_BYTES],
    machine_bytes: Bytes[machine.MACHINE_BYTES],
    roots: bytes32[3],
    trace_root: bytes32,
    left: bytes32,
    right: bytes32,
    first: bytes32,
    first_branch: DynArray[bytes32, traces.HEIGHT_MAX],
    last_branch: DynArray[bytes32, traces.HEIGHT_MAX],
):
    """
    @notice Enter a trace for the claim of `output`. Anyone may, with a bond of exactly ENTRY_BOND.
    @param grandparent The claim before the parent, zero for that of genesis; with `parent_output`
           the parent.
    @param machine_bytes With `roots` the state behind the batch.
    @param left With `right` the children of the trace root.
    @param first Leaf 0.
    @param last_branch Of the last leaf, which is the output's state root.
    """
    claimed: entries.Claimed = entries._claimed(grandparent, parent_output, output)
    may_hide: bool = claimed.steps > convert(entries.PUBLISHED_STEPS, uint256)
    assert may_hide, "disputes: roots must be published"
    traces._check_output(output, machine_bytes, roots)
    assert traces._node(left, right) == trace_root, "disputes: children of another root"
    height: uint256 = convert(entries.HEIGHT, uint256)
    from_first: bytes32 = traces._root_of(0, first, first_branch, height)
    assert from_first == trace_root, "disputes: first leaf of another trace"
    last: bytes32 = extract32(output, traces.OUTPUT_STATE_ROOT)
    from_last: bytes32 = traces._root_of((1 << height) - 1, last, last_branch, height)
    assert from_last == trace_root, "disputes: last leaf of another trace"
    parent_root: bytes32 = extract32(parent_output, traces.OUTPUT_STATE_ROOT)
    entry: bytes32 = entries._enter(claimed, parent_root, trace_root, payments.ENTER_GAS)
    self._begin(claimed, entry, trace_root, left, right, first, first_branch)


@external
@payable
def enter_published(
    grandparent: bytes32,
    parent_output: Bytes[outputs.OUTPUT_BYTES],
    output: Bytes[outputs.OUTPUT_BYTES],
    machine_bytes: Bytes[machine.MACHINE_BYTES],
    roots: bytes32[3],
    leaves: DynArray[bytes32, traces.PUBLISHED_STEPS_MAX],
):
    """
    @notice Enter a trace by all its roots, which are logged: one `refute` ends a wrong one.
    @param leaves The roots after every step, BOOT first, HALT last.
    """
    claimed: entries.Claimed = entries._claimed(grandparent, parent_output, output)
    height: uint256 = convert(entries.HEIGHT, uint256)
    count: uint256 = len(leaves)
    is_whole: bool = count == claimed.steps and count <= 1 << height
    assert is_whole, "disputes: not one root a step"
    traces._check_output(output, machine_bytes, roots)
    last: bytes32 = extract32(output, traces.OUTPUT_STATE_ROOT)
    assert leaves[count - 1] == last, "disputes: last leaf of another trace"
    top: traces.Top = traces._top(leaves, height)
    parent_root: bytes32 = extract32(parent_output, traces.OUTPUT_STATE_ROOT)
    cost: uint256 = payments.ENTER_GAS + count * payments.LEAF_GAS
    entry: bytes32 = entries._enter(claimed, parent_root, top.root, cost)
    log Published(
        dispute=claimed.dispute, entry=entry, leaves=slice(abi_encode(leaves), 64, 32 * count)
    )
    self._begin(claimed, entry, top.root, top.left, top.right, leaves[0], top.first_branch)


@external
def settle(match: bytes32, step: Step, left: bytes32, right: bytes32):
    """
    @notice End a match that is down to one step, by taking it. Anyone may, and is paid.
    @param step What follows the last root that both sides have, by a branch of either's trace.
    @param left With `right` the children of the trace root of who wins.
    """
    m: matches.Match = matches._open(match)
    assert m.height == 0, "disputes: not down to one step"
    one: entries.Entry = entries._entry(m.one)
    two: bytes32 = entries._entry(m.two).trace_root
    root: bytes32 = self._after(one, two, convert(m.index, uint256), step)
    status: uint8 = matches.STATUS_BOTH_LOST
    if root == m.left:
        status = matches.STATUS_ONE_WON
    elif root == m.right:
        status = matches.STATUS_TWO_WON
    price: uint256 = payments._price(payments.SETTLE_GAS)
    matches._end(match, m, status, matches.STEP, price, payments.SETTLED, left, right)


@external
def refute(
    entry: bytes32,
    index: uint256,
    leaf: bytes32,
    leaf_branch: DynArray[bytes32, traces.HEIGHT_MAX],
    step: Step,
    left: bytes32,
    right: bytes32,
):
    """
    @notice End an entry by a leaf that is not what the step before it leads to. Anyone may, and
            is paid.
    @param index Of the leaf, counted from 0.
    @param left With `right` the children of the trace root of the opponent, if there is one.
    """
    found: entries.Entry = entries._entry(entry)
    is_matched: bool = found.status == entries.STATUS_IN_MATCH
    is_alive: bool = is_matched or found.status == entries.STATUS_WAITING
    assert is_alive, "disputes: entry is not alive"
    # What has confirmed stays the winner.
    batch: uint64 = entries._dispute(found.dispute).batch
    assert not entries._is_settled(batch), "disputes: batch is settled"
    height: uint256 = convert(entries.HEIGHT, uint256)
    root: bytes32 = traces._root_of(index, leaf, leaf_branch, height)
    assert root == found.trace_root, "disputes: leaf of another trace"
    expected: bytes32 = self._after(found, found.trace_root, index, step)
    assert expected != leaf, "disputes: leaf is right"

    price: uint256 = payments._price(payments.REFUTE_GAS)
    if is_matched:
        m: matches.Match = matches._open(found.match)
        status: uint8 = matches.STATUS_ONE_WON
        if m.one == entry:
            status = matches.STATUS_TWO_WON
        matches._end(
            found.match, m, status, matches.REFUTED, price, payments.REFUTED, left, right
        )
    else:
        entries._lose(entry, matches.REFUTED)
        payments._credit(msg.sender, price, payments.REFUTED)
        payments._credit(payments.INSURANCE, entries.ENTRY_BOND - price, payments.REMAINDER)


@external
def redeem(entry: bytes32):
    """
    @notice Credit the bond of the winner's entry to its owner, once its claim has confirmed. What
            waits in a dispute that can confirm nothing any more goes to the insurance fund.
            Anyone may.
    """
    found: entries.Entry = entries._entry(entry)
    assert found.status == entries.STATUS_WAITING, "disputes: entry is not waiting"
    batch: uint64 = entries._dispute(found.dispute).batch
    assert entries._is_settled(batch), "disputes: batch is not settled"
    entries._set_status(entry, entries.STATUS_REDEEMED)
    if entries._is_confirmed(found.claim):
        payments._credit(found.owner, entries.ENTRY_BOND, payments.BOND)
    else:
        entries._leave(entry)
        payments._credit(payments.INSURANCE, entries.ENTRY_BOND, payments.REMAINDER)


@external
@payable
def forfeited(parent_claim: bytes32, contested_at: uint64, caller: address):
    """
    @notice Take the bond of a claim that was rejected; the rollup only. It pays who rejected it,
            once a dispute who entered the winner, and the insurance fund.
    """
    assert msg.sender == entries.ROLLUP, "disputes: not the rollup"
    price: uint256 = min(payments._price(payments.REJECT_GAS), msg.value)
    payments._credit(caller, price, payments.REJECTED)
    left_over: uint256 = msg.value - price
    status: uint8 = 0
    claim: bytes32 = empty(bytes32)
    winner: bytes32 = empty(bytes32)
    status, claim, winner = entries._result(parent_claim, contested_at)
    if status == claims.RESULT_WON:
        dispute: bytes32 = entries._entries[winner].dispute
        counts: entries.Dispute = entries._dispute(dispute)
        if not counts.paid:
            counts.paid = True
            entries._store(dispute, counts)
            price = min(payments._price(entries._cost(winner)), left_over)
            payments._credit(entries._entry(winner).owner, price, payments.ENTERED)
            left_over -= price
    payments._credit(payments.INSURANCE, left_over, payments.REMAINDER)


@internal
def _begin(
    claimed: entries.Claimed,
    entry: bytes32,
    trace_root: bytes32,
    left: bytes32,
    right: bytes32,
    first: bytes32,
    first_branch: DynArray[bytes32, traces.HEIGHT_MAX],
):
    """
    @notice Log what anybody needs to pair or refute the entry later, and pair it.
    """
    log entries.Entered(
        dispute=claimed.dispute,
        entry=entry,
        parent=claimed.parent,
        claim=claimed.claim,
        trace_root=trace_root,
        owner=msg.sender,
        left=left,
        right=right,
        first=first,
        first_branch=first_branch,
    )
    matches._pair(entry, left, right)


@internal
@view
def _after(
    entry: entries.Entry, other_root: bytes32, index: uint256, step: Step
) -> bytes32:
    """
    @notice The root that leaf `index` of an entry's trace should be, by the leaf before it, which
            may be shown by a branch to `other_root` too. Behind a machine at rest nothing
            happens any more, but for the step of leaf 0, which is BOOT.
    """
    if index == 0:
        parent_root: bytes32 = entries._disputes[entry.dispute].parent_root
        assert step.previous == parent_root, "disputes: not the parent's state"
    else:
        height: uint256 = convert(entries.HEIGHT, uint256)
        root: bytes32 = traces._root_of(index - 1, step.previous, step.previous_branch, height)
        is_shown: bool = root == entry.trace_root or root == other_root
        assert is_shown, "disputes: step of another trace"
        traces._check_state(step.previous, step.machine, step.roots)
        if traces._is_at_rest(step.machine):
            return step.previous
    return (
        staticcall Rollup(entries.ROLLUP).prove_step(
            step.previous, step.machine, step.roots, step.leaves, step.proofs, step.input
        )
    )[0]
