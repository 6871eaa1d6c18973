"""Reports of what was measured against bounds, for people and for programs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Group
from rich.text import Text

from node.cli.failures import Failure
from node.cli.output import console, good, print_json, table

if TYPE_CHECKING:
    from node.parity.gas import Bound


class Measured(Protocol):
    """What was measured, and what it may be."""

    @property
    def bounds(self) -> Sequence["Bound"]: ...

    @property
    def broken(self) -> list[str]:
        """In words: what is larger than it may be."""
        ...

    def facts(self) -> dict[str, Any]:
        """For programs."""
        ...


def tell(report: Measured, tables: Sequence[Group], as_json: bool) -> None:
    """Print a report, its bounds behind its `tables`. Failure where a bound is broken."""
    if as_json:
        print_json(report.facts())
    else:
        parts = (*tables, _bounds(report.bounds))
        console().print(Group(*(part for one in parts for part in (one, Text()))))
    if report.broken:
        raise Failure(f"{len(report.broken)} bounds are broken: {'; '.join(report.broken)}")


def _bounds(bounds: Sequence["Bound"]) -> Group:
    rows = [
        (bound.what, f"{bound.reached:,}", f"{bound.at_most:,}", good(bound.is_held, "yes", "no"))
        for bound in bounds
    ]
    return table("Bounds", ("of", ">reached", ">at most", "held"), rows)
