"""What an order may say beside market, side and size, as options of a command."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from state.eip712 import LIVES, SELF_TRADES
from state.limits import TIME_MAX

Command = TypeVar("Command", bound=Callable[..., Any])

TERMS = (
    click.option("--price", help="Dollars a coin; a market order where it is left out."),
    click.option(
        "--life", type=click.Choice(list(LIVES.values())), help="GTC, or IOC at the market."
    ),
    click.option("--reduce-only", is_flag=True, help="Only ever make the position smaller."),
    click.option(
        "--self-trade",
        type=click.Choice(list(SELF_TRADES.values())),
        default="cancel-resting",
        show_default=True,
        help="What goes where it meets an order of the same account.",
    ),
    click.option("--expiry", type=click.IntRange(0, TIME_MAX), help="Seconds since 1970."),
)


def order_terms(command: Command) -> Command:
    """--price, --life, --reduce-only, --self-trade and --expiry, in this order."""
    for option in reversed(TERMS):
        command = option(command)
    return command
