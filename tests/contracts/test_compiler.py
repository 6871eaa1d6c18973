"""Compiling is the same from everywhere, and what comes out fits L1."""

import shutil
from pathlib import Path

import msgspec
import pytest

from contracts.compiler import (
    RUNTIME_BYTES_MAX,
    SOURCES,
    Artifact,
    SourceMissing,
    compile_contract,
    fingerprint,
)


def test_the_working_directory_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = compile_contract("rollup")
    monkeypatch.chdir(tmp_path)
    assert compile_contract.__wrapped__("rollup") == before


def test_a_second_look_costs_nothing() -> None:
    assert compile_contract("rollup") is compile_contract("rollup")


def test_an_unknown_contract_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SourceMissing, match=r"'rolup'.*rollup, .*test_usdc"):
        compile_contract("rolup")


def test_an_artifact_survives_being_stored() -> None:
    artifact = compile_contract("test_usdc")
    assert msgspec.json.decode(msgspec.json.encode(artifact), type=Artifact) == artifact


def test_the_fingerprint_follows_every_source(tmp_path: Path) -> None:
    copy = tmp_path / "contracts"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    seen = {fingerprint()}
    assert fingerprint(copy) in seen
    for source in sorted(copy.glob("*.vy")):
        source.write_text(source.read_text() + "\n")
        assert fingerprint(copy) not in seen
        seen.add(fingerprint(copy))
    (copy / "inbox.vy").rename(copy / "outbox.vy")
    assert fingerprint(copy) not in seen


def test_the_rollup_fits_one_contract_of_l1() -> None:
    size = len(compile_contract("rollup").runtime_code)
    print(f"rollup: {size} of {RUNTIME_BYTES_MAX} bytes")
    assert size < RUNTIME_BYTES_MAX
