"""Between what people write, decimals in coins and dollars, and what the venue counts.

Reading is exact or refused: an order for a size or a price that the market cannot
express is never rounded into another one.
"""

import re
from decimal import Decimal, localcontext

from state.units import NANO_PER_MICRO

_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_DIGITS = 80
NANO_PER_DOLLAR = 10**9
MICRO_PER_DOLLAR = 10**6


class NotAQuantity(ValueError):
    """Text that is no amount, or none that can be expressed; the message says the mend."""


def read_decimal(text: str, name: str) -> Decimal:
    """A positive decimal such as 0.01: no sign, exponent, comma or space."""
    if not _DECIMAL.fullmatch(text):
        raise NotAQuantity(f"{name}: {text!r} is no amount; write digits such as 0.01 or 60000")
    value = Decimal(text)
    if value == 0:
        raise NotAQuantity(f"{name}: expected more than zero")
    return value


def _whole(text: str, name: str, *, unit: Decimal, of: str) -> int:
    """How many times `unit` is in `text`; NotAQuantity where it is not a whole number."""
    with localcontext(prec=_DIGITS):
        count = read_decimal(text, name) / unit
        if count != count.to_integral_value():
            raise NotAQuantity(
                f"{name}: {text} is not a multiple of {plain(unit)}, the {of}; "
                f"nearest below: {plain(int(count) * unit)}"
            )
        return int(count)


def read_lots(size: str, lot_exponent: int) -> int:
    """Lots of a size in coins: size x 10^lot_exponent."""
    return _whole(size, "size", unit=Decimal(1).scaleb(-lot_exponent), of="market's lot")


def read_ticks(price: str, lot_exponent: int, tick: int) -> int:
    """Ticks of a price in dollars a coin: price x 10^9 / 10^lot_exponent / tick."""
    return _whole(price, "price", unit=coin_price(tick, lot_exponent), of="market's tick")


def read_micro(amount: str) -> int:
    """Micro-USDC of an amount in dollars."""
    unit = Decimal(1) / MICRO_PER_DOLLAR
    return _whole(amount, "amount", unit=unit, of="smallest unit of USDC")


def coin_size(lots: int, lot_exponent: int) -> Decimal:
    """Coins of a number of lots."""
    return _scaled(lots, -lot_exponent)


def coin_price(price: int, lot_exponent: int) -> Decimal:
    """Dollars a coin of nano-USD per lot."""
    return _scaled(price, lot_exponent - 9)


def dollars(nano: int) -> Decimal:
    """Dollars of nano-USD."""
    return _scaled(nano, -9)


def micro_dollars(micro: int) -> Decimal:
    """Dollars of micro-USDC."""
    return dollars(micro * NANO_PER_MICRO)


def _scaled(value: int, exponent: int) -> Decimal:
    """value x 10^exponent, exactly: the default context would keep 28 digits."""
    with localcontext(prec=_DIGITS):
        return Decimal(value).scaleb(exponent)


def plain(value: Decimal) -> str:
    """Every digit, without an exponent or trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal, places: int = 2) -> str:
    """1234567.891 as 1,234,567.89: for tables, where digits may be left out."""
    return f"{value:,.{places}f}"
