"""`tallystick`: every command by name, loaded when it is used, so that the light ones are quick."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from node.cli.examples import EXAMPLES
from node.cli.schema import PREFIX, key_of, name_variables, variables_of

FILE_NAME = "tallystick.toml"

COMMANDS = {
    "devnet": ("node.cli.devnet:devnet", "Run a whole venue on this machine."),
    "demo": ("node.cli.devnet:demo", "Play the whole story once over real sockets and exit."),
    "deploy": ("node.cli.deploy:deploy", "Put a venue on L1, and write down where it is."),
    "account": ("node.cli.readings:account", "Show cash, margin, positions and open orders."),
    "book": ("node.cli.readings:book", "Show the best prices of a market."),
    "markets": ("node.cli.readings:markets", "List the markets with their prices and rules."),
    "trades": ("node.cli.past:trades", "Show the last trades of a market."),
    "candles": ("node.cli.past:candles", "Show what a market traded at, stretch by stretch."),
    "fills": ("node.cli.past:fills", "Show the last fills of an account."),
    "orders": ("node.cli.past:orders", "Show the last orders of an account, and their fate."),
    "positions": ("node.cli.past:positions", "Show entry prices, profit and fees."),
    "status": ("node.cli.readings:status", "Show how far a node has come, and what ails it."),
    "watch": ("node.cli.watch:watch", "Show book, trades, heads and an account as they change."),
    "batch": ("node.cli.batches:batch", "Look at batches."),
    "deposit": ("node.cli.money:deposit", "Move USDC from L1 into an account."),
    "withdraw": ("node.cli.money:withdraw", "Move USDC out of an account to L1, and claim it."),
    "transfer": ("node.cli.transfer:transfer", "Move cash between subaccounts of one owner."),
    "order": ("node.cli.orders:order", "Place, amend and cancel orders."),
    "block": ("node.cli.block:block", "Agree on a block trade: two sign, one sends."),
    "key": ("node.cli.key:key", "Session keys, and handing accounts over."),
    "market": ("node.cli.market:market", "List markets and change their parameters, through L1."),
    "doctor": ("node.cli.doctor:doctor", "Look at what a venue needs, and how to mend it."),
    "journal": ("node.cli.journals:journal", "Check a sequencer's journal."),
    "replay": ("node.cli.replaying:replay", "Execute batches from L1 alone; check the claims."),
    "trace": ("node.cli.tracing:trace", "Show a batch step by step, root by root."),
    "witness": ("node.cli.tracing:witness", "Show what one step touches, with its proof."),
    "prove": ("node.cli.tracing:prove", "Run one step from its proof, also on L1."),
    "l1": ("node.cli.processes:l1", "Run the embedded L1 devnet."),
    "sequence": ("node.cli.processes:sequence", "Run the sequencer."),
    "follow": ("node.cli.processes:follow", "Rebuild the venue from L1 alone."),
    "claim": ("node.cli.processes:claim", "Claim what batches led to, and settle the claims."),
    "challenge": ("node.cli.challenging:challenge", "Have wrong claims lose on L1."),
    "dispute": ("node.cli.disputes:dispute", "Look at disputes, and play them by hand."),
    "bench": ("node.cli.bench:bench", "Measure what this machine makes of the venue."),
    "parity": ("node.cli.parity:parity", "Hold the contracts of L1 to the rules, by chance."),
    "gas": ("node.cli.gas:gas", "Measure what a step costs on L1, at its worst."),
    "simulate": ("node.cli.simulate:simulate", "Let everything go wrong, in virtual time."),
    "games": ("node.cli.games:games", "Play disputes against liars, by chance."),
    "config": ("node.cli.configuration:config", "Show the configuration, and where it is from."),
    "completion": ("node.cli.completion:completion", "Print a shell's completion script."),
    "bots": ("node.cli.processes:bots", "Publish prices and make markets on a devnet."),
    "propose-evil": ("node.cli.evil:propose_evil", "Lie on L1, for drills on a devnet alone."),
}
"""Where each command is, and its line in the list."""


SECTIONS = {
    "Run a venue": (
        *("devnet", "demo", "deploy", "l1", "sequence", "follow", "claim", "challenge", "bots"),
        "propose-evil",
    ),
    "Trade": ("order", "block", "key"),
    "Money": ("deposit", "withdraw", "transfer"),
    "Look": ("account", "book", "markets", "market", "status", "watch", "batch"),
    "Look back": ("trades", "candles", "fills", "orders", "positions"),
    "Check and prove": (
        *("replay", "trace", "witness", "prove", "dispute"),
        *("parity", "gas", "doctor", "bench", "journal", "simulate", "games"),
    ),
    "Configure": ("config", "completion"),
}
"""The list's headings; a command of none stands under the last of its kind, `More`."""


NODES = frozenset({"devnet", "demo", "sequence", "follow", "claim", "challenge"})
"""Commands that run a node, and do so only with the libraries that make it fast."""


class Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        if cmd_name in NODES:
            refuse_unfit()
        module, name = place[0].split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        name_variables(command, (cmd_name,))
        add_examples(command, cmd_name)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        placed = {name for names in SECTIONS.values() for name in names}
        more = tuple(name for name in COMMANDS if name not in placed)
        for title, names in (*SECTIONS.items(), ("More", more)):
            rows = [(name, COMMANDS[name][1]) for name in names if name in COMMANDS]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; a wrong value is told with the variable that holds it."""
        try:
            return super().invoke(ctx)
        except click.BadParameter as error:
            name_variable(error)
            raise


def name_variable(error: click.BadParameter) -> None:
    """Have `error` name the environment's variable, where the value came from there."""
    option, context = error.param, error.ctx
    if not isinstance(option, click.Option) or context is None or option.name is None:
        return
    if context.get_parameter_source(option.name) is ParameterSource.ENVIRONMENT:
        held = next(name for name in variables_of(option) if os.environ.get(name))
        error.param_hint = f"'--{key_of(option)}' (environment variable {held})"


def refuse_unfit() -> None:
    """End the process where this machine's libraries would make a slow node, or a wrong one."""
    from node.preflight import NotFit, require

    try:
        require()
    except NotFit as error:
        raise SystemExit(f"error: {error}") from None


def add_examples(command: click.Command, words: str) -> None:
    """End the help of `command`, and of those in it, with its examples."""
    if words in EXAMPLES:
        lines = "\n".join(f"  tallystick {example}" for example in EXAMPLES[words])
        command.epilog = f"\b\nExamples:\n{lines}"
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            add_examples(inner, f"{words} {name}")


@click.command(cls=Commands)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar=f"{PREFIX}_CONFIG",
    help="A TOML file with values for options; else tallystick.toml in the working directory.",
)
@click.version_option(package_name="tallystick", prog_name="tallystick")
@click.pass_context
def tallystick(context: click.Context, config: Path | None) -> None:
    """A Layer 2 rollup node for a derivatives venue.

    Each option can be a flag, a variable (TALLYSTICK_BOOK_DEPTH is book's --depth, TALLYSTICK_RPC
    everybody's --rpc) or a line of a TOML file, in this order; `tallystick config` tells.
    Amounts are in coins and dollars. Exit code 2: the command was put wrongly; 1: it failed.
    """
    found = find(config)
    if found is None:
        return
    from node.cli.settings_file import load

    assert isinstance(context.command, click.Group)
    context.obj = load(found, context.command)
    context.default_map = context.obj.default_map


def find(chosen: Path | None) -> Path | None:
    """The configuration file that is named, or that of the working directory, or none."""
    here = Path(FILE_NAME)
    return chosen or (here if here.is_file() else None)


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
