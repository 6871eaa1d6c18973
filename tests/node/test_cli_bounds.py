"""Numbers that no field holds, narrow terminals and closed pipes: nothing sent, nothing cut."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from node.cli.failures import FOREIGN, Failure, told
from node.cli.main import tallystick
from node.cli.options import SECONDS
from node.cli.output import table
from node.rpc.errors import RpcError

HUGE = "9" * 30
ALICE = ("--from", "alice")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("order", "cancel", *ALICE, HUGE), "a number at 2^64 - 1"),
        (("order", "cancel", *ALICE, f"{2**32}:1"), "an epoch ends at 2^32 - 1"),
        (("order", "amend", *ALICE, f"{2**64}", "--size", "1"), "a number at 2^64 - 1"),
        (("order", "show", *ALICE, "9" * 10_000), "names no order"),
        (("order", "show", *ALICE, "x" * 10_000), "names no order"),
        (
            ("block", "draft", "1", "2", "X:buy:1:1", "--maker-epoch", f"{2**32}"),
            "0<=x<=4294967295",
        ),
        (("block", "draft", "1", "2", "X:buy:1:1", "--taker-epoch", HUGE), "0<=x<=4294967295"),
        (("deploy", "--out", "x", "--claim-window", HUGE), "1<=x<=1099511627775"),
        (("deploy", "--out", "x", "--claim-bond", "9" * 50), "not in the range"),
        (("devnet", "--claim-window", HUGE), "1<=x<=1099511627775"),
        (("demo", "--claim-window", HUGE), "1<=x<=1099511627775"),
        (("devnet", "--batch-seconds", "nan"), "nan is no finite number"),
        (("devnet", "--block-seconds", "inf"), "inf is no finite number"),
        (("l1", "--block-time", "nan"), "nan is no finite number"),
        (("l1", "--chain-id", "-1"), "1<=x<=9223372036854775771"),
        (("l1", "--chain-id", f"{2**300}"), "1<=x<=9223372036854775771"),
    ],
)
def test_a_number_that_no_field_holds_is_put_wrongly(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(tallystick, [*words])
    assert result.exit_code == 2, result.output
    assert said in result.output and len(result.output) < 1_000


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--json", "{here}"),
        ("demo", "--picture", "{here}"),
        ("devnet", "--config-out", "{here}"),
        ("deploy", *ALICE, "--out", "{here}"),
    ],
)
def test_a_folder_in_the_place_of_a_file_is_refused_before_anything_starts(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    filled = [word.format(here=tmp_path) for word in words]
    result = CliRunner().invoke(tallystick, filled)
    assert result.exit_code == 2 and "is a directory" in result.output


def test_the_greatest_order_that_there_can_be_is_asked_for() -> None:
    words = ("order", "show", *ALICE, f"{2**32 - 1}:{2**64 - 1}", "--rpc", "http://127.0.0.1:1")
    result = CliRunner().invoke(tallystick, [*words])
    assert result.exit_code == 1 and "cannot be reached" in result.output


def test_seconds_are_finite_in_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "tallystick.toml"
    file.write_text("[sequence]\nbatch-seconds = nan\n")
    result = CliRunner().invoke(tallystick, ["--config", str(file), "config", "path"])
    assert result.exit_code == 2 and "sequence.batch-seconds: nan is no finite" in result.output
    assert SECONDS.convert("2.5", None, None) == 2.5
    with pytest.raises(click.BadParameter):
        SECONDS.convert("-inf", None, None)


def test_an_error_without_a_mend_says_where_to_look() -> None:
    with pytest.raises(Failure) as failed, told():
        raise RpcError(-32601, "unknown", "Method not found", "")
    assert failed.value.message == f"Method not found; {FOREIGN}"


def test_who_has_read_enough_is_told_nothing() -> None:
    with pytest.raises(BrokenPipeError), told():
        raise BrokenPipeError
    with pytest.raises(Failure, match="No space"), told():
        raise OSError(28, "No space left on device")


def test_the_path_of_the_configuration_is_there_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tallystick.toml"
    file.write_text("")
    found = CliRunner().invoke(tallystick, ["--config", str(file), "config", "path", "--json"])
    assert json.loads(found.output) == {"path": str(file)}
    file.unlink()
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(tallystick, ["config", "path", "--json"])
    assert json.loads(found.output) == {"path": None}


@pytest.mark.parametrize("width", [40, 80])
def test_no_number_of_a_table_is_cut_on_a_narrow_terminal(width: int) -> None:
    screen = Console(width=width, file=StringIO(), force_terminal=False)
    columns = ("market", ">price", ">size", ">average", ">fee", "time (UTC)", "status")
    cells = ("BTC-USD-PERP", "54561.3", "0.538647", "54561.25", "0.2728065", "16:24:48", "filled")
    screen.print(table("Orders", columns, [cells]))
    assert isinstance(screen.file, StringIO)
    text = screen.file.getvalue()
    assert "…" not in text and max(map(len, text.splitlines())) <= width
    digits = Counter(letter for cell in cells for letter in cell if letter.isdigit())
    assert Counter(letter for letter in text if letter.isdigit()) == digits
