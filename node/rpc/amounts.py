"""Amounts as people write them, and the integers they are: exactly, or not at all.

A price is in USD per coin, a size in coin. With a lot of 10^-e coin, a price of p nano-USD
per lot is p x 10^(e - 9) USD per coin. Nothing here rounds: an amount between two units is
refused, and both units are named.
"""

import re

from msgspec import Struct

from node.rpc.errors import InvalidParams, Malformed
from state.limits import LOTS_MAX, PRICE_MAX, TICKS_MAX

NANO_PLACES = 9
MICRO_PLACES = 6
DIGITS_MAX = 40
_DECIMAL = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")


class DecimalText(str):
    """A decimal number, not negative, as a parameter brings it."""

    __slots__ = ()


def read_decimal(value: object) -> DecimalText:
    """A decimal string, or a JSON integer. Malformed for floats: they are not exact."""
    if isinstance(value, float):
        raise Malformed(
            "float_not_exact",
            expected='a decimal string such as "0.25"',
            got=value,
            mend="put the number in quotes: a floating-point number has lost digits already",
        )
    # An integer of very many digits would raise in str().
    small = type(value) is int and 0 <= value < 10**DIGITS_MAX
    text = str(value) if small else value
    if not isinstance(text, str) or len(text) > DIGITS_MAX or not _DECIMAL.fullmatch(text):
        raise Malformed(
            "not_a_decimal",
            expected=f'a decimal string of at most {DIGITS_MAX} characters such as "0.25"',
            got=value,
            mend="write digits with at most one point: no sign, exponent, spaces or separators",
        )
    return DecimalText(text)


def decimal(text: str) -> DecimalText:
    """As `read_decimal`, for what is written in our own code. InvalidParams otherwise."""
    try:
        return read_decimal(text)
    except Malformed as fault:
        raise InvalidParams(fault.reason, str(fault), fault.mend) from None


class NotExact(Exception):
    """The amount lies between two units, `below` and `below` + 1."""

    def __init__(self, below: int) -> None:
        super().__init__(f"between {below} and {below + 1}")
        self.below = below


def units_of(text: str, places: int, step: int = 1) -> int:
    """How many units of `step` x 10^-`places` make `text`. NotExact if no whole number does."""
    match = _DECIMAL.fullmatch(text)
    assert match is not None, "a DecimalText"
    fraction = match[2] or ""
    digits, shift = int(str(match[1]) + fraction), places - len(fraction)
    numerator, denominator = digits * 10 ** max(shift, 0), step * 10 ** max(-shift, 0)
    units: int = numerator // denominator
    if numerator % denominator:
        raise NotExact(units)
    return units


def decimal_text(units: int, places: int) -> str:
    """units x 10^-places, written out without trailing zeros; `places` may be negative."""
    if units == 0:
        return "0"
    sign, digits = "-" if units < 0 else "", str(abs(units) * 10 ** max(-places, 0))
    if places <= 0:
        return sign + digits
    digits = digits.rjust(places + 1, "0")
    whole, fraction = digits[:-places], digits[-places:].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def usd(nano: int) -> str:
    """Nano-USD in USD."""
    return decimal_text(nano, NANO_PLACES)


def usdc(micro: int) -> str:
    """Micro-USDC in USDC."""
    return decimal_text(micro, MICRO_PLACES)


def read_money(text: str, places: int, maximum: int) -> int:
    """1 .. `maximum` units of 10^-`places` USD. InvalidParams for any other amount."""
    return _read(text, places, 1, maximum, name="amount", unit="unit")


class Grid(Struct, frozen=True):
    """The prices and sizes a market knows: whole ticks and whole lots."""

    lot_exponent: int
    tick: int

    @property
    def _price_places(self) -> int:
        return NANO_PLACES - self.lot_exponent

    @property
    def lot_size(self) -> str:
        """One lot, in coin."""
        return self.size(1)

    @property
    def tick_size(self) -> str:
        """One tick, in USD per coin."""
        return self.price(1)

    def price(self, ticks: int) -> str:
        """`ticks` in USD per coin."""
        return self.price_of_nano(ticks * self.tick)

    def price_of_nano(self, nano: int) -> str:
        """Nano-USD per lot in USD per coin."""
        return decimal_text(nano, self._price_places)

    def size(self, lots: int) -> str:
        """`lots` in coin."""
        return decimal_text(lots, self.lot_exponent)

    def read_price(self, text: str) -> int:
        """USD per coin in ticks, 1 .. TICKS_MAX. InvalidParams off the tick or out of range."""
        return _read(text, self._price_places, self.tick, TICKS_MAX, name="price", unit="tick")

    def read_nano_price(self, text: str) -> int:
        """USD per coin in nano-USD per lot, 1 .. PRICE_MAX."""
        return _read(text, self._price_places, 1, PRICE_MAX, name="price", unit="unit")

    def read_size(self, text: str) -> int:
        """Coin in lots, 1 .. LOTS_MAX. InvalidParams off the lot or out of range."""
        return _read(text, self.lot_exponent, 1, LOTS_MAX, name="size", unit="lot")


def _read(text: str, places: int, step: int, maximum: int, *, name: str, unit: str) -> int:
    """How many steps of `step` x 10^-`places` make `text`: a whole number up to `maximum`."""

    def written(units: int) -> str:
        return decimal_text(units * step, places)

    try:
        units = units_of(text, places, step)
    except NotExact as between:
        near = [n for n in (between.below, between.below + 1) if 0 < n <= maximum] or [maximum]
        raise InvalidParams(
            f"off_{unit}",
            f"{name} {text} is not a multiple of {written(1)}",
            "use " + " or ".join(written(n) for n in near),
            expected=f"a multiple of {written(1)}",
            got=text,
            nearest=[written(n) for n in near],
        ) from None
    if not 0 < units <= maximum:
        raise InvalidParams(
            f"{name}_out_of_range",
            f"{name} {text} is not within {written(1)} to {written(maximum)}",
            f"use an amount from {written(1)} to {written(maximum)}",
            expected=f"{written(1)} to {written(maximum)}",
            got=text,
        )
    return units
