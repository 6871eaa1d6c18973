"""Options that several commands share, named and explained once."""

import math
import os
import shlex
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from node.cli.failures import WronglyPut
from node.config import L1_URL, SEQUENCER_URL
from state.limits import TIME_MAX

SUBACCOUNTS = 256
"""An owner number has so many, from 0."""

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]


def rpc_option(command: Command) -> Command:
    """--rpc, the node that is asked."""
    return click.option(
        "--rpc",
        "rpc_url",
        type=URL,
        metavar="URL",
        default=SEQUENCER_URL,
        show_default=True,
        envvar="TALLYSTICK_RPC",
        help="The JSON-RPC of a sequencer or follower.",
    )(command)


def l1_option(command: Command) -> Command:
    """--l1, the Ethereum endpoint."""
    return click.option(
        "--l1",
        "l1_url",
        type=URL,
        metavar="URL",
        default=L1_URL,
        show_default=True,
        envvar="TALLYSTICK_L1",
        help="The Ethereum JSON-RPC of L1.",
    )(command)


def json_option(command: Command) -> Command:
    """--json, for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def subaccount_option(command: Command) -> Command:
    """--subaccount, which of the signer's accounts."""
    return click.option(
        "--subaccount",
        type=click.IntRange(0, SUBACCOUNTS - 1),
        default=0,
        show_default=True,
        envvar="TALLYSTICK_SUBACCOUNT",
        help="Which of the owner's accounts.",
    )(command)


def _people(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """The devnet's names and roles that begin so, for a shell's completion."""
    from node.devnet.people import ROLES
    from node.l1.accounts import dev_accounts

    names = (*(account.name for account in dev_accounts()), *ROLES)
    return [name for name in names if name.startswith(begun)]


def signer_options(command: Command) -> Command:
    """--from or --key-file, who signs."""
    named = click.option(
        "--from",
        "name",
        metavar="NAME",
        envvar="TALLYSTICK_FROM",
        shell_complete=_people,
        help="A devnet account, such as alice: it signs.",
    )
    kept = click.option(
        "--key-file",
        type=KEY_FILE,
        envvar="TALLYSTICK_KEY_FILE",
        help="A file that holds the private key to sign with, as hex.",
    )
    return named(kept(command))


def rollup_option(command: Command) -> Command:
    """--rollup, the venue's contract."""
    return click.option(
        "--rollup",
        type=ADDRESS,
        envvar="TALLYSTICK_ROLLUP",
        help="The rollup's address on L1.",
    )(command)


def deployment_option(command: Command) -> Command:
    """--deployment, which names the rollup in its place."""
    return click.option(
        "--deployment",
        type=click.Path(path_type=Path),
        envvar="TALLYSTICK_DEPLOYMENT",
        help="The file that `tallystick deploy` wrote, instead of --rollup.",
    )(command)


def rollup_meant(rollup: bytes | None, deployment: Path | None) -> bytes:
    """The rollup that --rollup or --deployment names. WronglyPut without exactly one of them."""
    if rollup is not None and deployment is not None:
        nearer = stronger("rollup", "deployment")
        rollup = rollup if nearer != "deployment" else None
        deployment = deployment if nearer != "rollup" else None
    if (rollup is None) == (deployment is None):
        raise WronglyPut("say which venue: either --rollup ADDRESS or --deployment FILE")
    if rollup is not None:
        return rollup
    from node.deploy import read_deployment

    assert deployment is not None
    return read_deployment(deployment).rollup


def repeated(*names: str) -> str:
    """Those of these parameters that were typed, as the next command needs them again."""
    context = click.get_current_context()
    flags = []
    for param in context.command.params:
        source = context.get_parameter_source(str(param.name))
        if param.name in names and source is ParameterSource.COMMANDLINE:
            value = shlex.quote(str(context.params[param.name]))
            flags.append(f" {max(param.opts, key=len)} {value}")
    return "".join(flags)


def stronger(one: str, other: str) -> str | None:
    """Of two parameters that exclude each other, the one from nearer: flag, variable, file."""
    context = click.get_current_context(silent=True)
    if context is None:
        return None
    sources = context.get_parameter_source(one), context.get_parameter_source(other)
    if sources[0] is None or sources[1] is None or sources[0] == sources[1]:
        return None
    return one if sources[0] < sources[1] else other


def process_options(command: Command) -> Command:
    """How a supervisor starts a process of ours; nobody types these."""
    ready = click.option("--ready-file", type=click.Path(path_type=Path), hidden=True)
    orphan = click.option("--until-stdin-closes", is_flag=True, hidden=True)
    return ready(orphan(command))


def read_address(text: str) -> bytes:
    """20 bytes from 0x-hex. WronglyPut where it is none."""
    digits = text.removeprefix("0x")
    try:
        address = bytes.fromhex(digits)
    except ValueError:
        address = b""
    if len(address) != 20 or len(digits) != 40:
        raise WronglyPut(f"{text!r} is no address: write 0x and 40 hex digits")
    return address


class Address(click.ParamType[bytes]):
    """20 bytes as 0x-hex."""

    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            return read_address(str(value))
        except WronglyPut as refusal:
            self.fail(refusal.message, param, ctx)


class Url(click.ParamType[str]):
    """An endpoint over HTTP."""

    name = "url"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        try:
            parts = urlsplit(text)
            is_endpoint = parts.scheme in ("http", "https") and bool(parts.hostname)
            is_endpoint = is_endpoint and parts.port != 0
        except ValueError:
            is_endpoint = False
        if not is_endpoint:
            self.fail(f"{text!r} is no endpoint: write http://host:port", param, ctx)
        return text


class KeyFile(click.Path):
    """The path of a file that holds a private key. The key itself is refused, and not repeated."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        name = Path(value).name.removeprefix("0x")
        if len(name) == 64 and all(digit in string.hexdigits for digit in name):
            self.fail("a private key stands where a file is named; write it into one", param, ctx)
        return super().convert(value, param, ctx)


class Finite(click.FloatRange):
    """A number within a range: neither infinite nor none, which compare with no bound."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


ADDRESS = Address()
KEY_FILE = KeyFile()
URL = Url()
PORT = click.IntRange(0, 65_535)
SECONDS = Finite(min=0, min_open=True)
DELAY = click.IntRange(1, TIME_MAX)
"""Whole seconds that a contract counts."""


def signature_workers_option(command: Command) -> Command:
    """--signature-workers, how many processes look at signatures."""
    return click.option(
        "--signature-workers",
        type=click.IntRange(0, 64),
        default=max(1, (os.cpu_count() or 1) - 1),
        show_default="one for each core but one",
        help="Processes that recover signers ahead of the rules; 0 does it in this one.",
    )(command)


account_option = click.option(
    "--account",
    "number",
    type=click.IntRange(0, 2**32 - 1),
    help="Sign for this account with a session key of it.",
)
client_id_option = click.option(
    "--client-id", help="Your own name for it, up to 36 characters; it names one order only."
)
