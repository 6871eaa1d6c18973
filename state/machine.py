"""The machine: where the batch stands, the venue's sums, and the order in progress.

Its hash is part of the state root, so a step is a function of the state alone.
The machine is the one leaf that changes in every step; it is copied per step and
then written in place.
"""

from enum import IntEnum

from msgspec import Struct, field
from msgspec.structs import replace

from state.crypto import ZERO_HASH
from state.legs import NO_LEG, NO_LEGS, Leg, decode_legs, encode_legs
from state.limits import BLOCK_LEGS_MAX
from state.packing import NotCanonical, Reader, i128, u

DOMAIN = 6


class Sums(Struct, gc=False):
    """Figures over the whole venue. Each moves by exactly what a write changed."""

    cash: int = 0
    pools: int = 0
    insurance: int = 0
    fees: int = 0
    bad_debt: int = 0
    dust: int = 0
    long_lots: int = 0
    short_lots: int = 0


class Phase(IntEnum):
    """What the transaction in progress does next; IDLE when there is none."""

    IDLE = 0
    SAVE = 1
    MATCH = 2
    CANCEL = 3
    LEG = 4


class OrderInProgress(Struct, frozen=True, gc=False):
    """The registers of an order, or a cancel all, between its ADMIT and its last step.

    `ticks` is the limit the order trades within, also for a market order.
    `fronts` counts down the front orders it may still meet.
    """

    phase: int = Phase.IDLE
    account: int = 0
    epoch: int = 0
    sequence: int = 0
    market: int = 0
    flags: int = 0
    ticks: int = 0
    lots: int = 0
    filled: int = 0
    expiry: int = 0
    fronts: int = 0


NO_ORDER = OrderInProgress()


class BlockInProgress(Struct, frozen=True, gc=False):
    """The registers of a block trade: its maker and its legs; the taker stands in the order's.

    `leg` is the next of the first `count` of `legs`; once there is none, SETTLE follows.
    """

    maker: int = 0
    maker_epoch: int = 0
    maker_sequence: int = 0
    leg: int = 0
    count: int = 0
    legs: tuple[Leg, ...] = NO_LEGS


NO_BLOCK = BlockInProgress()


class Machine(Struct, gc=False):
    """The flat component of the state."""

    batch: int = 0
    batch_hash: bytes = ZERO_HASH
    step: int = 0
    steps_left: int = 0
    status: int = 0
    time: int = 0
    time_min: int = 0
    time_max: int = 0
    inbox: int = 0
    inbox_end: int = 0
    chunk: int = 0
    chunks: int = 0
    row: int = 0
    chunk_hash: bytes = ZERO_HASH
    deposited: int = 0
    withdrawn: int = 0
    sums: Sums = field(default_factory=Sums)
    withdrawals: int = 0
    order: OrderInProgress = NO_ORDER
    block: BlockInProgress = NO_BLOCK
    saved: Sums | None = None

    def copied(self) -> "Machine":
        """A machine to write a step into; what it shares with this one is never written."""
        return replace(self, sums=replace(self.sums))

    @property
    def is_conserved(self) -> bool:
        """deposited = cash + pools + insurance + fees + withdrawn, and longs = shorts."""
        s = self.sums
        held = s.cash + s.pools + s.insurance + s.fees + self.withdrawn
        return held == self.deposited and s.long_lots == s.short_lots


class SavedRoots(Struct, frozen=True, gc=False):
    """The roots SAVE keeps; known to whoever holds the trees."""

    accounts: bytes = ZERO_HASH
    markets: bytes = ZERO_HASH
    board: bytes = ZERO_HASH


NO_ROOTS = SavedRoots()


def _encode_sums(s: Sums) -> bytes:
    return b"".join(
        [
            i128(s.cash) + i128(s.pools) + u(s.insurance, 128) + u(s.fees, 128),
            u(s.bad_debt, 128) + i128(s.dust) + u(s.long_lots, 128) + u(s.short_lots, 128),
        ]
    )


def _decode_sums(r: Reader) -> Sums:
    money = (r.i(128), r.i(128), r.u(128), r.u(128), r.u(128), r.i(128))
    return Sums(*money, r.u(128), r.u(128))


