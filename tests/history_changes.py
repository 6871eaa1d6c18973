"""The rarer part of random histories: keys, owners and parameters change, and not only rightly."""

from collections import Counter
from random import Random

from builders import FAR, Venue, key, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE
from state.execution import Receipt
from state.markets import Tier
from state.status import Status
from state.transactions import (
    AddKey,
    Amend,
    Cancel,
    CancelAll,
    NewOrder,
    RevokeKey,
    Transaction,
    Transfer,
    Withdraw,
)
from state.transactions.kinds import InboxKind
from state.transactions.list_market import Listing, encode_listing
from state.transactions.revoke_key import KeyRevocation, encode_key_revocation
from state.transactions.rotate_owner import RotateOwner, encode_rotate_owner

NOBODY = 77 << 8

Signed = NewOrder | Cancel | CancelAll | Amend | AddKey | RevokeKey | Withdraw | Transfer
"""What one trader signs."""


def bot_of(number: int) -> str:
    """The name of the one key that signs for every session key of an account."""
    return f"the bot of {number}"


class Changing:
    """A `venue` of several owners, and what they do to it besides trading."""

    def __init__(self, random: Random, venue: Venue, listings: tuple[Listing, ...]) -> None:
        self.random, self.venue, self.listings = random, venue, listings
        self.owners: dict[int, str] = {}
        self.statuses: Counter[Status] = Counter()
        self.sent: list[tuple[Transaction, bytes]] = []

    def send(self, tx: Signed) -> None:
        """By the key that `tx` names, or now and then by nobody's."""
        signature = sign_transaction(tx, key(self.signer(tx.account, getattr(tx, "epoch", 0))))
        self.sent.append((tx, signature))
        self.count(self.venue.run(tx, signature))

    def signer(self, number: int, epoch: int) -> str:
        if self.random.random() < 0.03:
            return "mallory"
        return bot_of(number) if epoch else self.owners[number]

    def count(self, receipt: Receipt) -> None:
        self.statuses[receipt.status] += 1

    def account(self) -> int:
        return self.random.choice(tuple(self.owners))

    def change(self) -> None:
        """One of the things below."""
        self.random.choice(
            (
                *[self.add_key] * 4,
                *[self.revoke_key] * 2,
                *[self.ask_for_revocation, self.ask_for_rotation, self.set_parameters],
            )
        )()

    def delegate(self, number: int) -> None:
        """A key that trades, past the book too, one that cancels, one that soon does nothing."""
        soon = self.venue.state.machine.time + 100
        both = PERMIT_TRADE | PERMIT_BLOCK
        for permissions, until in ((both, FAR), (PERMIT_CANCEL, FAR), (PERMIT_TRADE, soon)):
            sequence = next(self.venue.sequences)
            tx = AddKey(number, sequence, key(bot_of(number)).address, until, permissions, FAR)
            self.send(tx)

    def add_key(self) -> None:
        r, number = self.random, self.account()
        now = self.venue.state.machine.time
        address = r.choice((*[key(bot_of(number)).address] * 9, bytes(20)))
        until = r.choice((*[FAR] * 6, now, now - 1))
        permissions = r.choice((*[1, 2, 4, 5, 7] * 3, 0, 8))
        expiry = r.choice((*[FAR] * 9, now - 1))
        sequence = next(self.venue.sequences)
        self.send(AddKey(number, sequence, address, until, permissions, expiry))

    def revoke_key(self) -> None:
        number = self.account()
        expiry = self.random.choice((*[FAR] * 9, 1))
        tx = RevokeKey(number, next(self.venue.sequences), self._epoch_of(number), expiry)
        self.send(tx)

    def ask_for_revocation(self) -> None:
        number = self.random.choice((self.account(), self.account(), NOBODY))
        item = KeyRevocation(number, self._epoch_of(number))
        self._ask(InboxKind.REVOKE_KEY, encode_key_revocation(item), number)

    def ask_for_rotation(self) -> None:
        """At anybody's call: to an heir, or to who has it already; to nobody, or of nobody."""
        r = self.random
        number = r.choice((*[self.account()] * 5, NOBODY))
        present = self.owners.get(number, "nobody")
        name = r.choice((*[f"{present}'s heir"] * 4, present))
        owner = r.choice((*[key(name).address] * 5, bytes(20)))
        asked = encode_rotate_owner(RotateOwner(number, owner))
        if self._ask(InboxKind.ROTATE_OWNER, asked, number) == Status.OK:
            self.owners[number] = name

    def set_parameters(self) -> None:
        """Those of the day of the listing but for one or two."""
        r, market = self.random, self.random.randrange(2)
        first = self.listings[market]
        choices: tuple[dict[str, object], ...] = (
            {},
            {"band": 50_000},
            {"taker_fee": 5_000, "maker_fee": 0},
            {"position_max": first.order_lots_max},
            {"open_interest_max": 30_000},
            {"tiers": (Tier(0, 20_000, 10_000), Tier(10**12, 90_000, 50_000))},
            {"interest_lower": 10**12, "interest_upper": 10**13},
            {"min_notional": first.min_notional * 3, "order_life_max": 86_400},
            {"price_age_max": 600},
            {"tick": first.tick + 1},
            {"symbol": b"OTHER"},
            {"market": 5},
            {"band": 0},
        )
        payload = encode_listing(replace(first, **r.choice(choices)))
        payload += r.choice((*[b""] * 9, b"\0"))
        self._ask(InboxKind.SET_PARAMETERS, payload)

    def _ask(self, kind: InboxKind, payload: bytes, number: int = NOBODY) -> Status:
        """Mostly as the owner of the account."""
        name = self.owners.get(number, "nobody") if self.random.random() < 0.8 else "mallory"
        status = self.venue.item(kind, payload, key(name).address)
        self.statuses[status] += 1
        return status

    def _epoch_of(self, number: int) -> int:
        epochs = [k.epoch for k in self.venue.state.account(number).keys]
        return self.random.choice((*epochs, 99))
