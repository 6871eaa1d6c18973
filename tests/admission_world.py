"""Orders and amends, asked of Python and of the contract that admits them."""

from functools import cache

from builders import DOLLAR, FAR, NOW, key, listing, sign_transaction
from evm_engines import Engine, Pyrevm
from msgspec.structs import replace
from step_contracts import Case, RecordedVenue, Rules

from state.accounts import PERMIT_CANCEL, PERMIT_TRADE, SessionKey
from state.markets import BoardRow
from state.orders import BUY, Flags, encode_flags
from state.status import Status
from state.store import Changes
from state.transactions import Amend, NewOrder, Transaction
from state.transactions.kinds import Kind

ALICE, BOB = 1 << 8, 2 << 8
MARK = 500_000
TICKS = MARK - 10
KINDS = (Kind.ORDER, Kind.AMEND)

TRADER, CANCELLER, LATE, LAST = 3, 4, 6, 7
"""Epochs of alice's session keys."""


@cache
def rules(engine: type[Engine] = Pyrevm) -> Rules:
    return Rules(engine(), "admission")


def change_account(venue: RecordedVenue, number: int, **changed: object) -> None:
    """What no transaction can do in a moment."""
    changes = Changes(venue.state)
    changes.write_account(number, replace(venue.state.account(number), **changed))
    venue.state.apply(changes)


def change_row(venue: RecordedVenue, market: int = 0, **changed: object) -> None:
    changes = Changes(venue.state)
    changes.write_row(replace(row_of(venue, market), **changed))
    venue.state.apply(changes)


def row_of(venue: RecordedVenue, market: int = 0) -> BoardRow:
    row = venue.state.row(market)
    assert row is not None
    return row


def started(**terms: object) -> RecordedVenue:
    """Alice bids for ten lots, known by (0, 1), bob behind her; she holds the other market."""
    defaults: dict[str, object] = {"min_notional": DOLLAR // 1_000, "order_lots_max": 20_000_000}
    second = listing(9, symbol=b"ETH-USD-PERP")
    venue = RecordedVenue(markets=(listing(0, **(defaults | terms)), second))
    for name in ("alice", "bob", "carol"):
        venue.open(name, 1_000)
    bot = key("bot").address
    keys = (
        SessionKey(TRADER, bot, 5, FAR, PERMIT_TRADE),
        SessionKey(CANCELLER, bot, 5, FAR, PERMIT_CANCEL),
        SessionKey(LATE, bot, 5, NOW - 1, PERMIT_TRADE),
        SessionKey(LAST, bot, 5, NOW, PERMIT_TRADE),
    )
    change_account(venue, ALICE, key_epoch=LAST, keys=keys)
    venue.buy("alice", 10, TICKS, expiry=FAR - 100)
    venue.buy("bob", 5, TICKS)
    venue.sell("carol", 3_000, MARK, market=9)
    venue.buy("alice", 3_000, MARK, market=9)
    venue.state.machine.time = NOW
    return venue


def admission(venue: RecordedVenue, tx: Transaction, signature: bytes) -> Case:
    """The first step of a transaction; the others follow in Python."""
    first = len(venue.cases)
    venue.run(tx, signature)
    return venue.cases[first]


def answer(
    venue: RecordedVenue,
    tx: Transaction,
    signer: str = "alice",
    *,
    signature: bytes | None = None,
    engine: type[Engine] = Pyrevm,
) -> Status:
    """Python's status, once the contract has given the same machine and the same leaves."""
    signature = sign_transaction(tx, key(signer)) if signature is None else signature
    case = admission(venue, tx, signature)
    rules(engine).check(case)
    return Status(case.status)


def an_order(**changed: int) -> NewOrder:
    """A buy of twenty lots at the mark that alice may place."""
    fields = {"account": ALICE, "epoch": 0, "sequence": 70, "market": 0}
    fields |= {"flags": encode_flags(Flags(BUY)), "ticks": MARK, "lots": 20, "expiry": FAR}
    return NewOrder(**(fields | changed))


def an_amend(**changed: int) -> Amend:
    """Alice's bid, as it is."""
    fields = {"account": ALICE, "epoch": 0, "sequence": 70, "order_epoch": 0, "order_sequence": 1}
    fields |= {"ticks": TICKS, "lots": 10, "expiry": FAR - 100}
    return Amend(**(fields | changed))


def is_admission(case: Case) -> bool:
    """Whether this is the first step of an order or an amend."""
    return case.given[:1] in [bytes([kind]) for kind in KINDS] and case.step.name == "TRANSACTION"
