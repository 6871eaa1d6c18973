"""A venue for the transactions that an owner alone signs, asked of Python and of the contract."""

from collections.abc import Callable
from functools import cache

from builders import FAR, key, listing, sign_transaction
from evm_engines import Engine, Pyrevm
from msgspec.structs import replace
from step_contracts import RecordedVenue, Rules

from state.accounts import SessionKey
from state.margin import cautious_health
from state.status import Status
from state.store import Changes
from state.transactions import AddKey, RevokeKey, Transaction, Transfer, Withdraw
from state.transactions.kinds import Kind

ALICE, BOB = 1 << 8, 2 << 8
SECOND, ROTATED, ABSENT = ALICE | 1, ALICE | 2, ALICE | 3
"""Alice's other accounts: hers, gone to an heir, and not opened yet."""

MARK = 50_000_000
TICKS = MARK // 100
ZERO = bytes(20)
ADDRESS = key("anybody").address
KINDS = (Kind.WITHDRAW, Kind.TRANSFER, Kind.ADD_KEY, Kind.REVOKE_KEY)


@cache
def rules(engine: type[Engine] = Pyrevm) -> Rules:
    return Rules(engine(), "cash")


def change_account(venue: RecordedVenue, number: int, **changed: object) -> None:
    """What no transaction can do in a moment."""
    changes = Changes(venue.state)
    changes.write_account(number, replace(venue.state.account(number), **changed))
    venue.state.apply(changes)


def session_keys(*epochs: int) -> tuple[SessionKey, ...]:
    return tuple(SessionKey(epoch, ADDRESS, 7, FAR, 1) for epoch in epochs)


def started() -> RecordedVenue:
    """Alice is long in one market and short in another, where she has an order; the marks moved."""
    venue = RecordedVenue(markets=(listing(), listing(9, symbol=b"ETH-USD-PERP")))
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    venue.open("alice", 5, subaccount=1)
    venue.open("alice", 5, subaccount=2)
    change_account(venue, ROTATED, owner=key("heir").address)
    change_account(venue, ALICE, key_epoch=8, keys=session_keys(2, 5, 8))
    venue.sell("bob", 20_000, TICKS)
    venue.buy("alice", 20_000, TICKS)
    venue.buy("bob", 7_000, TICKS, market=9)
    venue.sell("alice", 7_000, TICKS, market=9)
    venue.sell("alice", 3_000, TICKS + 9, market=9)
    venue.price(MARK + MARK // 50)
    venue.price(MARK - MARK // 30, market=9)
    return venue


def spare(venue: RecordedVenue) -> int:
    """Nano-USD that alice may take out at the most."""
    health = cautious_health(venue.state, venue.state.account(ALICE))
    return health.equity - health.initial


def answer(
    venue: RecordedVenue, tx: Transaction, signer: str = "alice", engine: type[Engine] = Pyrevm
) -> Status:
    """Python's status, once the contract has given the same machine and the same leaves."""
    status = venue.run(tx, sign_transaction(tx, key(signer))).status
    rules(engine).check(venue.cases[-1])
    return status


def withdraw(**changed: object) -> Withdraw:
    fields = {"account": ALICE, "sequence": 70, "recipient": ADDRESS, "amount": 5, "expiry": FAR}
    return Withdraw(**(fields | changed))  # type: ignore[arg-type]


def transfer(**changed: int) -> Transfer:
    fields = {"account": ALICE, "sequence": 70, "to_account": SECOND, "amount": 5, "expiry": FAR}
    return Transfer(**(fields | changed))


def add_key(**changed: object) -> AddKey:
    fields: dict[str, object] = {"account": ALICE, "sequence": 70, "key": ADDRESS}
    fields |= {"key_expiry": FAR, "permissions": 1, "expiry": FAR}
    return AddKey(**(fields | changed))  # type: ignore[arg-type]


def revoke_key(**changed: int) -> RevokeKey:
    fields = {"account": ALICE, "sequence": 70, "key_epoch": 5, "expiry": FAR}
    return RevokeKey(**(fields | changed))


BUILDERS: tuple[Callable[..., Transaction], ...] = (withdraw, transfer, add_key, revoke_key)
