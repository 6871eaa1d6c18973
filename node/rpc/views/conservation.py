"""Conservation: what a batch left of money and lots, in USD, with its verdict."""

from node.conservation import Figures
from node.rpc.amounts import usd
from node.rpc.conservation_results import Conservation

CONSERVED = "conserved"


def conservation(figures: Figures) -> Conservation:
    """The figures in USD and lots, with their verdict."""
    return Conservation(
        deposited=usd(figures.deposited),
        cash=usd(figures.cash),
        pools=usd(figures.pools),
        insurance=usd(figures.insurance),
        fees=usd(figures.fees),
        withdrawn=usd(figures.withdrawn),
        held=usd(figures.held),
        bad_debt=usd(figures.bad_debt),
        dust=usd(figures.dust),
        long_lots=str(figures.long_lots),
        short_lots=str(figures.short_lots),
        conserved=figures.is_conserved,
        verdict=_verdict(figures),
    )


def _verdict(figures: Figures) -> str:
    faults = []
    if figures.held != figures.deposited:
        over = figures.held - figures.deposited
        which = "more" if over > 0 else "less"
        faults.append(f"{usd(abs(over))} USD {which} is held or withdrawn than was deposited")
    if figures.long_lots != figures.short_lots:
        faults.append(f"{figures.long_lots} lots long are not {figures.short_lots} lots short")
    return "; ".join(faults) or CONSERVED
