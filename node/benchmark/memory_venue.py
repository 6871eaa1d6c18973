"""A venue in memory: what the sequencer does without disk, network and L1.

Signatures are believed here: they carry their signer's address, so that what is measured is
the rules and not the recovery.
"""

from collections.abc import Iterable, Sequence

from node.benchmark.flow import Flow, FlowMessage, Trader
from node.devnet.listings import TICK, listings
from node.signatures import address_of
from sequencer.batches import SealedBatch
from sequencer.sequencer import Sequencer
from state.authentication import Verifier
from state.batch import BatchHeader
from state.chunks import Row, decode_chunk
from state.crypto import ZERO_HASH, keccak
from state.eip712 import domain
from state.execution import Batch
from state.inbox import InboxItem
from state.limits import TIME_MAX
from state.status import Status
from state.transactions import SignedPrice
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

NOW = 1_700_000_000
EXPIRY = NOW + 3_600
MARK_TICKS = 600_000
DOMAIN = domain(31_337, b"\x99" * 20)
DEPOSIT_MICRO = 50_000 * 10**6
PRICE_AGE_MAX = 7_200
PUBLISHER = address_of(keccak(b"publisher"))
FILLER = keccak(b"filler") + keccak(b"more filler")[:12]


def believed(signer: bytes) -> bytes:
    """What stands for a signature of `signer` where signatures are believed."""
    return signer + FILLER


BELIEVING = Verifier(DOMAIN, lambda _, signature: signature[:20])


def memory_traders(count: int) -> list[Trader]:
    """Accounts that are each somebody else's."""
    return [Trader((number + 1) << 8, keccak(number.to_bytes(8))[:20]) for number in range(count)]


def memory_flow(traders: Sequence[Trader], seed: int = 1, first: int = 1) -> Flow:
    """The mix around the mark of a memory venue."""
    return Flow(traders, seed=seed, ticks=MARK_TICKS, expiry=EXPIRY, first=first)


class MemoryVenue:
    """A sequencer whose `traders` have money and whose first market has a price."""

    def __init__(self, traders: Sequence[Trader]) -> None:
        self.traders = traders
        self.sequencer = Sequencer(BELIEVING)
        self.sequencer.advance_clock(NOW)
        self.batches: list[SealedBatch] = []
        self._take_items(list(self._items()))
        price = SignedPrice(0, MARK_TICKS * TICK, NOW)
        receipt = self.sequencer.submit(price, believed(PUBLISHER))
        assert receipt.status == Status.OK

    def send(self, messages: Iterable[tuple[int, FlowMessage]]) -> int:
        """Execute messages and seal whenever a batch is full; how many the rules took."""
        taken = 0
        for at, tx in messages:
            if self.sequencer.is_full:
                self.seal()
            receipt = self.sequencer.submit(tx, believed(self.traders[at].owner))
            taken += receipt.status == Status.OK
        return taken

    def seal(self) -> None:
        """End the open batch."""
        self.batches.append(self.sequencer.seal())

    def _items(self) -> Iterable[InboxItem]:
        payloads = [
            (InboxKind.LIST_MARKET, encode_listing(listing))
            for listing in listings(PUBLISHER, PRICE_AGE_MAX)
        ]
        payloads += [
            (InboxKind.DEPOSIT, encode_deposit(Deposit(one.account, one.owner, DEPOSIT_MICRO)))
            for one in self.traders
        ]
        for index, (kind, payload) in enumerate(payloads):
            yield InboxItem(kind, index, NOW, bytes(20), payload)

    def _take_items(self, items: Sequence[InboxItem]) -> None:
        while fitting := self.sequencer.fitting(items):
            self.sequencer.take_items(fitting)
            items = items[len(fitting) :]
            if items:
                self.seal()


def derived(sealed: SealedBatch) -> Batch:
    """A sealed batch as whoever executes it is given it."""
    content = sealed.content
    header = BatchHeader(
        number=content.number,
        parent=ZERO_HASH,
        inbox_from=content.inbox_from,
        inbox_to=content.inbox_to,
        inbox_accumulator=content.accumulator,
        origin_number=0,
        origin_hash=ZERO_HASH,
        time_min=content.time_min,
        time_max=TIME_MAX,
        chunks=content.chunks,
    )
    return Batch(header, sealed.items, chunks_of(sealed))


def chunks_of(sealed: SealedBatch) -> list[Sequence[Row]]:
    """The rows of each chunk of a batch, decoded from what would go to L1."""
    return [
        decode_chunk(data, chunk.raw_hash)
        for data, chunk in zip(sealed.payload, sealed.content.chunks, strict=True)
    ]
