"""The configuration file: TOML, checked against the commands' own options before it counts.

    [shared]
    rpc = "http://127.0.0.1:9545"        # for every command that has --rpc
    [sequence]
    batch-seconds = 2.0
    [order.place]
    life = "ioc"

Paths are relative to the file's folder. Keys are never in it, only paths of the files with them.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from node.cli.failures import WronglyPut
from node.cli.options import (
    deployment_option,
    l1_option,
    rollup_option,
    rpc_option,
    signer_options,
    subaccount_option,
)
from node.cli.schema import expected, is_shared, key_of, settings

COMMON = "shared"
"""The table of what is for every command; at the top it would collide with the command `l1`."""

SECRET_WORDS = ("private-key", "privatekey", "secret", "mnemonic", "seed", "passphrase", "password")

INSTEAD = {"from": ("key-file",), "key-file": ("from",)}
INSTEAD |= {"rollup": ("deployment",), "deployment": ("rollup",)}
"""What a command's own table says in place of a shared value."""


@click.command()
@rpc_option
@l1_option
@rollup_option
@deployment_option
@subaccount_option
@signer_options
def shared(**_: Any) -> None:
    """What stands at the top of the file."""


SHARED = {key_of(option): option for option in settings(shared)}


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file says: `default_map` as click takes it, by the places where it is said."""

    path: Path | None = None
    default_map: dict[str, Any] = field(default_factory=dict)
    places: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Of a command's words and a key: the key in the file, such as `order.place.life`."""


def load(path: Path, root: click.Group) -> SettingsFile:
    """The file at `path` as defaults for `root`'s commands. WronglyPut where it says nonsense."""
    found = SettingsFile(path)
    content = _read(path)
    common = content.pop(COMMON, {})
    if not isinstance(common, dict):
        raise WronglyPut(f"{path}: {COMMON} is no option: expected a table, [{COMMON}]")
    for key, value in common.items():
        if key not in SHARED:
            _refuse_unknown(path, f"{COMMON}.{key}", key, SHARED)
        _checked(path, f"{COMMON}.{key}", SHARED[key], value)
    _fill(found, root, (), common, content)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise WronglyPut(f"cannot read the configuration {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WronglyPut(f"{path} is no TOML: {error}") from None


def _fill(
    found: SettingsFile,
    command: click.Group,
    words: tuple[str, ...],
    common: Mapping[str, Any],
    content: Mapping[str, Any],
) -> None:
    """Every command of a group: what is common, and its own table over that."""
    assert found.path is not None
    context = click.Context(command)
    names = command.list_commands(context)
    for key, value in content.items():
        place = ".".join((*words, key))
        if key not in names and key in SHARED:
            raise WronglyPut(
                f"{found.path}: {place} stands in the wrong place; write it under [shared]"
            )
        if key not in names:
            _refuse_unknown(found.path, place, key, (*(() if words else (COMMON,)), *names))
        if not isinstance(value, dict):
            raise WronglyPut(
                f"{found.path}: {place} is a command: expected a table, [{place}], with its options"
            )
    for name in names:
        if not common and name not in content:
            continue
        inner = command.get_command(context, name)
        path, table = (*words, name), content.get(name, {})
        if isinstance(inner, click.Group):
            _fill(found, inner, path, common, table)
        elif inner is not None:
            _defaults(found, inner, path, common, table)


def _defaults(
    found: SettingsFile,
    command: click.Command,
    words: tuple[str, ...],
    common: Mapping[str, Any],
    table: Mapping[str, Any],
) -> None:
    assert found.path is not None
    options = {key_of(option): option for option in settings(command)}
    taken: dict[str, Any] = {}
    for key, value in common.items():
        option = options.get(key)
        outdone = any(other in table for other in INSTEAD.get(key, ()))
        if option is not None and is_shared(option) and not outdone:
            taken[str(option.name)] = _checked(found.path, key, option, value)
            found.places[*words, key] = f"{COMMON}.{key}"
    for key, value in table.items():
        place = ".".join((*words, key))
        if key not in options:
            _refuse_unknown(found.path, place, key, options)
        taken[str(options[key].name)] = _checked(found.path, place, options[key], value)
        found.places[*words, key] = place
    inner = found.default_map
    for word in words:
        inner = inner.setdefault(word, {})
    inner.update(taken)


def _checked(path: Path, place: str, option: click.Option, value: Any) -> Any:
    """`value` as a flag would have given it, if it is of the option's kind."""
    values = value if option.multiple else [value]
    if not isinstance(values, list) or not all(_is_kind(option, one) for one in values):
        many = "a list, each item " if option.multiple else ""
        raise WronglyPut(f"{path}: {place} is {_shown(value)}; expected {many}{expected(option)}")
    if any(isinstance(one, str) and "\0" in one for one in values):
        raise WronglyPut(f"{path}: {place} has a null character in it; expected {expected(option)}")
    if isinstance(option.type, click.Path):
        values = [str(path.parent / one) for one in values]
    for one in values:
        try:
            option.type.convert(one, option, None)
        except click.BadParameter as error:
            raise WronglyPut(f"{path}: {place}: {error.message}") from None
    return values if option.multiple else values[0]


def _is_kind(option: click.Option, value: Any) -> bool:
    if option.is_flag:
        return isinstance(value, bool)
    if isinstance(option.type, click.types.IntParamType):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(option.type, click.types.FloatParamType):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _refuse_unknown(path: Path, place: str, key: str, known: Iterable[str]) -> None:
    """Name what is known and nearest; never repeat a value, which may be a secret."""
    known = sorted(known)
    if any(word in key.lower().replace("_", "-") for word in SECRET_WORDS):
        raise WronglyPut(
            f"{path}: {place}: keys and passwords have no place in a configuration; "
            'write the key into a file of its own and name it: key-file = "path"'
        )
    near = get_close_matches(key.replace("_", "-"), known, n=1)
    hint = f"did you mean {near[0]}?" if near else "expected one of " + ", ".join(known)
    raise WronglyPut(f"{path}: {place} is unknown; {hint}")
