"""The channel `batches`: sealed batches, and how certain they have become."""

from node.rpc.streams.results import BatchesTold, HeadsTold
from node.rpc.streams.topic import Told, Topic
from node.rpc.views.rollup import summary
from node.view import BatchRecord, Heads

BATCHES_SHOWN = 20


class BatchesTopic(Topic):
    """Heads move by what L1 says, without an update, so `look` finds them too."""

    looks = True

    def begin(self) -> None:
        self._heads: Heads = self.view.heads
        self._last = self._records(self._heads.unsafe - BATCHES_SHOWN)

    def image(self) -> BatchesTold:
        return self._told(self._last)

    def take(self, _: Told) -> BatchesTold | None:
        return self.look()

    def look(self) -> BatchesTold | None:
        heads, before = self.view.heads, self._heads
        if heads == before:
            return None
        self._heads = heads
        new = self._records(before.unsafe)
        kept = [record for record in self._last if record.number <= heads.unsafe]
        self._last = [*kept, *new][-BATCHES_SHOWN:]
        return self._told(new)

    def _records(self, after: int) -> list[BatchRecord]:
        numbers = range(max(0, after) + 1, self._heads.unsafe + 1)
        found = (self.view.batch(number) for number in numbers)
        return [record for record in found if record is not None]

    def _told(self, records: list[BatchRecord]) -> BatchesTold:
        heads = self._heads
        return BatchesTold(
            heads=HeadsTold(
                unsafe=heads.unsafe,
                safe=heads.safe,
                finalized=heads.finalized,
                confirmed=heads.confirmed,
                l1_block=heads.l1_block,
            ),
            batches=[summary(record, heads, self.view.proof_system) for record in records],
        )
