"""`tallystick`: every command by name, loaded when it is used, so that the light ones are quick."""

from importlib import import_module

import click

COMMANDS = {
    "devnet": ("node.cli.devnet:devnet", "Run a whole venue on this machine."),
    "demo": ("node.cli.devnet:demo", "Play the whole story once over real sockets and exit."),
    "account": ("node.cli.readings:account", "Show cash, margin, positions and open orders."),
    "book": ("node.cli.readings:book", "Show the best prices of a market."),
    "markets": ("node.cli.readings:markets", "List the markets with their prices and rules."),
    "status": ("node.cli.readings:status", "Show how far a node has come, and what ails it."),
    "batch": ("node.cli.batches:batch", "Look at batches."),
    "deposit": ("node.cli.money:deposit", "Move USDC from L1 into an account."),
    "withdraw": ("node.cli.money:withdraw", "Move USDC out of an account to L1, and claim it."),
    "transfer": ("node.cli.transfer:transfer", "Move cash between subaccounts of one owner."),
    "order": ("node.cli.orders:order", "Place, amend and cancel orders."),
    "block": ("node.cli.block:block", "Agree on a block trade: two sign, one sends."),
    "key": ("node.cli.key:key", "Session keys, and handing accounts over."),
    "market": ("node.cli.market:market", "List markets and change their parameters, through L1."),
    "journal": ("node.cli.journals:journal", "Check a sequencer's journal."),
    "l1": ("node.cli.processes:l1", "Run the embedded L1 devnet."),
    "sequence": ("node.cli.processes:sequence", "Run the sequencer."),
    "follow": ("node.cli.processes:follow", "Rebuild the venue from L1 alone."),
    "claim": ("node.cli.processes:claim", "Claim what batches led to, and settle the claims."),
    "simulate": ("node.cli.simulate:simulate", "Let everything go wrong, in virtual time."),
    "bots": ("node.cli.processes:bots", "Publish prices and make markets on a devnet."),
}
"""Where each command is, and its line in the list."""


class Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, name = place[0].split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"auto_envvar_prefix": "TALLYSTICK"})
@click.version_option(package_name="tallystick", prog_name="tallystick")
def tallystick() -> None:
    """A Layer 2 rollup node for a derivatives venue.

    Every option can be set in the environment: TALLYSTICK_BOOK_RPC is book's --rpc.
    Amounts are in coins and dollars. Exit code 2: the command was put wrongly; 1: it failed.
    """


def main() -> None:
    """The console script."""
    if not __debug__:
        raise SystemExit(
            "error: tallystick checks itself by assertions; run it without python -O and "
            "without PYTHONOPTIMIZE"
        )
    # The console script puts nothing before the installed packages; `python -P -m` neither.
    tallystick(prog_name="tallystick")


if __name__ == "__main__":
    main()
