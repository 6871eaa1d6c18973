"""A market listing read off docs/protocol.md: its bytes, and what makes it sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import TypeVar

from state.markets import PERPETUAL

Key = TypeVar("Key", int, bytes)

ONE = 1_000_000
"""A rate of one, in parts per million."""

SYMBOL = 16
HEAD = {
    "market": 2,
    "kind": 1,
    "lot_exponent": 1,
    "symbol": SYMBOL,
    "tick": 4,
    "min_notional": 8,
    "order_lots_max": 8,
    "band": 4,
    "taker_fee": 4,
    "maker_fee": 4,
    "order_life_max": 4,
    "open_interest_max": 8,
    "position_max": 8,
    "quorum": 1,
    "families": 1,
    "deviation": 4,
    "price_step": 4,
    "price_age_max": 4,
    "interest": 4,
    "damp": 4,
    "funding_cap": 4,
    "liquidation_fee": 4,
    "expiry": 8,
    "close_out": 4,
    "interest_lower": 16,
    "interest_upper": 16,
}
"""Widths in bytes, in their order; tiers and publishers follow."""

FIXED = ("kind", "lot_exponent", "symbol", "tick", "expiry")


@dataclass(frozen=True)
class Bracket:
    """From this notional on, these rates."""

    start: int
    initial: int
    maintenance: int


@dataclass(frozen=True)
class Terms:
    """What the governor says about a market."""

    market: int
    kind: int
    lot_exponent: int
    symbol: int
    tick: int
    min_notional: int
    order_lots_max: int
    band: int
    taker_fee: int
    maker_fee: int
    order_life_max: int
    open_interest_max: int
    position_max: int
    quorum: int
    families: int
    deviation: int
    price_step: int
    price_age_max: int
    interest: int
    damp: int
    funding_cap: int
    liquidation_fee: int
    expiry: int
    close_out: int
    interest_lower: int
    interest_upper: int
    tiers: tuple[Bracket, ...]
    publishers: tuple[tuple[bytes, int, int], ...]

    @property
    def dearer_fee(self) -> int:
        return max(self.taker_fee, self.maker_fee)

    @property
    def publisher(self) -> bytes:
        return self.publishers[0][0]


def decode(payload: bytes) -> Terms | None:
    """The listing that these bytes are, or None: lists ascend and no byte is left over."""
    stream = BytesIO(payload)

    def number(width: int) -> int:
        part = stream.read(width)
        if len(part) < width:
            raise EOFError
        return int.from_bytes(part, "big")

    try:
        head = {name: number(width) for name, width in HEAD.items()}
        tiers = tuple(Bracket(number(16), number(4), number(4)) for _ in range(number(1)))
        publishers = tuple(
            (number(20).to_bytes(20, "big"), number(1), number(2)) for _ in range(number(1))
        )
    except EOFError:
        return None
    starts, addresses = [tier.start for tier in tiers], [address for address, _, _ in publishers]
    if stream.read() or not 1 <= len(tiers) <= 4 or not 1 <= len(publishers) <= 8:
        return None
    if starts[0] != 0 or not _ascend(starts) or not _ascend(addresses):
        return None
    return Terms(**head, tiers=tiers, publishers=publishers)


def _ascend(keys: Sequence[Key]) -> bool:
    return all(before < after for before, after in pairwise(keys))


def is_sound(terms: Terms) -> bool:
    """What 5.1 asks of a listing, but for its place on the board."""
    symbol = terms.symbol.to_bytes(SYMBOL, "big").rstrip(b"\0")
    rates = (terms.deviation, terms.price_step, terms.interest, terms.funding_cap)
    positive = (terms.tick, terms.band, terms.order_lots_max, terms.price_age_max)
    return (
        terms.kind == PERPETUAL
        and all(33 <= byte < 127 for byte in symbol)
        and all(rate <= ONE for rate in (*rates, terms.liquidation_fee, terms.close_out))
        and max(terms.taker_fee, terms.maker_fee) <= ONE // 10
        and min(*positive, terms.order_life_max) > 0
        and terms.order_lots_max <= terms.position_max < 2**48
        and terms.band < ONE
        and all(0 < tier.maintenance <= tier.initial <= ONE for tier in terms.tiers)
        and terms.interest_lower <= terms.interest_upper
        and len(terms.publishers) == 1
        and _is_within_unsaid_bounds(terms)
    )


def _is_within_unsaid_bounds(terms: Terms) -> bool:
    """Where the page is silent and the venue is not."""
    (publisher, _, weight), *_ = terms.publishers
    return (
        terms.symbol != 0
        and terms.quorum == terms.families == 1
        and 0 < terms.open_interest_max < 2**63
        and terms.damp <= ONE
        and terms.expiry == 0
        and max(terms.interest_upper, *(tier.start for tier in terms.tiers)) < 2**96
        and publisher != bytes(20)
        and weight > 0
    )
