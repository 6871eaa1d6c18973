# pragma version 0.4.3
"""
@title Step: one step of the machine, re-executed from a witness
@notice docs/step.md. Proves the witness, finds the step and its input, has one of the contracts of rules
        say what the step writes, and computes the root after it. Reverts where the proof is none, and
        only there: what a batch can contain leads to a root and a status.
@dev As prover/one_step.py, prover/step.py and state/steps.py.
"""

from ..prover import post_state
from ..prover import witness_state
from ..state import batch
from ..state import chunks
from ..state import limits
from ..state import machine
from ..state import status
from ..state import witness


# What the machine does next.
BOOT: constant(uint256) = 0
ORDER: constant(uint256) = 1
INBOX: constant(uint256) = 2
OPEN: constant(uint256) = 3
TRANSACTION: constant(uint256) = 4
HALT: constant(uint256) = 5

# Kinds of transactions, from zero on, and the contract each one goes to.
KIND_LAST: constant(uint256) = 11
ADMIT: constant(uint256) = 1
CANCEL: constant(uint256) = 2
PAY: constant(uint256) = 3
PRICE: constant(uint256) = 4
TRADE: constant(uint256) = 5
# none, header, price, order, cancel, withdraw, transfer, cancel all, amend, add key, revoke key,
# block trade
KINDS: constant(uint256[KIND_LAST + 1]) = [
    0, PRICE, PRICE, ADMIT, CANCEL, PAY, PAY, CANCEL, ADMIT, PAY, PAY, TRADE
]

# u8 kind | u64 index | u64 time | address sender
ITEM_HEAD_BYTES: constant(uint256) = 37
ITEM_INDEX: constant(uint256) = 1
ITEM_INDEX_BYTES: constant(uint256) = 8

# No rewind, and five lists of nothing.
NO_CHANGES: constant(Bytes[6]) = x"000000000000"
SAVED: constant(Bytes[6]) = x"010000000000"


interface Rules:
    def apply(
        m: machine.Machine,
        leaves: Bytes[limits.LEAVES_BYTES_MAX],
        fronts: uint256,
        given: Bytes[limits.GIVEN_BYTES_MAX],
        separator: bytes32,
    ) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]): pure

interface Leaves:
    def check(leaves: Bytes[limits.LEAVES_BYTES_MAX]) -> bool: pure

interface Chunks:
    def row_at(
        raw: Bytes[chunks.CHUNK_BYTES_MAX], index: uint256
    ) -> (Bytes[chunks.TRANSACTION_BYTES_MAX], bool): pure


# What L1 knows beside the claim; zero where the step does not ask.
struct Facts:
    separator: bytes32  # EIP-712, of the deployment
    batch_hash: bytes32
    is_void: bool
    accumulator: bytes32  # of the inbox before the item
    next_accumulator: bytes32


# @notice Refuses a witness with a leaf that is none.
LEAVES: public(immutable(address))
# @notice The rules, by what they are about.
ADMISSION: public(immutable(address))
MATCHING: public(immutable(address))
CANCELLING: public(immutable(address))
CASH: public(immutable(address))
BLOCKS: public(immutable(address))
PRICES: public(immutable(address))
ITEMS: public(immutable(address))
# @notice Finds a transaction in a chunk.
CHUNKS: public(immutable(address))


@deploy
def __init__(
    leaves: address,
    admission: address,
    matching: address,
    cancelling: address,
    cash: address,
    blocks: address,
    prices: address,
    items: address,
    chunks_address: address,
):
    """
    @notice The contracts of steps/, one of each.
    """
    for told: address in [
        leaves, admission, matching, cancelling, cash, blocks, prices, items, chunks_address
    ]:
        assert told.is_contract, "step: not a contract"
    LEAVES = leaves
    ADMISSION = admission
    MATCHING = matching
    CANCELLING = cancelling
    CASH = cash
    BLOCKS = blocks
    PRICES = prices
    ITEMS = items
    CHUNKS = chunks_address


