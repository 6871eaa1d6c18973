"""A devnet's folder: one devnet in it at a time, and nothing removed that no devnet made."""

from pathlib import Path

import pytest

from node.devnet.directory import DEPLOYMENT, LOCK, venue_directory
from node.errors import Halt


def used(data: Path) -> Path:
    """As a devnet leaves it, also one from before there was a lock."""
    (data / "bots").mkdir(parents=True)
    (data / "sequencer" / "snapshots").mkdir(parents=True)
    (data / "sequencer" / "journal").write_text("money")
    (data / DEPLOYMENT).write_text("{}")
    return data


def test_what_an_earlier_devnet_left_is_there_again(tmp_path: Path) -> None:
    with venue_directory(used(tmp_path)) as directory:
        assert (directory / "sequencer" / "journal").read_text() == "money"


def test_reset_removes_what_an_earlier_devnet_left(tmp_path: Path) -> None:
    with venue_directory(used(tmp_path), reset=True) as directory:
        assert [entry.name for entry in directory.iterdir()] == [LOCK]
    with venue_directory(tmp_path / "new", reset=True) as directory:
        assert directory.is_dir()


@pytest.mark.parametrize("foreign", ["photos", "notes.txt", "Sequencer"])
def test_reset_removes_nothing_where_anything_is_foreign(tmp_path: Path, foreign: str) -> None:
    (used(tmp_path) / foreign).mkdir()
    with pytest.raises(Halt, match=f"holds '{foreign}'"), venue_directory(tmp_path, reset=True):
        pass
    assert (tmp_path / "sequencer" / "journal").exists() and (tmp_path / foreign).exists()


def test_reset_takes_no_folder_for_a_devnets_by_its_names_alone(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with pytest.raises(Halt, match="no devnet put there"), venue_directory(tmp_path, reset=True):
        pass
    assert (tmp_path / "logs").exists()


def test_reset_keeps_a_venue_that_is_no_devnets(tmp_path: Path) -> None:
    for name in ("sequencer", "follower", "logs"):
        (tmp_path / name).mkdir()
    (tmp_path / DEPLOYMENT).write_text("{}")
    for reset in (False, True):
        with pytest.raises(Halt, match="no devnet"), venue_directory(tmp_path, reset=reset):
            pass
    assert (tmp_path / "sequencer").exists() and not (tmp_path / LOCK).exists()


def test_a_devnet_begins_beside_what_it_can_tell_from_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for _ in range(2):
        with venue_directory(tmp_path) as directory:
            (directory / "logs").mkdir(exist_ok=True)
    with pytest.raises(Halt, match=r"'notes\.txt'"), venue_directory(tmp_path, reset=True):
        pass
    assert (tmp_path / "notes.txt").exists() and (tmp_path / "logs").exists()


def test_reset_follows_no_link(tmp_path: Path) -> None:
    elsewhere = used(tmp_path / "elsewhere")
    data = tmp_path / "data"
    data.mkdir()
    (data / LOCK).touch()
    (data / "sequencer").symlink_to(elsewhere / "sequencer")
    with pytest.raises(Halt, match="holds 'sequencer'"), venue_directory(data, reset=True):
        pass
    assert (elsewhere / "sequencer" / "journal").exists()


@pytest.mark.parametrize("reset", [False, True])
def test_two_devnets_do_not_share_a_folder(tmp_path: Path, reset: bool) -> None:
    with venue_directory(used(tmp_path)):
        with (
            pytest.raises(Halt, match="in use by another devnet"),
            venue_directory(tmp_path, reset=reset),
        ):
            pass
        assert (tmp_path / "sequencer" / "journal").exists()
    with venue_directory(tmp_path):
        pass


def test_a_temporary_folder_goes_with_its_devnet_and_stays_after_an_error() -> None:
    with venue_directory(None) as directory:
        assert directory.is_dir()
    assert not directory.exists()
    with pytest.raises(ValueError, match="lost"), venue_directory(None) as directory:
        raise ValueError("lost")
    assert directory.is_dir()
    directory.rmdir()
