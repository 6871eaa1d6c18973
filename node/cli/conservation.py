"""What conserves the venue's money, for a terminal: as executed beside every claim."""

from collections.abc import Iterator
from typing import Any

from node.cli.output import Cell, good, money, short, table
from node.rpc.conservation_results import BatchClaims, ClaimOnBatch, Conservation
from node.rpc.views.conservation import CONSERVED

_MONEY = (
    ("cash", "cash"),
    ("pools", "pools"),
    ("insurance", "insurance"),
    ("fees", "fees"),
    ("withdrawn", "withdrawn"),
    ("= held", "held"),
    ("deposited", "deposited"),
    ("bad debt", "bad_debt"),
    ("dust", "dust"),
)
_LOTS = (("long lots", "long_lots"), ("short lots", "short_lots"))
NO_CLAIMS = (
    "Claims: this node follows none; ask a follower by --rpc, or check them by `tallystick replay`"
)
UNKNOWN = "not known"


def conservation_tables(found: BatchClaims) -> Iterator[Any]:
    """The figures side by side, then every claim with what is wrong with it."""
    sides = [one.conservation for one in found.claims]
    columns = ("USD and lots", ">executed", *(f">{short(_hex(one.claim))}" for one in found.claims))
    rows = [*_figures([found.executed, *sides]), *_withdrawals(found)]
    yield table(f"Conservation of batch {found.batch}", columns, rows)
    if not found.followed:
        yield NO_CLAIMS
    elif not found.claims:
        yield "Claims: none"
    else:
        heads = ("claim", "status", ">claimed at", "claimant", "verdict")
        yield table("Claims", heads, [_claim(one) for one in found.claims])


def _figures(sides: list[Conservation | None]) -> Iterator[list[Cell]]:
    for name, field in _MONEY:
        yield [name, *(UNKNOWN if one is None else money(getattr(one, field)) for one in sides)]
    for name, field in _LOTS:
        yield [name, *(UNKNOWN if one is None else getattr(one, field) for one in sides)]
    yield ["verdict", *(UNKNOWN if one is None else _verdict(one) for one in sides)]


def _verdict(side: Conservation) -> Cell:
    return good(side.conserved, CONSERVED, side.verdict)


def _withdrawals(found: BatchClaims) -> Iterator[list[Cell]]:
    """What L1 has paid is the same whatever is claimed, so it stands under `executed` alone."""
    if found.paid is None:
        return
    nothing = [""] * len(found.claims)
    yield ["paid on L1", money(found.paid), *nothing]
    pending = UNKNOWN if found.pending is None else money(found.pending)
    yield ["pending withdrawals", pending, *nothing]


def _claim(one: ClaimOnBatch) -> list[Cell]:
    wrong = "; ".join(
        f"{each.field} is {each.claimed}, executed {each.executed}" for each in one.differences
    )
    return [
        *(_hex(one.claim), one.status, str(one.claimed_at), _hex(one.claimant)),
        good(one.right, "right", f"wrong: {wrong}"),
    ]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