def encode_machine(m: Machine, withdrawals_root: bytes, roots: SavedRoots = NO_ROOTS) -> bytes:
    """The machine's bytes; `keccak` of them is its part of the state root."""
    o, b = m.order, m.block
    assert m.saved is not None or roots == NO_ROOTS
    return b"".join(
        [
            u(DOMAIN, 8) + u(m.batch, 64) + m.batch_hash + u(m.step, 32) + u(m.steps_left, 32),
            u(m.status, 16) + u(m.time, 64) + u(m.time_min, 64) + u(m.time_max, 64),
            u(m.inbox, 64) + u(m.inbox_end, 64) + u(m.chunk, 8) + u(m.chunks, 8),
            u(m.row, 16) + m.chunk_hash + u(m.deposited, 128) + u(m.withdrawn, 128),
            _encode_sums(m.sums) + u(m.withdrawals, 32) + withdrawals_root,
            u(o.phase, 8) + u(o.account, 32) + u(o.epoch, 32) + u(o.sequence, 64),
            u(o.market, 16) + u(o.flags, 8) + u(o.ticks, 32) + u(o.lots, 64),
            u(o.filled, 64) + u(o.expiry, 64) + u(o.fronts, 16),
            u(b.maker, 32) + u(b.maker_epoch, 32) + u(b.maker_sequence, 64),
            u(b.leg, 8) + u(b.count, 8) + encode_legs(b.legs),
            u(m.saved is not None, 8) + roots.accounts + roots.markets + roots.board,
            _encode_sums(m.saved or Sums()),
        ]
    )


def decode_machine(data: bytes) -> tuple[Machine, bytes, SavedRoots]:
    """The machine, its withdrawals root and the saved roots. NotCanonical for other bytes."""
    r = Reader(data)
    if r.u(8) != DOMAIN:
        raise NotCanonical("not a machine")
    place = (r.u(64), r.raw(32), r.u(32), r.u(32), r.u(16), r.u(64), r.u(64), r.u(64))
    cursors = (r.u(64), r.u(64), r.u(8), r.u(8), r.u(16), r.raw(32), r.u(128), r.u(128))
    sums, withdrawals, withdrawals_root = _decode_sums(r), r.u(32), r.raw(32)
    order = OrderInProgress(
        *(r.u(8), r.u(32), r.u(32), r.u(64), r.u(16), r.u(8)),
        *(r.u(32), r.u(64), r.u(64), r.u(64), r.u(16)),
    )
    block = BlockInProgress(r.u(32), r.u(32), r.u(64), r.u(8), r.u(8), decode_legs(r))
    saved = r.u(8)
    roots = SavedRoots(r.raw(32), r.raw(32), r.raw(32))
    saved_sums = _decode_sums(r)
    r.end()
    if order.phase > Phase.LEG or (order.phase == Phase.IDLE and order != NO_ORDER):
        raise NotCanonical("no order is in progress, yet its registers are in use")
    _check_block(order.phase, block)
    if saved > 1 or (saved == 0 and (roots != NO_ROOTS or saved_sums != Sums())):
        raise NotCanonical("nothing is saved, yet something is kept")
    registers = (order, block, saved_sums if saved else None)
    machine = Machine(*place, *cursors, sums, withdrawals, *registers)
    return machine, withdrawals_root, roots


def _check_block(phase: int, block: BlockInProgress) -> None:
    """In use from ADMIT to SETTLE alone, and no leg beyond those that count."""
    if block.count == 0:
        if phase == Phase.LEG or block != NO_BLOCK:
            raise NotCanonical("no block trade is in progress, yet its registers are in use")
        return
    if phase not in (Phase.SAVE, Phase.LEG):
        raise NotCanonical("a block trade waits for SAVE or for a leg")
    if block.count > BLOCK_LEGS_MAX or block.leg > block.count:
        raise NotCanonical(f"leg {block.leg} of {block.count}, at most {BLOCK_LEGS_MAX}")
    if any(leg != NO_LEG for leg in block.legs[block.count :]):
        raise NotCanonical("a leg that does not count is zero")
