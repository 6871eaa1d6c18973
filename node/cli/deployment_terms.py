"""What a deployment fixes for ever, as options of `tallystick deploy`."""

from typing import Any

import click
from msgspec import Struct
from msgspec.structs import asdict

from contracts.calls import Parameters
from contracts.disputes import PUBLISHED_STEPS_MAX, DisputeParameters
from node.cli.failures import WronglyPut
from node.cli.options import DELAY
from node.config import DevnetConfig
from prover.dispute.terms import FAST, MAINNET_LIKE, DisputeTerms, SettlementTerms, faults

DEFAULTS = DevnetConfig()
WEI = click.IntRange(1, 2**128 - 1)
PARAMETERS = {
    "inbox_delay": (DELAY, "Seconds until a batch must take what L1's inbox holds."),
    "force_delay": (DELAY, "Seconds until anybody may force the inbox in."),
    "time_lag_max": (DELAY, "Seconds that a batch's time may lag behind L1's."),
    "claim_window": (DELAY, "Seconds that a claim can be contested."),
    "claim_bond": (WEI, "Wei that a claim puts at stake."),
    "parameter_delay": (DELAY, "Seconds of notice before a market changes."),
}


DISPUTES = {
    "clock": (DELAY, "Seconds that each side of a match has for all its moves."),
    "move_time": (DELAY, "Seconds that it has for a move, however little is left of its clock."),
    "entry_time": (DELAY, "Seconds left to enter a dispute for whoever claims last."),
    "entry_bond": (WEI, "Wei that an entry into a dispute puts at stake."),
    "base_fee_cap": (WEI, "Wei a gas above which nobody is paid for moves."),
    "published_steps": (
        click.IntRange(0, PUBLISHED_STEPS_MAX),
        "Steps of a batch up to which an entry publishes all its roots.",
    ),
}


def parameter_options(command: Any) -> Any:
    """What a deployment fixes for ever, each with a devnet's value."""
    usual = asdict(DEFAULTS.parameters) | asdict(FAST.dispute) | {"entry_time": FAST.entry_time}
    for name, (kind, words) in reversed((PARAMETERS | DISPUTES).items()):
        command = click.option(
            "--" + name.replace("_", "-"),
            type=kind,
            default=usual[name],
            show_default=True,
            help=words,
        )(command)
    return command


class Terms(Struct, frozen=True):
    """Of the rollup, and of the contract that decides its disputes."""

    rollup: Parameters
    disputes: DisputeParameters


def terms_of(given: dict[str, int]) -> Terms:
    """What the options of `parameter_options` were put to."""
    rollup = Parameters(**{name: given[name] for name in PARAMETERS})
    disputes = {name: given[name] for name in DISPUTES if name != "entry_time"}
    entry_window = rollup.claim_window + given["entry_time"]
    height = FAST.dispute.height
    return Terms(rollup, DisputeParameters(height=height, entry_window=entry_window, **disputes))


def check_sound(terms: Terms) -> None:
    """WronglyPut with every rule of docs/disputes.md, section 4, that the terms break."""
    found = faults(
        SettlementTerms(
            claim_window=terms.rollup.claim_window,
            claim_bond=terms.rollup.claim_bond,
            dispute=DisputeTerms(**asdict(terms.disputes)),
            retention=MAINNET_LIKE.retention,
        )
    )
    if found:
        raise WronglyPut("; ".join(found))
