"""Batch headers and outputs: what is posted, and what is claimed of it."""

from msgspec import Struct

from state.crypto import keccak
from state.limits import BATCH_CHUNKS_MAX
from state.machine import Machine
from state.packing import NotCanonical, Reader, i128, u

VERSION = 1
"""The rules' version: in the header, the output and the state root."""

CALLDATA = 0


class ChunkCommitment(Struct, frozen=True):
    """Compressed size, hash of the compressed bytes (L1's own), hash of the raw chunk."""

    size: int
    compressed_hash: bytes
    raw_hash: bytes


class BatchHeader(Struct, frozen=True, kw_only=True):
    """What L1 hashes into one slot per batch."""

    number: int
    parent: bytes
    inbox_from: int
    inbox_to: int
    inbox_accumulator: bytes
    origin_number: int
    origin_hash: bytes
    time_min: int
    time_max: int
    chunks: tuple[ChunkCommitment, ...] = ()
    mode: int = CALLDATA
    version: int = VERSION


def encode_header(h: BatchHeader) -> bytes:
    return b"".join(
        [
            u(h.version, 16) + u(h.number, 64) + h.parent + u(h.inbox_from, 64),
            u(h.inbox_to, 64) + h.inbox_accumulator + u(h.origin_number, 64) + h.origin_hash,
            u(h.time_min, 64) + u(h.time_max, 64) + u(h.mode, 8) + u(len(h.chunks), 8),
            *(u(c.size, 16) + c.compressed_hash + c.raw_hash for c in h.chunks),
        ]
    )


def decode_header(data: bytes) -> BatchHeader:
    """The header of these bytes. NotCanonical for any others than `encode_header` writes."""
    r = Reader(data)
    version, number, parent = r.u(16), r.u(64), r.raw(32)
    inbox_from, inbox_to, accumulator = r.u(64), r.u(64), r.raw(32)
    origin_number, origin_hash = r.u(64), r.raw(32)
    time_min, time_max, mode, count = r.u(64), r.u(64), r.u(8), r.u(8)
    if count > BATCH_CHUNKS_MAX:
        raise NotCanonical(f"{count} chunks, at most {BATCH_CHUNKS_MAX}")
    chunks = tuple(ChunkCommitment(r.u(16), r.raw(32), r.raw(32)) for _ in range(count))
    r.end()
    return BatchHeader(
        version=version,
        number=number,
        parent=parent,
        inbox_from=inbox_from,
        inbox_to=inbox_to,
        inbox_accumulator=accumulator,
        origin_number=origin_number,
        origin_hash=origin_hash,
        time_min=time_min,
        time_max=time_max,
        mode=mode,
        chunks=chunks,
    )


def batch_hash(header: BatchHeader) -> bytes:
    return keccak(encode_header(header))


class Output(Struct, frozen=True, kw_only=True):
    """A claim's statement about the state after a batch. Money in nano-USD."""

    batch: int
    batch_hash: bytes
    state_root: bytes
    withdrawals_root: bytes
    steps: int
    inbox: int
    deposited: int
    withdrawn: int
    cash: int
    pools: int
    insurance: int
    fees: int
    bad_debt: int
    dust: int
    long_lots: int
    short_lots: int
    version: int = VERSION

    @property
    def is_conserved(self) -> bool:
        """deposited = cash + pools + insurance + fees + withdrawn, and longs = shorts."""
        held = self.cash + self.pools + self.insurance + self.fees + self.withdrawn
        return held == self.deposited and self.long_lots == self.short_lots


def output_after(
    machine: Machine, batch_hash: bytes, state_root: bytes, withdrawals_root: bytes
) -> Output:
    """The output of a batch from the idle machine after it."""
    s = machine.sums
    return Output(
        batch=machine.batch,
        batch_hash=batch_hash,
        state_root=state_root,
        withdrawals_root=withdrawals_root,
        steps=machine.step,
        inbox=machine.inbox,
        deposited=machine.deposited,
        withdrawn=machine.withdrawn,
        cash=s.cash,
        pools=s.pools,
        insurance=s.insurance,
        fees=s.fees,
        bad_debt=s.bad_debt,
        dust=s.dust,
        long_lots=s.long_lots,
        short_lots=s.short_lots,
    )


def encode_output(o: Output) -> bytes:
    return b"".join(
        [
            u(o.version, 16) + u(o.batch, 64) + o.batch_hash + o.state_root + o.withdrawals_root,
            u(o.steps, 32) + u(o.inbox, 64) + u(o.deposited, 128) + u(o.withdrawn, 128),
            i128(o.cash) + i128(o.pools) + u(o.insurance, 128) + u(o.fees, 128),
            u(o.bad_debt, 128) + i128(o.dust) + u(o.long_lots, 128) + u(o.short_lots, 128),
        ]
    )


def decode_output(data: bytes) -> Output:
    """The output of these bytes. NotCanonical for any others than `encode_output` writes."""
    r = Reader(data)
    output = Output(
        version=r.u(16),
        batch=r.u(64),
        batch_hash=r.raw(32),
        state_root=r.raw(32),
        withdrawals_root=r.raw(32),
        steps=r.u(32),
        inbox=r.u(64),
        deposited=r.u(128),
        withdrawn=r.u(128),
        cash=r.i(128),
        pools=r.i(128),
        insurance=r.u(128),
        fees=r.u(128),
        bad_debt=r.u(128),
        dust=r.i(128),
        long_lots=r.u(128),
        short_lots=r.u(128),
    )
    r.end()
    return output


def output_hash(output: Output) -> bytes:
    return keccak(encode_output(output))


def claim_id(parent_claim: bytes, output: Output) -> bytes:
    """keccak(parent claim | keccak(output)); the genesis claim's parent is 32 zero bytes."""
    return keccak(parent_claim + output_hash(output))