@external
@view
def step(
    root: bytes32,
    machine_bytes: Bytes[machine.MACHINE_BYTES],
    roots: bytes32[3],
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    proofs: Bytes[limits.PROOFS_BYTES_MAX],
    input: Bytes[limits.INPUT_BYTES_MAX],
    facts: Facts,
) -> (bytes32, uint256):
    """
    @notice The state root after the step that follows `root`, and the status that it leaves.
    @param machine_bytes The machine; it and the next three are the witness of docs/step.md, section 1.
    @param roots Of accounts, markets and board.
    @param leaves Every leaf that the step touches.
    @param proofs Their branches.
    @param input What the step reads, section 2.
    @param facts What L1 knows beside the claim; the caller vouches for it.
    """
    found: bytes32 = witness_state._state_root(roots, keccak256(machine_bytes))
    assert found == root, "witness: of another state"
    before: machine.Machine = machine._decode_machine(machine_bytes)
    assert staticcall Leaves(LEAVES).check(leaves)
    proven: witness_state.Proven = empty(witness_state.Proven)
    proven.places = witness._places(leaves)
    proven.hashes, proven.market_leaf = witness_state._leaf_hashes(proven.places, leaves)
    proven.branches, proven.siblings = witness_state._expand_proofs(proven.places.counts, proofs)
    proven.book_roots = witness_state._book_roots(proven.market_leaf)
    fronts: uint256 = witness_state._prove(roots, before.withdrawals_root, proven)
    after: machine.Machine = empty(machine.Machine)
    changes: Bytes[limits.CHANGES_BYTES_MAX] = b""
    after, changes = self._take_step(before, leaves, fronts, input, facts)
    return post_state._root_after(before, after, roots, proven, changes), after.status


