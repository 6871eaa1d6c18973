"""What a batch leaves of money and lots: the figures of an output, claimed or executed."""

from msgspec import Struct

from state.batch import Output
from state.machine import Machine


class Figures(Struct, frozen=True, kw_only=True):
    """Sums over the whole venue after a batch. Money in nano-USD, positions in lots."""

    deposited: int
    withdrawn: int
    cash: int
    pools: int
    insurance: int
    fees: int
    bad_debt: int
    dust: int
    long_lots: int
    short_lots: int

    @property
    def held(self) -> int:
        """What must be `deposited`: cash + pools + insurance + fees + withdrawn."""
        return self.cash + self.pools + self.insurance + self.fees + self.withdrawn

    @property
    def is_conserved(self) -> bool:
        """deposited = cash + pools + insurance + fees + withdrawn, and longs = shorts."""
        return self.held == self.deposited and self.long_lots == self.short_lots


def figures_of_output(output: Output) -> Figures:
    """What a claim's statement says."""
    return Figures(**{name: getattr(output, name) for name in Figures.__struct_fields__})


def figures_of_machine(machine: Machine) -> Figures:
    """What the machine says as it stands after HALT."""
    sums = {name: getattr(machine.sums, name) for name in machine.sums.__struct_fields__}
    return Figures(deposited=machine.deposited, withdrawn=machine.withdrawn, **sums)
