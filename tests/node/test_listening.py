"""Where processes listen, and which venue they are for: said once, in one way."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from node.cli.failures import WronglyPut
from node.cli.listening import rpc_config, warn_beyond_loopback
from node.cli.main import tallystick
from node.rpc.server import LOOPBACK_HOSTS

OWN = "0x" + "22" * 20


def run(*words: str) -> Result:
    result = CliRunner().invoke(tallystick, words, prog_name="tallystick")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize("listen", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_nothing_need_be_said(listen: str) -> None:
    with capture_logs() as told:
        config = rpc_config(listen, ())
    assert (config.hosts, config.may_leave_loopback, told) == (LOOPBACK_HOSTS, False, [])


def test_beyond_loopback_there_is_a_warning_and_a_name() -> None:
    with capture_logs() as told:
        config = rpc_config("0.0.0.0", ("sequencer",))
    assert config.may_leave_loopback and config.hosts == (*LOOPBACK_HOSTS, "sequencer")
    (warning,) = told
    assert warning["log_level"] == "warning" and "no authentication" in warning["mend"]
    with pytest.raises(WronglyPut, match="--allow-host"):
        rpc_config("0.0.0.0", ())


def test_an_l1_that_is_open_is_told_too() -> None:
    with capture_logs() as told:
        assert warn_beyond_loopback("192.168.0.1") and not warn_beyond_loopback("127.0.0.1")
    assert [one["address"] for one in told] == ["192.168.0.1"]


def test_a_follower_refuses_to_be_open_under_no_name(tmp_path: Path) -> None:
    words = ("follow", "--rollup", OWN, "--data", str(tmp_path / "data"), "--port", "0")
    said = run(*words, "--listen", "0.0.0.0", "--l1", "http://127.0.0.1:1").stderr
    assert "error: --listen 0.0.0.0 leaves loopback: name with --allow-host" in said


@pytest.mark.parametrize("command", ["follow", "sequence", "claim"])
def test_which_venue_is_said_in_one_way(command: str, tmp_path: Path) -> None:
    signed = () if command == "follow" else ("--from", "heidi")
    words = (command, "--data", str(tmp_path), *signed)
    one_way = "error: say which venue: either --rollup ADDRESS or --deployment FILE\n"
    assert run(*words).stderr == one_way
    assert run(*words, "--rollup", OWN, "--deployment", "venue.json").stderr == one_way
    said = run(*words, "--deployment", str(tmp_path / "away.json")).stderr
    assert "away.json does not say where the venue is" in said


def test_a_typed_venue_outdoes_one_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TALLYSTICK_ROLLUP", OWN)
    words = ("follow", "--data", str(tmp_path), "--deployment", str(tmp_path / "away.json"))
    assert "away.json does not say where the venue is" in run(*words).stderr
