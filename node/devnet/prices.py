"""Where a devnet's prices come from: recorded history where it is at hand, else a made-up path.

Both are deterministic. A path has a number of bars and is walked to its end and back again,
so that it never jumps from its last price to its first.
"""

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from node.devnet.listings import COINS, Coin, lot_price
from state.crypto import keccak

MADE_UP_BARS = 4_096
MADE_UP_STEP = 2_000
"""Parts per million that a made-up bar moves at most."""

REPOSITORY = Path(__file__).parents[2]
HISTORY = REPOSITORY.parent / "shared" / "data"
"""Where recorded prices are looked for unless a flag says otherwise."""

WIDE_FILE = "hist_2021-2023_close_1h_50x.csv.gz"
NARROW_FILE = "hist_2020-2026_{coin}_perp_1h.csv.gz"

Bar = tuple[int, ...]
"""A price in nano-USD per lot for each of `COINS`."""


class NoHistory(Exception):
    """A folder that lacks the recorded prices; the message says which."""


@dataclass(frozen=True, slots=True)
class PricePath:
    """`source` says in words where the bars come from."""

    source: str
    bars: Sequence[Bar]

    def bar(self, number: int) -> Bar:
        """The bar of any number from 0: to the end, back again, and so on."""
        last = len(self.bars) - 1
        if last == 0:
            return self.bars[0]
        place = number % (2 * last)
        return self.bars[place if place <= last else 2 * last - place]


def price_path(history: Path | None) -> PricePath:
    """The path of the chosen folder, of the usual one if it is there, else the made-up one.

    NoHistory where a folder was chosen and lacks a file.
    """
    if history is not None:
        return recorded_path(history)
    try:
        return recorded_path(HISTORY)
    except NoHistory:
        return made_up_path()


def recorded_path(folder: Path) -> PricePath:
    """Hourly prices of every coin, from the first hour that all of them have."""
    series = [_recorded(folder, coin) for coin in COINS]
    hours = sorted(set.intersection(*(set(prices) for prices in series)))
    if not hours:
        raise NoHistory(f"the files in {folder} have no hour in common")
    bars = [tuple(prices[hour] for prices in series) for hour in hours]
    return PricePath(f"{len(bars)} recorded hours", bars)


def made_up_path() -> PricePath:
    """Small steps that keccak decides, pulled back towards where they began."""
    starts = tuple(lot_price(coin, coin.start) for coin in COINS)
    bars = [starts]
    for number in range(1, MADE_UP_BARS):
        noise = keccak(number.to_bytes(4, "big"))
        prices = [
            _stepped(price, start, int.from_bytes(noise[2 * place : 2 * place + 2], "big"))
            for place, (price, start) in enumerate(zip(bars[-1], starts, strict=True))
        ]
        bars.append(tuple(prices))
    return PricePath("a made-up path", bars)


def _stepped(price: int, start: int, noise: int) -> int:
    """A u16 of noise moves the price by up to MADE_UP_STEP, and one part in 256 towards start."""
    step = price * MADE_UP_STEP * (noise - 2**15) // (2**15 * 10**6)
    return price + step + (start - price) // 256


def _recorded(folder: Path, coin: Coin) -> Mapping[str, int]:
    """Prices of a coin by their hour: marks of its own file, else closes of the wide one."""
    narrow, wide = folder / NARROW_FILE.format(coin=coin.symbol), folder / WIDE_FILE
    path, columns = (narrow, ("mark_close", "close")) if narrow.is_file() else (wide, ())
    prices: dict[str, int] = {}
    try:
        with gzip.open(path, "rt", newline="") as file:
            for row in csv.DictReader(file):
                text = next((row[c] for c in (*columns, coin.symbol) if row.get(c)), "")
                if text:
                    prices[row["ts"]] = _per_lot(text, coin)
    except (OSError, EOFError, KeyError, InvalidOperation, csv.Error) as error:
        raise NoHistory(f"no prices of {coin.symbol} in {path}: {error}") from error
    if not prices:
        raise NoHistory(f"no prices of {coin.symbol} in {path}")
    return prices


def _per_lot(text: str, coin: Coin) -> int:
    """Nano-USD per lot of dollars a coin."""
    price = int(Decimal(text).scaleb(9 - coin.lot_exponent))
    if price <= 0:
        raise InvalidOperation(f"{text!r} is no price")
    return price
