# pragma version 0.4.3
"""
@title Outputs: the fields of what a claim asserts
@notice Section 7 of docs/protocol.md. Packed big-endian, signed ones in two's complement:
        u16 version | u64 batch | bytes32 batch_hash | bytes32 state_root
        | bytes32 withdrawals_root | u32 steps | u64 inbox | u128 deposited | u128 withdrawn
        | i128 cash | i128 pools | u128 insurance | u128 fees | u128 bad_debt | i128 dust
        | u128 long_lots | u128 short_lots
"""


OUTPUT_BYTES: constant(uint256) = 278

# Where each field begins that L1 reads.
VERSION: constant(uint256) = 0
BATCH: constant(uint256) = 2
BATCH_HASH: constant(uint256) = 10
WITHDRAWALS_ROOT: constant(uint256) = 74
STEPS: constant(uint256) = 106
INBOX: constant(uint256) = 110
DEPOSITED: constant(uint256) = 118
WITHDRAWN: constant(uint256) = 134
CASH: constant(uint256) = 150
POOLS: constant(uint256) = 166
INSURANCE: constant(uint256) = 182
FEES: constant(uint256) = 198
LONG_LOTS: constant(uint256) = 246

BATCH_STEPS_MAX: constant(uint256) = 65_536
NANO_PER_MICRO: constant(uint256) = 1_000

U128: constant(uint256) = 2**128 - 1


@internal
@pure
def _check_steps(output: Bytes[OUTPUT_BYTES]):
    """
    @notice A batch takes at least one step and at most its budget.
    """
    steps: uint256 = self._unsigned(output, STEPS, 32)
    assert steps > 0 and steps <= BATCH_STEPS_MAX, "outputs: steps out of range"


@internal
@pure
def _check_sums(output: Bytes[OUTPUT_BYTES], micro: uint256):
    """
    @notice deposited = 1,000 x micro-USDC taken in up to the inbox cursor
            deposited = cash + pools + insurance + fees + withdrawn;  long_lots = short_lots
    """
    deposited: uint256 = self._unsigned(output, DEPOSITED, 128)
    assert deposited == micro * NANO_PER_MICRO, "outputs: wrong deposits"

    signed: int256 = self._signed(output, CASH) + self._signed(output, POOLS)
    unsigned: uint256 = (
        self._unsigned(output, INSURANCE, 128)
        + self._unsigned(output, FEES, 128)
        + self._unsigned(output, WITHDRAWN, 128)
    )
    kept: int256 = signed + convert(unsigned, int256)
    assert kept == convert(deposited, int256), "outputs: money is not conserved"

    lots: uint256 = extract32(output, LONG_LOTS, output_type=uint256)
    assert lots >> 128 == lots & U128, "outputs: longs are not shorts"


@internal
@pure
def _unsigned(output: Bytes[OUTPUT_BYTES], offset: uint256, bits: uint256) -> uint256:
    """
    @notice A field of up to 128 bits, with 32 bytes of output from its beginning on.
    """
    return extract32(output, offset, output_type=uint256) >> (256 - bits)


@internal
@pure
def _signed(output: Bytes[OUTPUT_BYTES], offset: uint256) -> int256:
    """
    @notice A field of 128 bits; the shift carries its sign along.
    """
    return extract32(output, offset, output_type=int256) >> 128
