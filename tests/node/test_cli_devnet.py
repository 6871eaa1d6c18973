"""How a devnet is asked for: what the flags mean, and what cannot be meant."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from node.cli import devnet as module
from node.config import DevnetConfig

Asked = list[tuple[DevnetConfig, bool]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the command would have started."""
    found: Asked = []

    async def remember(config: DevnetConfig, _: Any, *, reset: bool) -> None:
        found.append((config, reset))

    monkeypatch.setattr(module, "_devnet", remember)
    return found


def devnet(*words: str) -> Result:
    return CliRunner().invoke(module.devnet, words)


def test_the_embedded_l1_is_the_default(asked: Asked) -> None:
    assert devnet().exit_code == 0
    ((config, reset),) = asked
    assert (config.l1, reset) == ("embedded", False)


@pytest.mark.parametrize(
    "kind", ["embedded", "anvil", "http://127.0.0.1:8545", "https://l1.example/key"]
)
def test_an_l1_is_a_kind_or_an_endpoint(asked: Asked, kind: str) -> None:
    assert devnet("--l1", kind).exit_code == 0
    assert asked[0][0].l1 == kind


@pytest.mark.parametrize("kind", ["Anvil", "geth", "127.0.0.1:8545", "ftp://l1", "http://"])
def test_nothing_else_is_an_l1(asked: Asked, kind: str) -> None:
    result = devnet("--l1", kind)
    assert result.exit_code == 2 and f"'{kind}' is no endpoint" in result.stderr
    assert asked == []


def test_fast_changes_what_nobody_asked_for(asked: Asked) -> None:
    assert devnet("--fast").exit_code == 0
    assert devnet("--fast", "--claim-window", "30").exit_code == 0
    (hasty, _), (chosen, _) = asked
    assert (hasty.batch_seconds, hasty.claim_window) == (2.0, 2)
    assert (chosen.batch_seconds, chosen.claim_window) == (2.0, 30)


def test_reset_wants_a_folder(asked: Asked, tmp_path: Path) -> None:
    result = devnet("--reset")
    assert result.exit_code == 2 and "name it with --data" in result.stderr
    assert asked == []
    assert devnet("--reset", "--data", str(tmp_path)).exit_code == 0
    assert asked[0][1] is True
