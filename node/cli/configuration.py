"""`config`: what every option would be, where that comes from, and how to write it down."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from node.cli.failures import WronglyPut
from node.cli.options import json_option
from node.cli.output import console, print_json, table
from node.cli.schema import (
    default_of,
    expected,
    is_shared,
    key_of,
    leaves,
    settings,
    variables_of,
)
from node.cli.settings_file import COMMON, SHARED, SettingsFile


@click.group()
def config() -> None:
    """Show the configuration: flag, then environment, then TOML file, then default."""


@config.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [OPTIONS]...")
@json_option
@click.pass_context
def show(context: click.Context, words: tuple[str, ...], as_json: bool) -> None:
    """Show what each option of COMMAND, or of all, would be, and where its value comes from."""
    found = list(_effective(context.find_root(), words))
    if as_json:
        print_json(
            [
                {"command": command, "option": key, "value": value, "origin": origin}
                for command, key, value, origin in found
            ]
        )
        return
    rows = [
        (command, key, "-" if value is None else str(value), origin)
        for command, key, value, origin in found
    ]
    console().print(table("Configuration", ("command", "option", "value", "from"), rows))


@config.command()
@json_option
@click.pass_context
def path(context: click.Context, as_json: bool) -> None:
    """Print which file is read."""
    settings_file = context.find_root().obj
    if as_json:
        is_read = isinstance(settings_file, SettingsFile)
        print_json({"path": str(settings_file.path) if is_read else None})
    elif isinstance(settings_file, SettingsFile):
        click.echo(settings_file.path)
    else:
        click.echo("no file: there is no tallystick.toml here, and --config names none")


@config.command()
@click.pass_context
def example(context: click.Context) -> None:
    """Print a TOML file with every option at its default."""
    root = context.find_root().command
    for line in example_lines(root):
        click.echo(line)


def _effective(root: click.Context, words: tuple[str, ...]) -> Iterator[tuple[str, str, Any, str]]:
    """Command, option, value and origin of everything that `words` mean."""
    context, rest = root, list(words)
    while rest and isinstance(context.command, click.Group):
        if rest[0] not in context.command.list_commands(context):
            known = ", ".join(context.command.list_commands(context))
            raise WronglyPut(f"there is no command {' '.join(words)!r}; expected one of {known}")
        context = _inner(context, rest.pop(0))
    given = _given(context, rest)
    for path, command in leaves(context.command):
        called = context
        for name in path:
            called = _inner(called, name)
        place = tuple(called.command_path.removeprefix(root.command_path).split())
        for option in settings(command):
            yield " ".join(place), key_of(option), *_value(root, called, option, place, given)


def _inner(context: click.Context, name: str) -> click.Context:
    """The context of a command in a group, as click makes it before it parses."""
    assert isinstance(context.command, click.Group)
    command = context.command.get_command(context, name)
    assert command is not None, name
    return click.Context(command, parent=context, info_name=name)


def _given(context: click.Context, flags: list[str]) -> dict[str, Any]:
    """What flags say, as far as they are the command's; its arguments need not be there."""
    if isinstance(context.command, click.Group):
        return {}
    parsed, _, _ = context.command.make_parser(context).parse_args(args=list(flags))
    return parsed


def _value(
    root: click.Context,
    context: click.Context,
    option: click.Option,
    place: tuple[str, ...],
    given: dict[str, Any],
) -> tuple[Any, str]:
    """The value of `option` as it would be used, and where it comes from."""
    raw, source = option.consume_value(context, given)
    context.set_parameter_source(str(option.name), source)
    value = _plain(option.process_value(context, raw)) if source is not DEFAULT else None
    key = key_of(option)
    if source is ParameterSource.COMMANDLINE:
        return value, "flag"
    if source is ParameterSource.ENVIRONMENT:
        return value, next(name for name in variables_of(option) if os.environ.get(name))
    if source is ParameterSource.DEFAULT_MAP:
        assert isinstance(root.obj, SettingsFile)
        return value, f"{root.obj.path}:{root.obj.places[*place, key]}"
    return default_of(option), "default"


DEFAULT = ParameterSource.DEFAULT


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def example_lines(root: click.Command) -> Iterator[str]:
    """TOML with every option: set to its default, or commented out where it has none."""
    yield "# Every option of tallystick at its default. Flags and variables go before this file;"
    yield "# paths are relative to its folder, and a key is named by its file, never written here."
    yield f"\n# For every command that has them.\n[{COMMON}]"
    for option in SHARED.values():
        yield from _option_lines(option)
    for path, command in leaves(root):
        own = [option for option in settings(command) if not is_shared(option)]
        if own:
            yield f"\n[{'.'.join(path)}]"
        for option in own:
            yield from _option_lines(option)


def _option_lines(option: click.Option) -> Iterator[str]:
    """The option's line, below what it is for."""
    words = f"{option.help or ''} Expected: {expected(option)}.".strip()
    yield f"# {words}"
    value = default_of(option)
    if value is None:
        yield f"# {key_of(option)} ="
    else:
        yield f"{key_of(option)} = {msgspec.json.encode(_plain(value)).decode()}"
