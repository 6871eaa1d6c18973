"""Keys, owners and parameters by chance: what L1 forces, and what only looks like it."""

from msgspec.structs import replace

from node.parity.chance import FAR, NOBODYS, Chance, spoiled
from node.parity.listings import any_listing, changed, otherwise_fixed, unsound
from node.signatures import CURVE_ORDER, recover
from state.accounts import PERMISSIONS_ALL
from state.chunks import Row
from state.crypto import ZERO_ADDRESS
from state.status import Status
from state.transactions import AddKey, Cancel, RevokeKey, encode_transaction
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import ROW_WIDTHS, SIGNATURE_WIDTHS, InboxKind, Kind
from state.transactions.list_market import encode_listing


class Powers(Chance):
    """Owners, their keys, and the governor."""

    def add_key(self) -> None:
        r, number = self.random, self.any_account()
        bot = self.address(f"bot {r.randrange(99)}")
        expiry = r.choice((self.now + FAR, self.now + FAR, self.now + 900, 2**40 - 1, self.now))
        permissions = r.choice((1, 3, 7, 7, 2, 4))
        if r.random() < 0.2:
            bot, expiry, permissions = r.choice(
                (
                    (ZERO_ADDRESS, expiry, permissions),
                    (self.account(number).owner, expiry, permissions),
                    (bot, self.now - 1, permissions),
                    (bot, expiry, r.choice((0, 8, 9, 2**15))),
                )
            )
        tx = AddKey(number, self.next(), bot, expiry, permissions, self.expiry())
        self.send(tx, self.account(number).owner)

    def revoke_key(self) -> None:
        number = self.any_account()
        tx = RevokeKey(number, self.next(), self._epoch(number), self.expiry())
        self.send(tx, self.account(number).owner)

    def _epoch(self, number: int) -> int:
        """Mostly one of a session key that the account has."""
        r, account = self.random, self.account(number)
        session = [key.epoch for key in account.keys]
        gone = 0, account.key_epoch, max(0, account.key_epoch - 2), 2**32 - 1
        return r.choice(session) if session and r.random() < 0.8 else r.choice(gone)

    def crafted_key(self) -> None:
        """A key that nobody has, whose signature was there first: with s at its upper bound.

        One past the bound, or with the other parity, it would be the same signer's.
        """
        r = self.random
        number = self.any_account()
        account = self.account(number)
        if len(account.keys) == 4 and account.key_epoch < 2**32 - 1:
            epoch = account.keys[0].epoch
            self.send(RevokeKey(number, self.next(), epoch, self.expiry()), account.owner)
            account = self.account(number)
        epoch = account.key_epoch + 1
        if epoch > 2**32 - 1:
            return
        tx = Cancel(number, epoch, 2**64 - 2, 0, 3, self.now + 1_000)
        digest = self.digest(tx)
        assert digest is not None
        half = CURVE_ORDER >> 1
        low = r.randbytes(32) + (r.randrange(2) << 255 | half).to_bytes(32)
        signer = recover(digest, low)
        if signer == ZERO_ADDRESS:
            return
        added = AddKey(number, self.next(), signer, self.now + FAR, PERMISSIONS_ALL, self.now)
        self.send(added, account.owner)
        parity = low[32] >> 7
        high = low[:32] + ((1 - parity) << 255 | half + 1).to_bytes(32)
        for signature in (high, spoiled(r, low), low):
            self.world.run_row(Row(*encode_transaction(tx), signature))

    # --- L1 ---

    def force_revoke(self) -> None:
        r, number = self.random, self.any_account()
        account = self.account(number)
        sender = account.owner
        if r.random() < 0.3:
            own = [key.address for key in account.keys]
            sender = r.choice((ZERO_ADDRESS, self.address("mallory"), *own))
        rest = self._epoch(number).to_bytes(4, "big")
        self._force(InboxKind.REVOKE_KEY, sender, number, rest)

    def force_rotate(self) -> None:
        """To an heir, to whoever has it, back again, to nobody."""
        r, number = self.random, self.any_account()
        owner, other = self.account(number).owner, self.account(self.any_account()).owner
        new = self.address(f"{number} in {r.randrange(99)}")
        if r.random() < 0.5:
            new = r.choice((ZERO_ADDRESS, owner, owner, other, self.address(f"{number} in 0")))
        sender = r.choice((owner, ZERO_ADDRESS, new, self.address("mallory")))
        self._force(InboxKind.ROTATE_OWNER, sender, number, new)

    def _force(self, kind: InboxKind, sender: bytes, number: int, rest: bytes) -> None:
        r = self.random
        if r.random() < 0.15:
            number = r.choice((0, 2**32 - 1))
        payload = number.to_bytes(4, "big") + rest
        if r.random() < 0.1:
            payload = r.choice((payload[:-1], payload + b"\0", b"", payload[:4]))
        self.world.item(kind, payload, sender)

    def set_parameters(self) -> None:
        r = self.random
        market = self.listed[self.any_market()]
        after = changed(r, market, self.publishers)
        if r.random() < 0.2:
            after = otherwise_fixed(r, after)
        payload = encode_listing(after)
        if r.random() < 0.2:
            payload = unsound(r, after, self.publishers)
        if r.random() < 0.08:
            # Unknown, and perhaps unsound as well.
            unknown = r.choice((NOBODYS, after.market ^ 64))
            payload = unknown.to_bytes(2, "big") + payload[2:]
        self.world.item(InboxKind.SET_PARAMETERS, payload)
        if self.world.machine.status == Status.OK and self.world.pending is None:
            self.listed[after.market] = after if payload == encode_listing(after) else market

    def list_market(self) -> None:
        """A new one, one whose place is taken, or what is none."""
        r = self.random
        free = sorted(set(range(64)) - {number % 64 for number in self.listed})
        numbers = [self.any_market(), self.any_market() ^ 64, *free[:1]]
        market = any_listing(r, r.choice(numbers), self.publishers[0])
        payload = encode_listing(market)
        if r.random() < 0.5:
            payload = unsound(r, market, self.publishers)
        status = self.world.item(InboxKind.LIST_MARKET, payload)
        if status == Status.OK and self.world.pending is None:
            number = int.from_bytes(payload[:2])
            self.listed[number] = replace(market, market=number)

    def deposit(self) -> None:
        """Into an account that is, or may be opened; whoever L1 names has it then."""
        r = self.random
        number = self.any_account() ^ r.choice((0, 0, 0, 1, 2))
        account = self.account(number)
        owner = self.address("somebody")
        if not account.is_absent and r.random() < 0.8:
            owner = account.owner
        owner = ZERO_ADDRESS if r.random() < 0.08 else owner
        payload = encode_deposit(Deposit(number, owner, r.randint(0, 50 * 10**6)))
        if r.random() < 0.08:
            payload = r.choice((payload[:-1], payload + b"\0", b""))
        status = self.world.item(InboxKind.DEPOSIT, payload)
        is_new = number not in self.accounts and not self.account(number).is_absent
        if status == Status.OK and is_new and len(self.accounts) < 16:
            self.accounts.append(number)

    def no_item(self) -> None:
        """What L1 never makes: another kind, or any bytes."""
        r = self.random
        kind = r.choice((0, 6, 7, 255, *InboxKind))
        self.world.item(
            kind, r.randbytes(r.choice((0, 8, 24, 32, 33, 300, 1_024))), r.randbytes(20)
        )

    # --- noise ---

    def replay(self) -> None:
        """Something that was said before, byte by byte."""
        if self.sent:
            self.world.run_row(self.random.choice(self.sent))

    def noise(self) -> None:
        """Random bytes of any kind, or a row that was sent with one bit flipped."""
        r = self.random
        if self.sent and r.random() < 0.5:
            row = r.choice(self.sent)
            flipped = bytearray(row.row)
            flipped[r.randrange(len(flipped))] ^= 1 << r.randrange(8)
            self.world.run_row(Row(row.kind, bytes(flipped), row.signature))
            return
        kind = r.choice(tuple(Kind))
        if kind == Kind.HEADER:
            return
        row_bytes = bytearray(r.randbytes(ROW_WIDTHS[kind]))
        if r.random() < 0.7 and kind != Kind.PRICE:
            row_bytes[:4] = self.any_account().to_bytes(4)
        self.world.run_row(Row(kind, bytes(row_bytes), r.randbytes(SIGNATURE_WIDTHS[kind])))
