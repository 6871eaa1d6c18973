"""The machine's own disk: names of files and folders outlive a loss of power too."""

from pathlib import Path

import pytest

from node.disk import SystemDisk


def test_a_new_file_is_synced_into_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("node.disk._sync_directory", synced.append)
    SystemDisk().open(tmp_path / "journal").close()
    SystemDisk().open(tmp_path / "journal").close()
    assert synced == [tmp_path]


def test_new_folders_are_synced_into_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("node.disk._sync_directory", synced.append)
    SystemDisk().open(tmp_path / "node" / "data" / "journal").close()
    assert synced == [tmp_path / "node", tmp_path, tmp_path / "node" / "data"]
