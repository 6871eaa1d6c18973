"""The mined blocks, and where each transaction and log is among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node.l1.blocks import Block, Log, bloom_may_contain
from node.l1.recent import Recent

ANCESTORS_MAX = 256  # what BLOCKHASH sees


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Any of `addresses`, and in each topic position any of those given; empty means anything."""

    addresses: frozenset[bytes] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()

    def may_match(self, block: Block) -> bool:
        """False only where the block's bloom excludes every log asked for."""
        bloom = block.header.bloom
        wanted = [self.addresses, *self.topics]
        return all(
            not items or any(bloom_may_contain(bloom, item) for item in items) for items in wanted
        )

    def matches(self, log: Log) -> bool:
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(
            not wanted or topic in wanted
            for wanted, topic in zip(self.topics, log.topics, strict=False)
        )


@dataclass(frozen=True, slots=True)
class FoundLog:
    """A log and its place: the transaction's index and the log's own, both in the block."""

    log: Log
    block: Block
    transaction_index: int
    log_index: int


class Ledger:
    """Blocks from genesis to head, without a gap."""

    def __init__(self, genesis: Block) -> None:
        self._blocks = [genesis]
        self._numbers = {genesis.hash: 0}
        self._transactions: dict[bytes, tuple[int, int]] = {}
        self.forgotten: Recent[Block] = Recent()
        """Blocks that were taken back, in the order in which that happened."""

    @property
    def head(self) -> Block:
        return self._blocks[-1]

    def block(self, number: int) -> Block | None:
        return self._blocks[number] if 0 <= number < len(self._blocks) else None

    def block_of_hash(self, block_hash: bytes) -> Block | None:
        number = self._numbers.get(block_hash)
        return None if number is None else self._blocks[number]

    def transaction(self, transaction_hash: bytes) -> tuple[Block, int] | None:
        """The block that holds it and its index there."""
        place = self._transactions.get(transaction_hash)
        return None if place is None else (self._blocks[place[0]], place[1])

    def ancestors(self, number: int) -> Sequence[bytes]:
        """Hashes of the blocks below `number`, the nearest first, as far as BLOCKHASH reaches."""
        below = self._blocks[max(0, number - ANCESTORS_MAX) : number]
        return [block.hash for block in reversed(below)]

    def append(self, block: Block) -> None:
        assert block.number == len(self._blocks) and block.header.parent_hash == self.head.hash
        self._blocks.append(block)
        self._numbers[block.hash] = block.number
        for index, transaction in enumerate(block.transactions):
            self._transactions[transaction.hash] = (block.number, index)

    def rewind(self, number: int) -> None:
        """Forget every block above `number`, the newest first."""
        assert 0 <= number < len(self._blocks)
        for block in reversed(self._blocks[number + 1 :]):
            self.forgotten.append(block)
            del self._numbers[block.hash]
            for transaction in block.transactions:
                del self._transactions[transaction.hash]
        del self._blocks[number + 1 :]

    def logs(self, first: int, last: int, wanted: LogFilter) -> Iterator[FoundLog]:
        """Matching logs of blocks `first` to `last`, both included, in order."""
        for block in self._blocks[first : last + 1]:
            if wanted.may_match(block):
                yield from (found for found in logs_of(block) if wanted.matches(found.log))


def logs_of(block: Block) -> Iterator[FoundLog]:
    """Every log of a block; log indices run through the whole block."""
    log_index = 0
    for transaction_index, receipt in enumerate(block.receipts):
        for log in receipt.logs:
            yield FoundLog(log, block, transaction_index, log_index)
            log_index += 1
