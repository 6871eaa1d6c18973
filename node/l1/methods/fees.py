"""What a transaction should pay."""

from typing import Any

from node.l1 import fees
from node.l1.blocks import Block
from node.l1.devnet import Devnet
from node.l1.encoding import quantity, read_number
from node.l1.jsonrpc import InvalidParams, Method
from node.l1.methods.selection import PENDING, Selection

HISTORY_MAX = 1_024


class FeeMethods:
    def __init__(self, devnet: Devnet, selection: Selection) -> None:
        self._devnet = devnet
        self._selection = selection

    def table(self) -> dict[str, Method]:
        return {
            "eth_gasPrice": self.gas_price,
            "eth_maxPriorityFeePerGas": self.max_priority_fee,
            "eth_feeHistory": self.fee_history,
            "eth_baseFee": self.base_fee,
            "eth_blobBaseFee": self.blob_base_fee,
        }

    def gas_price(self) -> str:
        """Enough for the next block: its base fee and the suggested tip."""
        return quantity(fees.next_base_fee(self._devnet.head.header) + fees.PRIORITY_FEE)

    def max_priority_fee(self) -> str:
        return quantity(fees.PRIORITY_FEE)

    def base_fee(self) -> str:
        """Of the next block."""
        return quantity(fees.next_base_fee(self._devnet.head.header))

    def blob_base_fee(self) -> str:
        """The least there is: no block here has blobs."""
        return quantity(fees.BLOB_BASE_FEE)

    def fee_history(self, count: Any, newest: Any, percentiles: Any = None) -> dict[str, Any]:
        """`count` blocks up to `newest`, and the base fee of the one after them."""
        wanted = min(read_number(count, "block count"), HISTORY_MAX)
        levels = _read_percentiles(percentiles)
        last = self._selection.block("latest" if newest == PENDING else newest, "newest block")
        if last is None:
            raise InvalidParams(
                f"newest block: above the head, which is {quantity(self._devnet.head.number)}"
            )
        blocks = self._blocks(max(0, last.number - wanted + 1), last.number)
        base_fees = [block.header.base_fee for block in blocks]
        base_fees.append(fees.next_base_fee(last.header))
        history: dict[str, Any] = {
            "oldestBlock": quantity(last.number - len(blocks) + 1),
            "baseFeePerGas": [quantity(fee) for fee in base_fees],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
            "baseFeePerBlobGas": [quantity(fees.BLOB_BASE_FEE)] * len(base_fees),
            "blobGasUsedRatio": [0.0] * len(blocks),
        }
        if percentiles is not None:
            history["reward"] = [
                [quantity(tip) for tip in fees.rewards(block, levels)] for block in blocks
            ]
        return history

    def _blocks(self, first: int, last: int) -> list[Block]:
        found = (self._devnet.ledger.block(number) for number in range(first, last + 1))
        return [block for block in found if block is not None]


def _read_percentiles(value: Any) -> list[float]:
    if value is None:
        return []
    ordered = isinstance(value, list) and all(
        isinstance(level, int | float) and not isinstance(level, bool) and 0 <= level <= 100
        for level in value
    )
    if not ordered or value != sorted(value) or len(value) > 100:
        raise InvalidParams("reward percentiles: expected up to 100 numbers, 0 to 100, ascending")
    return [float(level) for level in value]
