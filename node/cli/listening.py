"""Where a process of ours listens: on loopback, unless its operator opens it to a network."""

from typing import TYPE_CHECKING

import click
import structlog

from node.cli.failures import WronglyPut
from node.cli.options import Command
from node.config import HOST

if TYPE_CHECKING:
    from node.rpc.server import RpcConfig

log = structlog.get_logger(__name__)


def listen_option(command: Command) -> Command:
    """--listen, the address of this machine to listen at."""
    return click.option(
        "--listen",
        metavar="ADDRESS",
        default=HOST,
        show_default=True,
        help="Where to listen. Beyond loopback everybody who reaches it may ask and send.",
    )(command)


def allow_host_option(command: Command) -> Command:
    """--allow-host, what others call this machine."""
    return click.option(
        "--allow-host",
        "hosts",
        multiple=True,
        metavar="NAME",
        help="A name by which others reach it, besides localhost; may be repeated.",
    )(command)


def rpc_config(listen: str, hosts: tuple[str, ...]) -> "RpcConfig":
    """The server's settings. WronglyPut where it would be open and answer to nobody."""
    from node.rpc.server import LOOPBACK_HOSTS, RpcConfig, is_loopback

    if not is_loopback(listen) and not hosts:
        raise WronglyPut(
            f"--listen {listen} leaves loopback: name with --allow-host what others call this "
            "machine, such as --allow-host sequencer; requests to other names are refused"
        )
    beyond = warn_beyond_loopback(listen)
    return RpcConfig(hosts=(*LOOPBACK_HOSTS, *hosts), may_leave_loopback=beyond)


def warn_beyond_loopback(listen: str) -> bool:
    """Whether `listen` is open to more than this machine; that is told in the log."""
    from node.rpc.server import is_loopback

    if is_loopback(listen):
        return False
    log.warning(
        "listening_beyond_loopback",
        address=listen,
        mend="it has no authentication: keep the network private, or put something in front",
    )
    return True
