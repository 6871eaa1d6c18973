"""Flag, variable, file, default, in this order; and what a configuration cannot say."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from node.cli.main import tallystick
from node.cli.schema import default_of, is_shared, key_of, leaves, settings, variables_of
from node.cli.settings_file import SHARED

KEY = "0x" + "1f" * 32


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str, **environment: str) -> Result:
    result = CliRunner().invoke(tallystick, words, prog_name="tallystick", env=environment)
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    return result


def write(text: str, name: str = "tallystick.toml") -> None:
    Path(name).write_text(text)


def shown(*words: str, **environment: str) -> dict[str, tuple[object, str]]:
    """Value and origin of each option of a command."""
    result = run("config", "show", *words, "--json", **environment)
    assert result.exit_code == 0, result.output
    return {one["option"]: (one["value"], one["origin"]) for one in json.loads(result.stdout)}


def test_the_nearer_source_wins() -> None:
    assert shown("book")["depth"] == (10, "default")
    write("[book]\ndepth = 20\n")
    assert shown("book")["depth"] == (20, "tallystick.toml:book.depth")
    environment = {"TALLYSTICK_BOOK_DEPTH": "30"}
    assert shown("book", **environment)["depth"] == (30, "TALLYSTICK_BOOK_DEPTH")
    assert shown("book", "--depth", "40", **environment)["depth"] == (40, "flag")


def test_what_is_a_commands_own_goes_before_what_is_shared() -> None:
    write('[shared]\nrpc = "http://all:1"\n[order.place]\nrpc = "http://mine:1"\n')
    assert shown("order", "place")["rpc"] == (
        "http://mine:1",
        "tallystick.toml:order.place.rpc",
    )
    assert shown("order", "amend")["rpc"] == ("http://all:1", "tallystick.toml:shared.rpc")
    both = {"TALLYSTICK_RPC": "http://env:1", "TALLYSTICK_BOOK_RPC": "http://book:1"}
    assert shown("book", **both)["rpc"] == ("http://book:1", "TALLYSTICK_BOOK_RPC")
    assert shown("status", **both)["rpc"] == ("http://env:1", "TALLYSTICK_RPC")


def test_a_file_is_named_by_flag_or_variable() -> None:
    write("[book]\ndepth = 20\n")
    write("[book]\ndepth = 21\n", "other.toml")
    by_flag = run("--config", "other.toml", "config", "path")
    by_variable = run("config", "path", TALLYSTICK_CONFIG="other.toml")
    assert by_flag.stdout == by_variable.stdout == "other.toml\n"
    assert run("config", "path").stdout == "tallystick.toml\n"
    assert shown("book", TALLYSTICK_CONFIG="other.toml")["depth"][0] == 21


def test_without_a_file_it_says_so() -> None:
    assert run("config", "path").stdout.startswith("no file: ")


def test_a_path_in_the_file_is_relative_to_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    write('[sequence]\ndata = "journal"\nkey-file = "/k"\n', "etc/venue.toml")
    found = shown("sequence", TALLYSTICK_CONFIG="etc/venue.toml")
    assert found["data"][0] == str(Path("etc/journal"))
    assert found["key-file"][0] == "/k"


def test_a_file_is_read_as_utf_8_with_or_without_a_mark_in_front() -> None:
    for mark in ("", "\ufeff"):
        Path("tallystick.toml").write_text(f"{mark}[book]\ndepth = 3\n", "utf-8")
        assert shown("book")["depth"] == (3, "tallystick.toml:book.depth")
    Path("tallystick.toml").write_bytes(b"# \xff\n")
    assert "tallystick.toml is no TOML: 'utf-8'" in run("markets").stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[bok]\n", "bok is unknown; did you mean book?"),
        ("[book]\ndeph = 1\n", "book.deph is unknown; did you mean depth?"),
        ("[order]\nlife = 'ioc'\n", "order.life is unknown; expected one of amend, cancel"),
        ("[order.place]\nlive = 'ioc'\n", "order.place.live is unknown; did you mean life?"),
        ("[order]\nplace = 1\n", "order.place is a command: expected a table, [order.place]"),
        ("book = 1\n", "book is a command: expected a table, [book]"),
        ("rpc = 'http://x:1'\n", "rpc stands in the wrong place; write it under [shared]"),
        ("[shared]\nrcp = 'http://x:1'\n", "shared.rcp is unknown; did you mean rpc?"),
        ("shared = 1\n", "shared is no option: expected a table, [shared]"),
        ("[book]\ndepth = 'x'\n", 'book.depth is "x"; expected a whole number from 1 to 200'),
        ("[book]\ndepth = true\n", "book.depth is true; expected a whole number from 1 to 200"),
        ("[book]\ndepth = 0\n", "book.depth: 0 is not in the range 1<=x<=200"),
        ("[book]\njson = 1\n", "book.json is 1; expected true or false"),
        ("[shared]\nrpc = 9545\n", 'shared.rpc is 9545; expected "http://host:port"'),
        ("[shared]\nrpc = '9545'\n", "shared.rpc: '9545' is no endpoint: write http://host:port"),
        ("[order.place]\nlife = 'x'\n", "order.place.life: 'x' is not one of"),
        ("[sequence]\nbatch-seconds = '1'\n", "expected a number above 0"),
        ("[book\n", "tallystick.toml is no TOML: "),
        ("[sequence]\ndata = '\\u0000'\n".replace("'", '"'), "sequence.data has a null character"),
    ],
)
def test_a_file_that_says_nonsense_is_refused_with_the_place(text: str, told: str) -> None:
    write(text)
    result = run("markets")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: tallystick.toml") and told in line


@pytest.mark.parametrize(
    "text",
    [
        f"[shared]\nprivate-key = '{KEY}'\n",
        f"[sequence]\nprivate_key = '{KEY}'\n",
        f"[shared]\nmnemonic = '{KEY}'\n",
        f"[shared]\nkey-file = '{KEY}'\n",
        f"[claim]\nkey-file = '{KEY[2:]}'\n",
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(text: str) -> None:
    write(text)
    result = run("markets")
    assert result.exit_code == 2
    assert KEY[2:] not in result.output
    assert "into" in result.stderr, "says where it belongs"


def test_a_key_where_a_file_is_named_is_not_repeated() -> None:
    for words, variables in (
        (("deposit", "1", "--key-file", KEY), {}),
        (("deposit", "1"), {"TALLYSTICK_KEY_FILE": KEY}),
    ):
        result = run(*words, **variables)
        assert result.exit_code == 2 and KEY[2:] not in result.output
        assert "a private key stands where a file is named" in result.stderr


def test_a_wrong_value_in_the_environment_names_its_variable() -> None:
    for variable in ("TALLYSTICK_RPC", "TALLYSTICK_BOOK_RPC"):
        result = run("book", "X", **{variable: "nowhere"})
        assert result.exit_code == 2
        assert f"'--rpc' (environment variable {variable}): 'nowhere' is no" in result.stderr
    result = run("book", "X", "--rpc", "nowhere")
    assert "Invalid value for '--rpc': 'nowhere' is no endpoint" in result.stderr


def test_who_signs_is_taken_from_the_nearer_source(tmp_path: Path) -> None:
    write("[shared]\nfrom = 'alice'\n")
    (tmp_path / "key").write_text("nothing")
    (tmp_path / "key").chmod(0o600)
    words = ("order", "cancel", "1", "--rpc", "http://127.0.0.1:1")
    assert "key holds no key" in run(*words, "--key-file", "key").stderr
    assert "key holds no key" in run(*words, TALLYSTICK_KEY_FILE="key").stderr
    both = {"TALLYSTICK_KEY_FILE": "key", "TALLYSTICK_FROM": "alice"}
    assert "say who signs" in run(*words, **both).stderr
    write("[shared]\nfrom = 'alice'\n[order.cancel]\nkey-file = 'key'\n")
    assert "key holds no key" in run(*words).stderr


def test_the_example_loads_back_to_the_defaults() -> None:
    before = {words: shown(*words) for words, _ in leaves(tallystick)}
    write(run("config", "example").stdout)
    for words, _ in leaves(tallystick):
        after = shown(*words)
        assert {key: value for key, (value, _) in after.items()} == {
            key: value for key, (value, _) in before[words].items()
        }
        for key, (value, origin) in after.items():
            assert (origin == "default") == (value is None), (words, key)


def test_every_option_has_a_variable_of_its_own_and_none_two_meanings() -> None:
    seen: dict[str, tuple[str, ...]] = {}
    for words, command in leaves(tallystick):
        for option in settings(command):
            own, *shared = variables_of(option)
            assert own not in seen, (words, seen[own])
            seen[own] = words
            key = key_of(option)
            assert bool(shared) == is_shared(option) == (key in SHARED and bool(shared))
            if shared:
                model = SHARED[key]
                assert type(option.type) is type(model.type), (words, key)
                assert default_of(option) == default_of(model), (words, key)
    commons = {variables_of(option)[-1] for option in SHARED.values()}
    assert not commons & set(seen)


def test_show_names_every_option_of_every_command() -> None:
    found = json.loads(run("config", "show", "--json").stdout)
    wanted = [
        (" ".join(words), key_of(option))
        for words, command in leaves(tallystick)
        for option in settings(command)
    ]
    assert [(one["command"], one["option"]) for one in found] == wanted
    assert "TALLYSTICK_RPC" in run("config", "show", TALLYSTICK_RPC="http://x:1").stdout


def test_show_of_a_command_that_is_not_there_says_which_are() -> None:
    told = run("config", "show", "order", "put").stderr
    assert told.startswith("error: there is no command 'order put'; expected one of amend")


def test_hidden_options_are_no_configuration() -> None:
    assert isinstance(tallystick, click.Group)
    write("[sequence]\nuntil-stdin-closes = true\n")
    assert "sequence.until-stdin-closes is unknown" in run("markets").stderr
