"""Random operations through the venue and through the model, compared after each one.

A signature is the signer's address here: recovery has tests of its own, and this way a
hundred thousand operations take minutes.
"""

from collections import Counter
from dataclasses import dataclass, field

from builders import DOMAIN, NOW, PUBLISHER, Venue
from msgspec.structs import replace
from reference_matching import Outcome
from reference_model import Model
from reference_scenes import Scenes
from reference_views import fill_of, view_of_model, view_of_venue

from state.authentication import Verifier
from state.batch import BatchHeader
from state.crypto import keccak
from state.execution import run_transaction
from state.inbox import InboxItem
from state.memory import MemoryState
from state.status import Status
from state.steps import boot, halt, open_chunk, take_item
from state.transactions import Header, SignedPrice, Transaction
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import Listing, encode_listing

ZERO = bytes(20)
VERIFIER = Verifier(DOMAIN, lambda _, signature: signature[:20])


def address(name: str) -> bytes:
    """Somebody who could sign; nobody here has to."""
    return keccak(name.encode())[-20:]


@dataclass
class Twins:
    """The venue and the model, given the same at the same time."""

    seed: int
    markets: tuple[Listing, ...]
    mark: int
    statuses: Counter[str] = field(default_factory=Counter)
    fills: int = 0

    def __post_init__(self) -> None:
        self.venue = Venue(mark=self.mark, markets=self.markets)
        self.state: MemoryState = self.venue.state
        self.model = Model()
        self.scenes = Scenes(self.model)
        for market in self.markets:
            listed = self.model.item(InboxKind.LIST_MARKET, ZERO, encode_listing(market))
            assert listed == Status.OK
        self.model.run(Header(NOW), ())
        for market in self.markets:
            price = SignedPrice(market.market, self.mark, NOW)
            assert self.model.run(price, (PUBLISHER.address,)).status == Status.OK
        self.past: list[tuple[Transaction, tuple[bytes, ...]]] = []
        self.operations = 0
        self.compare("setup")

    def raise_floor(self, number: int, floor: int) -> None:
        """A floor by hand: no transaction raises it yet."""
        account = self.state.accounts[number]
        self.state.accounts[number] = replace(account, sequence_floor=floor)
        self.model.ledger.holders[number].floor = floor

    def number_keys_from(self, number: int, epoch: int) -> None:
        """As if that many keys had been added before."""
        account = self.state.accounts[number]
        self.state.accounts[number] = replace(account, key_epoch=epoch)
        self.model.ledger.holders[number].key_epoch = epoch

    def number_orders_from(self, market: int, number: int) -> None:
        """As if that many orders had rested here before."""
        record = self.state.markets[market]
        self.state.markets[market] = replace(record, next_order=number)
        self.model.ledger.next_order[market] = number

    def run(self, tx: Transaction, *signers: bytes) -> Status:
        """One signer, two for a block trade, none for a header."""
        self.past.append((tx, signers))
        left = self.state.machine.steps_left
        expected = self.model.run(tx, signers, left)
        signature = b"".join(signer + bytes(44) for signer in signers)
        receipt = run_transaction(self.state, tx, signature, VERIFIER)
        taken = left - self.state.machine.steps_left
        seen = Outcome(receipt.status, [fill_of(fill) for fill in receipt.fills], taken)
        self.fills += len(seen.fills)
        self._agree(f"{tx} by {[signer.hex() for signer in signers]}", seen, expected)
        self.scenes.after(tx, seen)
        self.statuses[f"{type(tx).__name__} {seen.status.name}"] += 1
        if self.state.machine.steps_left <= 1:
            self.next_batch(0, 2**40 - 1)
        return seen.status

    def item(self, kind: InboxKind, sender: bytes, payload: bytes) -> Status:
        """From L1: it would come at a batch's start, but the rules do not mind."""
        if kind == InboxKind.SET_PARAMETERS:
            self.scenes.look()
        expected = Outcome(self.model.item(kind, sender, payload), [])
        machine = self.state.machine
        machine.inbox_end = machine.inbox + 1
        item = InboxItem(kind, machine.inbox, NOW, sender, payload)
        self.state.apply(take_item(self.state, item))
        seen = Outcome(Status(self.state.machine.status), [])
        self._agree(f"{kind!r} from {sender.hex()}: {payload.hex()}", seen, expected)
        if kind == InboxKind.SET_PARAMETERS and seen.status == Status.OK:
            self.scenes.after_parameters(int.from_bytes(payload[:2], "big"))
        self.statuses[f"{kind.name} {seen.status.name}"] += 1
        return seen.status

    def deposit(self, number: int, owner: bytes, micro: int) -> Status:
        return self.item(InboxKind.DEPOSIT, ZERO, encode_deposit(Deposit(number, owner, micro)))

    def next_batch(self, time_min: int, time_max: int) -> None:
        machine = self.state.machine
        self.state.apply(halt(self.state))
        header = BatchHeader(
            number=machine.batch + 1,
            parent=bytes(32),
            inbox_from=machine.inbox,
            inbox_to=machine.inbox,
            inbox_accumulator=bytes(32),
            origin_number=0,
            origin_hash=bytes(32),
            time_min=time_min,
            time_max=time_max,
        )
        self.state.apply(boot(self.state, header, keccak(b"batch"), void=False))
        self.state.apply(open_chunk(self.state, keccak(b"chunk")))
        self.model.boot(time_min, time_max)

    def _agree(self, what: str, seen: Outcome, expected: Outcome) -> None:
        self.operations += 1
        place = f"seed {self.seed}, operation {self.operations}: {what}"
        assert seen == expected, f"{place}: venue {seen}, model {expected}"
        self.compare(place)

    def compare(self, place: str) -> None:
        seen, expected = view_of_venue(self.state), view_of_model(self.model)
        if seen == expected:
            return
        differing = [
            (part, where, seen[part].get(where), expected[part].get(where))
            for part in expected
            for where in sorted(set(seen[part]) | set(expected[part]), key=repr)
            if seen[part].get(where) != expected[part].get(where)
        ]
        raise AssertionError(f"{place}: (part, where, venue, model) {differing}")
