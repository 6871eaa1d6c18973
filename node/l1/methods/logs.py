"""Finding logs."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from node.l1.encoding import read_address, read_hash
from node.l1.jsonrpc import InvalidParams, Method, RpcError
from node.l1.ledger import FoundLog, LogFilter
from node.l1.methods.rendering import log_json
from node.l1.methods.selection import NOT_FOUND, PENDING, Selection
from node.l1.rules import LIMIT_EXCEEDED

TOPICS_MAX = 4
ALTERNATIVES_MAX = 1_000
_FIELDS = ("address", "topics", "fromBlock", "toBlock", "blockHash")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Logs of blocks `first` to `last`, None for no bound."""

    first: int | None
    last: int | None
    kind: LogFilter

    def holds(self, found: FoundLog) -> bool:
        number = found.block.number
        late = self.last is not None and number > self.last
        early = self.first is not None and number < self.first
        return not late and not early and self.kind.matches(found.log)


class LogMethods:
    def __init__(self, selection: Selection, *, blocks_max: int, results_max: int) -> None:
        self._selection = selection
        self._blocks_max = blocks_max
        self._results_max = results_max

    def table(self) -> dict[str, Method]:
        return {"eth_getLogs": self.logs}

    def check(self, query: Any) -> Wanted:
        """What a query asks for among blocks to come: a tag stands for no bound there."""
        _check_fields(query)
        if query.get("blockHash") is not None:
            raise InvalidParams("filter: blockHash is one block, ask eth_getLogs for it")
        first, last = query.get("fromBlock"), query.get("toBlock")
        bounds = [
            self._bound(value, name) if isinstance(value, str) and value.startswith("0x") else None
            for name, value in (("fromBlock", first), ("toBlock", last))
        ]
        for name, value in (("fromBlock", first), ("toBlock", last)):
            self._bound(value, name)
        return Wanted(bounds[0], bounds[1], _filter(query))

    def logs(self, query: Any) -> list[dict[str, Any]]:
        """Logs of a block or of a range; a range or a result that is too large is refused whole."""
        _check_fields(query)
        first, last = self._range(query)
        found = self._selection.devnet.ledger.logs(first, last, _filter(query))
        results = list(islice(found, self._results_max + 1))
        if len(results) > self._results_max:
            self._refuse(results)
        return [log_json(log) for log in results]

    def _range(self, query: dict[str, Any]) -> tuple[int, int]:
        ledger = self._selection.devnet.ledger
        if query.get("blockHash") is not None:
            if query.get("fromBlock") is not None or query.get("toBlock") is not None:
                raise InvalidParams("filter: blockHash excludes fromBlock and toBlock")
            block = ledger.block_of_hash(read_hash(query["blockHash"], "blockHash"))
            if block is None:
                raise RpcError(NOT_FOUND, f"unknown block {query['blockHash']}")
            return block.number, block.number
        first = self._bound(query.get("fromBlock"), "fromBlock")
        asked = self._bound(query.get("toBlock"), "toBlock")
        if first > asked:
            raise InvalidParams(f"filter: fromBlock {first} lies above toBlock {asked}")
        last = min(asked, ledger.head.number)
        if last - first >= self._blocks_max:
            raise RpcError(
                LIMIT_EXCEEDED,
                f"block range too large: {last - first + 1} blocks, at most {self._blocks_max}",
            )
        return first, last

    def _bound(self, value: Any, name: str) -> int:
        """No log is pending, so pending means latest."""
        return self._selection.number("latest" if value == PENDING else value, name)

    def _refuse(self, results: list[FoundLog]) -> None:
        reached = results[-1].block.number
        raise RpcError(
            LIMIT_EXCEEDED,
            f"query returned more than {self._results_max} logs, the limit was reached in "
            f"block {reached}: ask for a smaller block range",
        )


def _check_fields(query: Any) -> None:
    if not isinstance(query, dict):
        raise InvalidParams("filter: expected an object")
    unknown = [name for name in query if name not in _FIELDS]
    if unknown:
        raise InvalidParams(
            f"filter: unknown field {unknown[0][:40]!r}, expected some of {', '.join(_FIELDS)}"
        )


def _filter(query: dict[str, Any]) -> LogFilter:
    return LogFilter(_addresses(query.get("address")), _topics(query.get("topics")))


def _addresses(value: Any) -> frozenset[bytes]:
    if value is None:
        return frozenset()
    return frozenset(read_address(item, "address") for item in _alternatives(value, "address"))


def _topics(value: Any) -> tuple[frozenset[bytes], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > TOPICS_MAX:
        raise InvalidParams(f"topics: expected a list of at most {TOPICS_MAX}")
    positions = [_position(item) for item in value]
    return tuple(positions)


def _position(value: Any) -> frozenset[bytes]:
    """null, or a list with a null in it, stands for any topic."""
    if value is None:
        return frozenset()
    choices = _alternatives(value, "topics")
    if None in choices:
        return frozenset()
    return frozenset(read_hash(item, "topics") for item in choices)


def _alternatives(value: Any, name: str) -> list[Any]:
    choices = value if isinstance(value, list) else [value]
    if len(choices) > ALTERNATIVES_MAX:
        raise RpcError(LIMIT_EXCEEDED, f"{name}: more than {ALTERNATIVES_MAX} alternatives")
    return choices
