"""The options of all commands as the one schema of flags, environment and configuration file.

A key is the long flag without its dashes. What several commands share has a variable of its
own, such as TALLYSTICK_RPC, and stands at the top of the file; a command's own variable, such as
TALLYSTICK_BOOK_RPC, and its own table go before them.
"""

from collections.abc import Iterator
from typing import Any

import click

PREFIX = "TALLYSTICK"


def key_of(option: click.Option) -> str:
    """`batch-seconds` for --batch-seconds."""
    return max(option.opts, key=len).lstrip("-")


def variable(*words: str) -> str:
    """TALLYSTICK_ORDER_PLACE_LIFE for order, place, life."""
    return "_".join((PREFIX, *words)).replace("-", "_").upper()


def variables_of(option: click.Option) -> tuple[str, ...]:
    """The variables that set it, the strongest first."""
    declared = option.envvar or ()
    return (declared,) if isinstance(declared, str) else tuple(declared)


def is_shared(option: click.Option) -> bool:
    """Whether one value may be meant for every command that has it."""
    return variable(key_of(option)) in variables_of(option)


def settings(command: click.Command) -> list[click.Option]:
    """What configuration may say to a command; hidden options are for our own processes."""
    return [
        param
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden and param.expose_value
    ]


def name_variables(command: click.Command, path: tuple[str, ...]) -> None:
    """Give every option of `command`, and of those in it, its variables. Repeating is harmless."""
    for option in settings(command):
        own, declared = variable(*path, key_of(option)), variables_of(option)
        option.envvar = (own, *(name for name in declared if name != own))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            name_variables(inner, (*path, name))


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None, name
        yield from leaves(inner, (*path, name))


def expected(option: click.Option) -> str:
    """What a value of it looks like, in words."""
    kind = option.type
    if option.is_flag:
        return "true or false"
    if isinstance(kind, click.IntRange | click.FloatRange):
        return f"{_number(kind)}{_range(kind)}"
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return _number(kind)
    if isinstance(kind, click.Choice):
        return "one of " + ", ".join(f'"{choice}"' for choice in kind.choices)
    names = {"path": "the path of a file or folder", "url": '"http://host:port"'}
    names["address"] = '"0x" and 40 hex digits'
    return names.get(kind.name, "text in quotes")


def _number(kind: click.ParamType[Any]) -> str:
    return "a whole number" if isinstance(kind, click.types.IntParamType) else "a number"


def _range(kind: click.IntRange | click.FloatRange) -> str:
    if kind.min is None:
        return "" if kind.max is None else f" up to {kind.max}"
    if kind.max is None:
        return f" above {kind.min}" if kind.min_open else f", at least {kind.min}"
    return f" from {kind.min} to {kind.max}"


def default_of(option: click.Option) -> Any:
    """The value where nothing else says one; None where there is none."""
    found = option.to_info_dict()["default"]
    return None if callable(found) or found in ((), []) else found
