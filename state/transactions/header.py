"""Header: the sequencer moves the venue's clock, within the batch's bounds on L1."""

from msgspec import Struct

from state.packing import Reader, u
from state.status import Status
from state.store import Changes


class Header(Struct, frozen=True, gc=False):
    """The time, in seconds, of what follows."""

    time: int


def encode_header(tx: Header) -> bytes:
    return u(tx.time, 40)


def decode_header(row: bytes) -> Header:
    return Header(Reader(row).u(40))


def apply_header(changes: Changes, tx: Header) -> Status:
    """The clock never goes back, and stays between `time_min` and `time_max`."""
    machine = changes.machine
    if tx.time < machine.time:
        return Status.TIME_BACKWARDS
    if not machine.time_min <= tx.time <= machine.time_max:
        return Status.TIME_OUT_OF_BOUNDS
    machine.time = tx.time
    return Status.OK
