"""Who trades in a random history, with what keys, and the dice they throw."""

from collections.abc import Callable
from functools import cache
from random import Random

from msgspec.structs import replace

from node.parity.listings import GRAND_MARK, MARK, any_listing, grand, name_hash
from node.parity.world import DOMAIN, World
from node.rpc.messages import digest_of
from node.signatures import CURVE_ORDER, address_of, sign
from state.accounts import Account
from state.authentication import may_trade
from state.chunks import Row
from state.crypto import ZERO_ADDRESS
from state.eip712 import Domain, domain
from state.limits import SIGNATURE_BYTES
from state.markets import BoardRow, Market
from state.orders import RestingOrder
from state.status import Status
from state.store import Changes
from state.transactions import (
    AddKey,
    Header,
    SignedPrice,
    Transaction,
    encode_transaction,
)
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import Listing, encode_listing

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
PUBLISHERS = ("publisher", "another publisher", "a third publisher")
NOBODYS = 127
"""A market that is never listed."""

FAR = 10**6
MICRO = 10**6
ELSEWHERE = domain(1, bytes(19) + b"\x99")
ACCOUNTS_MAX = 16


class Chance:
    """Seven traders, some with two accounts, `markets` markets, and chance from `random` alone."""

    def __init__(self, world: World, random: Random, markets: int) -> None:
        self.world, self.random = world, random
        self.keyring: dict[bytes, bytes] = {}
        self.publishers = tuple(self.address(name) for name in PUBLISHERS)
        self.is_grand = random.random() < 0.08
        self.mark = GRAND_MARK if self.is_grand else MARK
        self.listed: dict[int, Listing] = {}
        self.accounts: list[int] = []
        self.sequence = 10
        self.sent: list[Row] = []
        for market in random.sample(range(64), markets) if markets < 64 else range(64):
            self._open_market(market + 64 * random.choice((0, 0, 1023)))
        for owner, name in enumerate(NAMES, 1):
            for subaccount in range(random.choice((1, 1, 2))):
                self._open_account(owner << 8 | subaccount, name)

    # --- the beginning ---

    def _open_market(self, number: int) -> None:
        terms = any_listing(self.random, number, self.publishers[0])
        terms = grand(self.random, terms) if self.is_grand else terms
        self.world.item(InboxKind.LIST_MARKET, encode_listing(terms))
        self.listed[number] = terms
        self.send(SignedPrice(number, self.mark, self.now), self.publishers[0])

    def _open_account(self, number: int, name: str) -> None:
        r = self.random
        micro = r.choice((3, 50, 300, 2_000, 40_000)) * MICRO + r.randrange(MICRO)
        micro = min(2**64 - 1, micro * self.mark // MARK)
        deposit = Deposit(number, self.address(name), micro)
        self.world.item(InboxKind.DEPOSIT, encode_deposit(deposit))
        self.accounts.append(number)
        if r.random() < 0.3:
            floors = r.choice((0, self.sequence + 3)), r.choice((5, 2**32 - r.randint(3, 20)))
            self.change_account(number, sequence_floor=floors[0], key_epoch=floors[1])
        # Trading for good, all for a while, all but placing orders.
        for permissions, life in ((1, FAR), (7, 5_000), (6, FAR)):
            bot = self.address(f"{number}'s bot {permissions}")
            if r.random() < 0.8:
                tx = AddKey(number, self.next(), bot, self.now + life, permissions, self.now)
                self.send(tx, self.account(number).owner)

    # --- what there is ---

    @property
    def now(self) -> int:
        return self.world.machine.time

    def account(self, number: int) -> Account:
        return self.world.state.account(number)

    def market(self, number: int) -> Market:
        found = self.world.state.market(number)
        assert found is not None
        return found

    def row(self, number: int) -> BoardRow:
        found = self.world.state.row(number)
        assert found is not None
        return found

    def an_order(self) -> tuple[int, int, RestingOrder] | None:
        """Market, key and order of anything that rests, if anything does."""
        holders = [n for n in self.accounts if self.account(n).orders]
        if not holders:
            return None
        place = self.random.choice(self.account(self.random.choice(holders)).orders)
        resting = self.world.state.order(place.market, place.side, place.key)
        assert resting is not None
        return place.market, place.key, resting

    def change_account(self, number: int, **fields: object) -> None:
        """Write an account's fields by hand."""
        after = replace(self.account(number), **fields)
        self.world.write(lambda changes: changes.write_account(number, after))

    def change_market(self, number: int, **fields: object) -> None:
        """Write a market's fields by hand."""
        after = replace(self.market(number), **fields)
        self.world.write(lambda changes: changes.write_market(after))

    def change_row(self, number: int, **fields: object) -> None:
        """Write the fields of a market's row by hand."""
        after = replace(self.row(number), **fields)

        def write(changes: Changes) -> None:
            changes.write_row(after)

        self.world.write(write)

    def seen_now(self, market: int, **fields: object) -> None:
        """The market's mark and its publishers' prices are of now, by hand."""
        self.change_row(market, time=self.now, **fields)
        publishers = self.market(market).publishers
        self.change_market(
            market, publishers=tuple(replace(one, time=self.now) for one in publishers)
        )

    # --- keys ---

    def address(self, name: str) -> bytes:
        """Of somebody who can sign here."""
        private, address = _known(name)
        self.keyring[address] = private
        return address

    def signer(
        self, number: int, may: Callable[[Account, int, int], bool] = may_trade
    ) -> tuple[int, bytes]:
        """An epoch and who signs for it: mostly a key that may."""
        r, account = self.random, self.account(number)
        epochs = [key.epoch for key in account.keys if may(account, key.epoch, self.now)]
        epoch = r.choice(epochs) if epochs and r.random() < 0.3 else 0
        if r.random() < 0.06:
            others = [key.epoch for key in account.keys]
            epoch = r.choice((*others, account.key_epoch, account.key_epoch + 1)) % 2**32
        key = account.key(epoch)
        return epoch, key.address if key is not None else account.owner

    def send(self, tx: Transaction, *signers: bytes) -> Status:
        """Signed by each of `signers`: two of a block trade, none of a header."""
        if signers and self.random.random() < 0.01:
            tx = self._misplaced(tx)
        on = ELSEWHERE if self.random.random() < 0.004 else DOMAIN
        signature = b"".join(self._signature(tx, signer, on) for signer in signers)
        row = Row(*encode_transaction(tx), signature)
        self.sent = [*self.sent[-60:], row]
        return self.world.run_row(row)

    def _misplaced(self, tx: Transaction) -> Transaction:
        """Of an account that nobody has, where a transaction is of an account."""
        number = self.random.choice((0, 2**32 - 1, 77 << 8))
        for name in self.random.sample(("account", "maker", "taker"), 3):
            if hasattr(tx, name):
                return replace(tx, **{name: number})
        return tx

    def _signature(self, tx: Transaction, signer: bytes, on: Domain) -> bytes:
        r = self.random
        if r.random() < 0.006:
            signer = r.choice((ZERO_ADDRESS, self.address("mallory"), *self.keyring))
        private = self.keyring.get(signer)
        digest = self.digest(tx, on)
        if private is None or digest is None:
            return r.choice((r.randbytes(SIGNATURE_BYTES), bytes(SIGNATURE_BYTES)))
        signature = sign(digest, private)
        return spoiled(r, signature) if r.random() < 0.012 else signature

    def digest(self, tx: Transaction, on: Domain = DOMAIN) -> bytes | None:
        """What is signed; None of a transaction that nobody can sign."""
        assert not isinstance(tx, Header)
        try:
            return digest_of(on, tx)
        except (ValueError, IndexError, KeyError, AssertionError):
            return None

    # --- dice ---

    def next(self) -> int:
        """A sequence number: mostly a new one."""
        self.sequence += self.random.choice((1, 1, 2))
        return max(0, self.sequence - self.random.choice((*[0] * 60, 1, 900)))

    def expiry(self) -> int:
        return self.now + self.random.choice((*[1_000] * 12, 0, -1))

    def any_market(self) -> int:
        return self.random.choice(sorted(self.listed))

    def any_account(self) -> int:
        return self.random.choice(self.accounts)

    def affordable(self, number: int) -> int:
        """About what the account's cash is margin for."""
        cash = min(self.account(number).cash, 2**80)
        return max(1, max(0, cash) * self.random.randint(1, 30) // self.mark)


@cache
def _known(name: str) -> tuple[bytes, bytes]:
    private = name_hash(name)
    return private, address_of(private)


def spoiled(r: Random, signature: bytes) -> bytes:
    """The same with a fault: another parity, the other s, numbers out of range, a flipped bit."""
    first, second = signature[:32], int.from_bytes(signature[32:])
    parity, s = second >> 255, second & (2**255 - 1)
    half = CURVE_ORDER >> 1
    numbers = (
        (1 - parity) << 255 | s,
        (1 - parity) << 255 | (CURVE_ORDER - s) % 2**255,
        parity << 255,
        *(parity << 255 | half + more for more in (0, 1, 2)),
        second ^ 1 << r.randrange(255),
    )
    firsts = (bytes(32), CURVE_ORDER.to_bytes(32), (CURVE_ORDER + 1).to_bytes(32), b"\xff" * 32)
    if r.random() < 0.4:
        return r.choice(firsts) + signature[32:]
    return first + r.choice(numbers).to_bytes(32)
