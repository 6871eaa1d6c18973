# pragma version 0.4.3
"""
@title Withdrawals: the leaves that L1 pays, one index each, in a tree that only grows
@notice As state/withdrawals.py.
"""

from . import packing


DOMAIN: constant(uint256) = 5

# domain | u32 index | u32 account | address recipient | u64 amount
WITHDRAWAL_LAYOUT: constant(bytes32) = (
    0x0104041408000000000000000000000000000000000000000000000000000000
)
WITHDRAWAL_BYTES: constant(uint256) = 37


struct Withdrawal:
    domain: uint256
    index: uint256
    account: uint256
    recipient: uint256  # an L1 address
    amount: uint256  # micro-USDC


@internal
@pure
def _encode_withdrawal(withdrawal: Withdrawal) -> Bytes[WITHDRAWAL_BYTES]:
    """
    @notice The leaf that L1 pays.
    """
    return convert(
        packing._pack(abi_encode(withdrawal), WITHDRAWAL_LAYOUT), Bytes[WITHDRAWAL_BYTES]
    )


@internal
@pure
def _entry(withdrawal: Withdrawal) -> Bytes[2 + WITHDRAWAL_BYTES]:
    """
    @notice Its leaf as the changes of a step have it: u16 size | leaf. Its index is the place.
    """
    leaf: Bytes[WITHDRAWAL_BYTES] = self._encode_withdrawal(withdrawal)
    return concat(convert(convert(len(leaf), uint16), bytes2), leaf)
