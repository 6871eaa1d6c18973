# pragma version 0.4.3
"""
@title The machine: where the batch stands, the venue's sums, and the order in progress
@notice As state/machine.py; its bytes are laid out in docs/protocol.md, section 3.6.
"""

from . import legs
from . import limits
from . import packing


DOMAIN: constant(uint256) = 6
MACHINE_BYTES: constant(uint256) = 664

# What the transaction in progress does next.
IDLE: constant(uint256) = 0
SAVE: constant(uint256) = 1
MATCH: constant(uint256) = 2
CANCEL: constant(uint256) = 3
LEG: constant(uint256) = 4

# domain .. withdrawals_root; phase .. legs; saved .. short_lots.
BATCH_LAYOUT: constant(bytes32) = (
    0x0108200404020808080808010102201010909010101090101004200000000000
)
BATCH_BYTES: constant(uint256) = 323
REGISTERS_LAYOUT: constant(bytes32) = (
    0x0104040802010408080802040408010102010306020103060201030602010306
)
REGISTERS_BYTES: constant(uint256) = 116
SAVED_LAYOUT: constant(bytes32) = (
    0x0120202090901010109010100000000000000000000000000000000000000000
)

BATCH_WORDS_BYTES: constant(uint256) = 27 * 32
REGISTERS_WORDS_BYTES: constant(uint256) = 32 * 32
SAVED_WORDS_BYTES: constant(uint256) = 12 * 32


struct Sums:
    cash: int256
    pools: int256
    insurance: uint256
    fees: uint256
    bad_debt: uint256
    dust: int256
    long_lots: uint256
    short_lots: uint256


struct OrderInProgress:
    phase: uint256
    account: uint256
    epoch: uint256
    sequence: uint256
    market: uint256
    flags: uint256
    ticks: uint256  # the limit it trades within, also for a market order
    lots: uint256
    filled: uint256
    expiry: uint256
    fronts: uint256  # that it may still meet


struct BlockInProgress:
    maker: uint256
    maker_epoch: uint256
    maker_sequence: uint256
    leg: uint256  # the next of the first `count` of `legs`
    count: uint256
    legs: legs.Leg[limits.BLOCK_LEGS_MAX]


struct Machine:
    domain: uint256
    batch: uint256
    batch_hash: bytes32
    step: uint256
    steps_left: uint256
    status: uint256
    time: uint256
    time_min: uint256
    time_max: uint256
    inbox: uint256
    inbox_end: uint256
    chunk: uint256
    chunks: uint256
    row: uint256
    chunk_hash: bytes32
    deposited: uint256
    withdrawn: uint256
    sums: Sums
    withdrawals: uint256
    withdrawals_root: bytes32
    order: OrderInProgress
    block_trade: BlockInProgress
    saved: uint256  # 1 between SAVE and what ends it
    saved_roots: bytes32[3]  # accounts, markets, board
    saved_sums: Sums


@internal
@pure
def _encode_machine(m: Machine) -> Bytes[MACHINE_BYTES]:
    """
    @notice The machine's bytes; their keccak is its part of the state root.
    """
    words: Bytes[71 * 32] = abi_encode(m)
    batch: Bytes[packing.PACKED_BYTES_MAX] = packing._pack(
        slice(words, 0, BATCH_WORDS_BYTES), BATCH_LAYOUT
    )
    registers: Bytes[packing.PACKED_BYTES_MAX] = packing._pack(
        slice(words, BATCH_WORDS_BYTES, REGISTERS_WORDS_BYTES), REGISTERS_LAYOUT
    )
    saved: Bytes[packing.PACKED_BYTES_MAX] = packing._pack(
        slice(words, BATCH_WORDS_BYTES + REGISTERS_WORDS_BYTES, SAVED_WORDS_BYTES), SAVED_LAYOUT
    )
    return convert(concat(batch, registers, saved), Bytes[MACHINE_BYTES])


@internal
@pure
def _decode_machine(data: Bytes[MACHINE_BYTES]) -> Machine:
    """
    @notice Reverts for bytes that no machine has.
    """
    assert len(data) == MACHINE_BYTES, "machine: wrong length"
    m: Machine = abi_decode(
        concat(
            packing._unpack(data, 0, BATCH_LAYOUT),
            packing._unpack(data, BATCH_BYTES, REGISTERS_LAYOUT),
            packing._unpack(data, BATCH_BYTES + REGISTERS_BYTES, SAVED_LAYOUT),
        ),
        Machine,
    )
    no_order: bytes32 = keccak256(abi_encode(empty(OrderInProgress)))
    kept: bytes32 = keccak256(abi_encode(m.saved_roots, m.saved_sums))
    nothing: bytes32 = keccak256(abi_encode(empty(bytes32[3]), empty(Sums)))
    assert (
        m.domain == DOMAIN
        and m.order.phase <= LEG
        and (m.order.phase != IDLE or keccak256(abi_encode(m.order)) == no_order)
        and m.saved <= 1
        and (m.saved == 1 or kept == nothing)
    ), "machine: not a machine"
    self._check_block(m.order.phase, m.block_trade)
    return m


@internal
@pure
def _check_block(phase: uint256, block_trade: BlockInProgress):
    """
    @notice In use from ADMIT to SETTLE alone, and no leg beyond those that count.
    """
    if block_trade.count == 0:
        used: bytes32 = keccak256(abi_encode(block_trade))
        unused: bytes32 = keccak256(abi_encode(empty(BlockInProgress)))
        assert phase != LEG and used == unused, "machine: no block trade"
        return
    assert (
        (phase == SAVE or phase == LEG)
        and block_trade.count <= limits.BLOCK_LEGS_MAX
        and block_trade.leg <= block_trade.count
    ), "machine: not a block trade"
    nothing: bytes32 = keccak256(abi_encode(empty(legs.Leg)))
    for i: uint256 in range(limits.BLOCK_LEGS_MAX):
        leg: bytes32 = keccak256(abi_encode(block_trade.legs[i]))
        assert i < block_trade.count or leg == nothing, "machine: leg past the last"


@internal
@pure
def _is_conserved(m: Machine) -> bool:
    """
    @notice deposited = cash + pools + insurance + fees + withdrawn, and longs = shorts.
    """
    held: int256 = m.sums.cash + m.sums.pools + convert(
        m.sums.insurance + m.sums.fees + m.withdrawn, int256
    )
    return (
        held == convert(m.deposited, int256) and m.sums.long_lots == m.sums.short_lots
    )
