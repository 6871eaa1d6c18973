"""How what became of an order is told."""

from collections.abc import Sequence

from node.cli.options import repeated
from node.cli.output import console, money
from node.rpc.order_results import BatchItem, OrderStanding
from node.rpc.results import FillSummary, SubmitReceipt


def show_receipt(receipt: SubmitReceipt, side: str) -> None:
    """The fills, where the order stands, and how to cancel what rests."""
    screen = console()
    for fill in receipt.fills:
        screen.print(_fill(fill, "bought" if side == "buy" else "sold"))
    assert receipt.order is not None, "the receipt of an order names it"
    again = " (sent before; this is what became of it)" if receipt.resubmission else ""
    name = f"{receipt.order.epoch}:{receipt.order.sequence}"
    screen.print(f"order {name}: {receipt.message}{again}")
    if receipt.resting_lots:
        same = repeated("name", "key_file", "number", "subaccount", "rpc_url")
        cancel_it = f"tallystick order cancel {_name(receipt)}{same}"
        screen.print(f"{receipt.remaining_size} rests; to cancel it: {cancel_it}")


def show_items(items: Sequence[BatchItem], sides: Sequence[str]) -> int:
    """What became of each of several orders; how many were refused."""
    refused = 0
    for number, (item, side) in enumerate(zip(items, sides, strict=True), 1):
        if item.result is not None:
            show_receipt(item.result, side)
        else:
            assert item.error is not None
            mend = item.error.get("data", {}).get("mend", "")
            console().print(f"line {number}: {item.error['message']}; {mend}")
            refused += 1
    return refused


def standing_words(found: OrderStanding, name: str) -> str:
    """Where an order stands, in a line."""
    filled = f", filled {found.filled_size}" if found.filled_size else ""
    rests = f", {found.resting.size} open at {found.resting.price}" if found.resting else ""
    return f"order {name}: {found.standing}{filled}{rests}"


def _fill(fill: FillSummary, did: str) -> str:
    return f"{did} {fill.size} {fill.symbol} at {fill.price}, fee {money(fill.taker_fee)} USD"


def _name(receipt: SubmitReceipt) -> str:
    assert receipt.order is not None
    sequence = str(receipt.order.sequence)
    return sequence if not receipt.order.epoch else f"{receipt.order.epoch}:{sequence}"
