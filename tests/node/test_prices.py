"""Price paths: recorded ones read whole or refused, made-up ones the same every time."""

import gzip
from itertools import pairwise
from pathlib import Path

import pytest

from node.devnet.listings import COINS
from node.devnet.prices import (
    HISTORY,
    MADE_UP_STEP,
    NoHistory,
    PricePath,
    made_up_path,
    price_path,
    recorded_path,
)

WIDE = "hist_2021-2023_close_1h_50x.csv.gz"


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_bytes(gzip.compress(text.encode()))


def write_history(folder: Path, *, ethereum: str = "7,100,101,102\n") -> None:
    header = "ts,close,mark_close,spot_close\n"
    write(folder, "hist_2020-2026_BTC_perp_1h.csv.gz", f"{header}7,60000,60001.5,0\n8,60002,,0\n")
    write(folder, "hist_2020-2026_ETH_perp_1h.csv.gz", header + ethereum)
    write(folder, WIDE, "ts,BTC,ETH,SOL\n6,1,1,20\n7,1,1,21.5\n8,1,1,\n")


def test_recorded_prices_are_marks_per_lot_of_common_hours(tmp_path: Path) -> None:
    write_history(tmp_path)
    path = recorded_path(tmp_path)
    assert path.bars == [(60_001_500, 1_010_000, 2_150_000)]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("missing", "no prices of SOL"),
        ("not gzip", "no prices of SOL"),
        ("no such coin", "no prices of SOL"),
        ("not a number", "no prices of SOL"),
        ("negative", "no prices of SOL"),
        ("other hours", "no hour in common"),
    ],
)
def test_a_folder_without_whole_history_is_refused(tmp_path: Path, damage: str, told: str) -> None:
    write_history(tmp_path)
    texts = {
        "no such coin": "ts,BTC\n7,1\n",
        "not a number": "ts,SOL\n7,cheap\n",
        "negative": "ts,SOL\n7,-1\n",
        "other hours": "ts,SOL\n9,21\n",
    }
    if damage == "missing":
        (tmp_path / WIDE).unlink()
    elif damage == "not gzip":
        (tmp_path / WIDE).write_bytes(b"plain")
    else:
        write(tmp_path, WIDE, texts[damage])
    with pytest.raises(NoHistory, match=told):
        price_path(tmp_path)


def test_a_path_is_walked_back_from_its_end() -> None:
    path = PricePath("", [(1,), (2,), (3,)])
    assert [path.bar(n)[0] for n in range(9)] == [1, 2, 3, 2, 1, 2, 3, 2, 1]


def test_a_path_of_one_bar_stands_still() -> None:
    assert PricePath("", [(5,)]).bar(7) == (5,)


def test_the_made_up_path_moves_in_small_steps() -> None:
    bars = made_up_path().bars
    assert bars == made_up_path().bars
    assert len(set(bars)) == len(bars)
    for before, after in pairwise(bars):
        for old, new in zip(before, after, strict=True):
            assert abs(new - old) * 10**6 <= old * 2 * MADE_UP_STEP


def test_the_shared_history_has_every_coin() -> None:
    if not (HISTORY / WIDE).is_file():
        pytest.skip(f"no recorded prices in {HISTORY}")
    path = price_path(None)
    assert len(path.bars) > 20_000
    assert all(len(bar) == len(COINS) and min(bar) > 0 for bar in path.bars)
