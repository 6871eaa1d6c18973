"""How often a node keeps what it would otherwise have to execute again."""

from msgspec import Struct


class SnapshotPolicy(Struct, frozen=True):
    """A snapshot is due after so many batches, or so many transactions and items in them.

    A restart executes less than that again, and what was not to be kept yet.
    """

    batches: int = 256
    records: int = 20_000

    def is_due(self, batches: int, records: int) -> bool:
        """Whether so much since the last one is enough."""
        return batches > 0 and (batches >= self.batches or records >= self.records)