@internal
@view
def _take_step(
    before: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    fronts: uint256,
    input: Bytes[limits.INPUT_BYTES_MAX],
    facts: Facts,
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The machine after the step, and what the step writes beside it.
    """
    next: uint256 = self._next_step(before)
    if next == BOOT:
        return self._boot(before, input, facts), NO_CHANGES
    m: machine.Machine = self._begin(before)
    if next == OPEN:
        return self._open_chunk(m, input), NO_CHANGES

    rules: address = empty(address)
    given: Bytes[limits.GIVEN_BYTES_MAX] = b""
    if next == INBOX:
        rules = ITEMS
        given = self._item(m, input, facts)
        m.inbox += 1
    elif next == TRANSACTION:
        m, given = self._transaction(m, input)
        rules = self._rules_of_kind(convert(slice(given, 0, 1), uint256))
    else:
        assert len(input) == 0, "step: nothing is read"
        if next == HALT:
            return self._halt(m), NO_CHANGES
        if m.order.phase == machine.SAVE:
            return self._save(m), SAVED
        rules = self._rules_of_phase(m.order.phase)
    return staticcall Rules(rules).apply(m, leaves, fronts, given, facts.separator)


@internal
@pure
def _next_step(m: machine.Machine) -> uint256:
    """
    @notice Read off the machine: the batch, the order, the budget, then the cursors in turn.
    """
    if m.batch_hash == empty(bytes32):
        return BOOT
    if m.order.phase != machine.IDLE:
        return ORDER
    if m.steps_left == 1:
        return HALT
    if m.inbox < m.inbox_end:
        return INBOX
    if m.chunk < m.chunks:
        return OPEN if m.chunk_hash == empty(bytes32) else TRANSACTION
    return HALT


@internal
@pure
def _begin(before: machine.Machine) -> machine.Machine:
    """
    @notice The step is taken off the budget.
    """
    assert before.steps_left > 0, "step: past the budget"
    m: machine.Machine = before
    m.step += 1
    m.steps_left -= 1
    return m


@internal
@pure
def _boot(
    before: machine.Machine, input: Bytes[limits.INPUT_BYTES_MAX], facts: Facts
) -> machine.Machine:
    """
    @notice BOOT: the batch's hash, bounds, inbox range and chunks; a void batch has none. The clock
            moves up to the batch's earliest time.
    """
    assert keccak256(input) == facts.batch_hash, "step: another header"
    header: batch.BatchHeader = batch._decode_header(
        convert(input, Bytes[batch.HEADER_BYTES_MAX])
    )
    assert (
        header.number == before.batch + 1
        and header.inbox_from == before.inbox
        and header.inbox_from <= header.inbox_to
    ), "step: header does not follow"
    m: machine.Machine = before
    m.batch = header.number
    m.batch_hash = facts.batch_hash
    m.step = 1
    m.steps_left = limits.BATCH_STEPS_MAX - 1
    m.status = status.OK
    m.time_min = header.time_min
    m.time_max = header.time_max
    # L1 holds time_min near its own time: a batch without a header cannot freeze the clock.
    m.time = max(m.time, header.time_min)
    m.inbox_end = header.inbox_to
    m.chunks = 0 if facts.is_void else header.chunks
    return m


@internal
@pure
def _open_chunk(
    begun: machine.Machine, input: Bytes[limits.INPUT_BYTES_MAX]
) -> machine.Machine:
    """
    @notice OPEN: from here on transactions are read from the raw chunk that the header names.
    """
    assert keccak256(input) == begun.batch_hash, "step: another header"
    data: Bytes[batch.HEADER_BYTES_MAX] = convert(input, Bytes[batch.HEADER_BYTES_MAX])
    header: batch.BatchHeader = batch._decode_header(data)
    assert begun.chunk < header.chunks, "step: no such chunk"
    m: machine.Machine = begun
    m.chunk_hash = batch._raw_hash(data, m.chunk)
    m.row = 0
    return m


@internal
@pure
def _item(
    begun: machine.Machine, input: Bytes[limits.INPUT_BYTES_MAX], facts: Facts
) -> Bytes[limits.GIVEN_BYTES_MAX]:
    """
    @notice The inbox item at the cursor, as L1 hashed it.
    """
    assert len(input) >= ITEM_HEAD_BYTES, "step: item cut"
    index: uint256 = convert(slice(input, ITEM_INDEX, ITEM_INDEX_BYTES), uint256)
    assert index == begun.inbox, "step: another item"
    accumulator: bytes32 = keccak256(concat(facts.accumulator, keccak256(input)))
    assert accumulator == facts.next_accumulator, "step: another item"
    return convert(input, Bytes[limits.GIVEN_BYTES_MAX])


@internal
@view
def _transaction(
    begun: machine.Machine, input: Bytes[limits.INPUT_BYTES_MAX]
) -> (machine.Machine, Bytes[limits.GIVEN_BYTES_MAX]):
    """
    @notice The transaction at the cursor, which moves on: to the next chunk behind the last.
    """
    assert keccak256(input) == begun.chunk_hash, "step: another chunk"
    given: Bytes[chunks.TRANSACTION_BYTES_MAX] = b""
    is_last: bool = False
    given, is_last = staticcall Chunks(CHUNKS).row_at(input, begun.row)
    m: machine.Machine = begun
    if is_last:
        m.chunk += 1
        m.row = 0
        m.chunk_hash = empty(bytes32)
    else:
        m.row += 1
    return m, given


@internal
@view
def _rules_of_kind(kind: uint256) -> address:
    """
    @notice Who knows the rules of a transaction. A chunk with another kind is none.
    """
    group: uint256 = 0
    if kind <= KIND_LAST:
        group = KINDS[kind]
    if group == ADMIT:
        return ADMISSION
    if group == CANCEL:
        return CANCELLING
    if group == PAY:
        return CASH
    if group == PRICE:
        return PRICES
    assert group == TRADE, "step: no such kind"
    return BLOCKS


@internal
@view
def _rules_of_phase(phase: uint256) -> address:
    """
    @notice Who knows the next step of the transaction in progress.
    """
    if phase == machine.MATCH:
        return MATCHING
    if phase == machine.CANCEL:
        return CANCELLING
    assert phase == machine.LEG, "step: no such phase"
    return BLOCKS


@internal
@pure
def _save(begun: machine.Machine) -> machine.Machine:
    """
    @notice SAVE: keep what stands; a FOK goes on to its fronts, a block trade to its legs.
    """
    m: machine.Machine = begun
    m.saved = 1
    m.saved_sums = m.sums
    m.order.phase = machine.LEG if m.block_trade.count > 0 else machine.MATCH
    return m


@internal
@pure
def _halt(begun: machine.Machine) -> machine.Machine:
    """
    @notice HALT: conservation holds, and what belonged to the batch alone becomes zero.
    """
    m: machine.Machine = begun
    # Neither can fail where steps led to this state.
    assert machine._is_conserved(m), "step: not conserved"
    assert (
        m.order.phase == machine.IDLE
        and m.block_trade.count == 0
        and m.saved == 0
        and m.inbox == m.inbox_end
    ), "step: batch in progress"
    m.batch_hash = empty(bytes32)
    m.steps_left = 0
    m.status = 0
    m.time_min = 0
    m.time_max = 0
    m.inbox_end = 0
    m.chunk = 0
    m.chunks = 0
    m.row = 0
    m.chunk_hash = empty(bytes32)
    return m
