"""Legs of a block trade, as its row and the machine's registers hold them."""

from msgspec import Struct

from state.limits import BLOCK_LEGS_MAX
from state.packing import Reader, u


class Leg(Struct, frozen=True, gc=False):
    """One market's part: the taker's side, the price in ticks, the lots."""

    market: int = 0
    taker_side: int = 0
    ticks: int = 0
    lots: int = 0


NO_LEG = Leg()
NO_LEGS = (NO_LEG,) * BLOCK_LEGS_MAX


def legs_of(*legs: Leg) -> tuple[Leg, ...]:
    """All the places there are, `legs` in the first of them."""
    return (*legs, *NO_LEGS[len(legs) :])


def encode_legs(legs: tuple[Leg, ...]) -> bytes:
    assert len(legs) == BLOCK_LEGS_MAX
    return b"".join(
        u(leg.market, 16) + u(leg.taker_side, 8) + u(leg.ticks, 24) + u(leg.lots, 48)
        for leg in legs
    )


def decode_legs(r: Reader) -> tuple[Leg, ...]:
    return tuple(Leg(r.u(16), r.u(8), r.u(24), r.u(48)) for _ in range(BLOCK_LEGS_MAX))
