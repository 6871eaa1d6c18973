# pragma version 0.4.3
"""
@title Header: the sequencer moves the venue's clock, within the batch's bounds on L1
@notice As state/transactions/header.py.
"""

from . import kinds
from .. import limits
from .. import machine
from .. import packing
from .. import status


HEADER_LAYOUT: constant(bytes32) = (
    0x0500000000000000000000000000000000000000000000000000000000000000
)


struct Header:
    time: uint256


@internal
@pure
def _decode_header(given: Bytes[limits.GIVEN_BYTES_MAX]) -> Header:
    """
    @notice The header in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, HEADER_LAYOUT), Header)


@internal
@pure
def _apply_header(m: machine.Machine, transaction: Header) -> machine.Machine:
    """
    @notice The clock never goes back, and stays between `time_min` and `time_max`.
    """
    after: machine.Machine = m
    if transaction.time < m.time:
        after.status = status.TIME_BACKWARDS
    elif transaction.time < m.time_min or transaction.time > m.time_max:
        after.status = status.TIME_OUT_OF_BOUNDS
    else:
        after.time = transaction.time
        after.status = status.OK
    return after
