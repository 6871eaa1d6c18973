"""Filters that are polled: what is new since they were asked last. Nothing is pushed here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from node.l1.blocks import Block
from node.l1.devnet import Devnet
from node.l1.encoding import data, quantity, read_quantity
from node.l1.jsonrpc import Method, RpcError
from node.l1.ledger import logs_of
from node.l1.methods.logs import LogMethods
from node.l1.methods.rendering import log_json
from node.l1.rules import INVALID_INPUT, LIMIT_EXCEEDED

FILTERS_MAX = 1_000
UNUSED_SECONDS = 300.0
"""A filter that nobody asked for so long is forgotten."""

News = Callable[["Filter"], list[Any]]


@dataclass(slots=True)
class Filter:
    """What its reader has seen: blocks up to `number`, and so many of what else happened."""

    query: dict[str, Any]
    news: News
    asked: float
    number: int
    forgotten: int
    arrived: int


class FilterMethods:
    def __init__(self, devnet: Devnet, logs: LogMethods) -> None:
        self._devnet = devnet
        self._logs = logs
        self._filters: dict[int, Filter] = {}
        self._next = 1

    def table(self) -> dict[str, Method]:
        return {
            "eth_newFilter": self.new_filter,
            "eth_newBlockFilter": self.new_block_filter,
            "eth_newPendingTransactionFilter": self.new_pending_transaction_filter,
            "eth_getFilterChanges": self.filter_changes,
            "eth_getFilterLogs": self.filter_logs,
            "eth_uninstallFilter": self.uninstall_filter,
        }

    def new_filter(self, query: Any) -> str:
        """Logs of blocks to come, and of blocks taken back; the bounds are those of the query."""
        self._logs.check(query)
        return self._keep(query, self._new_logs)

    def new_block_filter(self) -> str:
        return self._keep({}, self._new_blocks)

    def new_pending_transaction_filter(self) -> str:
        """Transactions as they arrive, also where they are mined at once."""
        return self._keep({}, self._new_transactions)

    def filter_changes(self, identity: Any) -> list[Any]:
        """What is new; the next answer begins behind it."""
        wanted = self._known(identity)
        found = wanted.news(wanted)
        wanted.number = self._devnet.head.number
        wanted.forgotten = self._devnet.ledger.forgotten.count
        wanted.arrived = self._devnet.arrivals.count
        return found

    def filter_logs(self, identity: Any) -> list[dict[str, Any]]:
        """Every log of the query, new or not."""
        wanted = self._known(identity)
        if wanted.news != self._new_logs:
            raise RpcError(INVALID_INPUT, "filter not found: this one is not of logs")
        return self._logs.logs(wanted.query)

    def uninstall_filter(self, identity: Any) -> bool:
        return self._filters.pop(read_quantity(identity, "filter"), None) is not None

    def _keep(self, query: dict[str, Any], news: News) -> str:
        now = self._devnet.time.clock()
        self._filters = {
            identity: kept
            for identity, kept in self._filters.items()
            if now - kept.asked <= UNUSED_SECONDS
        }
        if len(self._filters) >= FILTERS_MAX:
            raise RpcError(
                LIMIT_EXCEEDED,
                f"too many filters: {FILTERS_MAX} are in use, uninstall some of them",
            )
        devnet, identity = self._devnet, self._next
        self._next += 1
        self._filters[identity] = Filter(
            query=query,
            news=news,
            asked=now,
            number=devnet.head.number,
            forgotten=devnet.ledger.forgotten.count,
            arrived=devnet.arrivals.count,
        )
        return quantity(identity)

    def _known(self, identity: Any) -> Filter:
        number, now = read_quantity(identity, "filter"), self._devnet.time.clock()
        kept = self._filters.get(number)
        if kept is None or now - kept.asked > UNUSED_SECONDS:
            self._filters.pop(number, None)
            raise RpcError(
                INVALID_INPUT,
                f"filter not found: make a new one; one that is not asked for "
                f"{UNUSED_SECONDS:.0f} seconds is forgotten",
            )
        kept.asked = now
        return kept

    def _taken_back(self, seen: Filter) -> list[Block]:
        """Blocks that the reader saw and that are no more, the newest first."""
        forgotten = self._devnet.ledger.forgotten.since(seen.forgotten)
        known = seen.number
        gone = []
        for block in forgotten:
            if block.number == known:
                gone.append(block)
                known -= 1
        return gone

    def _blocks(self, seen: Filter, gone: list[Block]) -> list[Block]:
        """Blocks that the reader has not seen."""
        first, ledger = seen.number - len(gone) + 1, self._devnet.ledger
        found = (ledger.block(number) for number in range(first, ledger.head.number + 1))
        return [block for block in found if block is not None]

    def _new_blocks(self, seen: Filter) -> list[Any]:
        return [data(block.hash) for block in self._blocks(seen, self._taken_back(seen))]

    def _new_transactions(self, seen: Filter) -> list[Any]:
        return [data(one) for one in self._devnet.arrivals.since(seen.arrived)]

    def _new_logs(self, seen: Filter) -> list[Any]:
        gone = self._taken_back(seen)
        wanted = self._logs.check(seen.query)
        old = [log for block in gone for log in logs_of(block) if wanted.holds(log)]
        new = [log for block in self._blocks(seen, gone) for log in logs_of(block)]
        removed = [log_json(log) | {"removed": True} for log in old]
        return removed + [log_json(log) for log in new if wanted.holds(log)]
