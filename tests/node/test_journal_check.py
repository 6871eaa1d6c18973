"""`tallystick journal check`: sound, torn at its end, or damaged; and nothing is changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from journal_files import GROUPS, IDENTITY, written

from node.cli.main import tallystick
from node.disk import SystemDisk
from node.errors import Halt
from node.journal import Journal
from node.journal_reading import HEAD_BYTES, crc


def checked(path: Path, *options: str) -> Result:
    return CliRunner().invoke(tallystick, ["journal", "check", str(path), *options])


def found(path: Path) -> tuple[int, dict[str, Any]]:
    done = checked(path, "--json")
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    disk, _ = written(GROUPS)
    (file,) = disk.files.values()
    place = tmp_path / "journal"
    place.write_bytes(file.data)
    return place


def test_a_sound_journal_is_told_with_what_it_holds(path: Path) -> None:
    code, what = found(path)
    assert (code, what["is_sound"], what["torn_bytes"]) == (0, True, 0)
    assert what["groups"] == len(GROUPS) and what["size"] == path.stat().st_size
    assert what["identity"] == "0x" + IDENTITY.hex()
    kinds = {"ItemsTaken": 1, "Taken": 2, "Sealed": 1, "Final": 1}
    assert what["records"] == kinds | {"Rewound": 1, "Adopted": 1, "Settled": 1}
    words = checked(path).output
    assert "whole" in words and "Taken records" in words


def test_a_torn_tail_is_no_damage_and_stays_where_it_is(path: Path) -> None:
    whole = path.read_bytes()
    for cut in (1, 30, 45):
        path.write_bytes(whole[:-cut])
        code, what = found(path)
        assert (code, what["is_sound"], what["groups"]) == (0, True, len(GROUPS) - 1)
        assert what["torn_at"] + what["torn_bytes"] == len(whole) - cut
        assert path.stat().st_size == len(whole) - cut, "a check cuts nothing"
    assert "never acknowledged" in checked(path).output


@pytest.mark.parametrize(
    "at", [0, 9, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 60, HEAD_BYTES + 300]
)
def test_damage_is_told_with_its_place_and_its_mend(at: int, path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    code, what = found(path)
    assert (code, what["is_sound"]) == (1, False)
    assert what["damaged_at"] <= at and "Restore the file from a copy" in what["damage"]
    done = checked(path)
    assert done.exit_code == 1 and f"damaged at byte {what['damaged_at']}" in done.output


def test_what_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"something else")
    assert found(tmp_path / "other")[1]["damage"].count("does not begin like a journal") == 1
    done = checked(tmp_path / "nothing")
    assert done.exit_code == 1 and "there is no journal at" in done.output


@pytest.mark.parametrize("size", [0, 1, 9, 30, HEAD_BYTES - 1])
@pytest.mark.parametrize("zeros", [False, True])
def test_what_a_crash_at_creation_left_is_an_empty_journal(
    size: int, zeros: bool, path: Path
) -> None:
    """The check and a start say the same of it; zeros stand for bytes that are not on disk yet."""
    head = path.read_bytes()[:size]
    path.write_bytes(head + bytes(HEAD_BYTES - size) * zeros)
    code, what = found(path)
    assert (code, what["is_sound"], what["is_empty"]) == (0, True, True)
    assert what["torn_bytes"] == path.stat().st_size and what["groups"] == 0
    assert "empty: nothing was written in it yet" in " ".join(checked(path).output.split())
    assert list(Journal(SystemDisk(), path, IDENTITY).read()) == []
    code, what = found(path)
    assert (code, what["is_empty"], what["torn_bytes"]) == (0, False, 0)


def test_a_head_that_is_no_journals_is_not_empty(path: Path) -> None:
    head = path.read_bytes()[:HEAD_BYTES]
    for other in (b"x", head[:8] + b"\x07", head[:-1] + bytes([head[-1] ^ 1]), b"\0" * 47):
        path.write_bytes(other)
        code, what = found(path)
        assert (code, what["is_sound"], what["is_empty"]) == (1, False, False)
        with pytest.raises(Halt):
            list(Journal(SystemDisk(), path, IDENTITY).read())


def test_another_version_of_the_format_is_told_and_no_damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[9] = 2
    data[HEAD_BYTES - 4 : HEAD_BYTES] = crc(bytes(data[: HEAD_BYTES - 4]))
    path.write_bytes(data)
    done = checked(path)
    assert done.exit_code == 1 and "has format 2, this program reads 1: use the version" in (
        " ".join(done.output.split())
    )
    with pytest.raises(Halt, match=r"OTHER_VERSION: .*has format 2"):
        next(Journal(SystemDisk(), path, IDENTITY).read())
    assert path.read_bytes() == data
