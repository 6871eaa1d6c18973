"""Keys and what L1 forces, by chance: revoked, rotated, and parameters under open positions."""

from reference_chance import FAR, Chance
from reference_driver import ZERO, address
from reference_markets import NOBODYS, any_listing, changed, otherwise_fixed, unsound

from state.status import Status
from state.transactions import AddKey, RevokeKey
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

LATE = 62
"""A market that is listed in the middle of a history."""


class Powers(Chance):
    """Owners, their keys, and the governor."""

    def add_key(self) -> None:
        r = self.random
        number, bot = r.choice(self.accounts), address(f"bot {r.randrange(99)}")
        expiry = r.choice((self.now + FAR, self.now + FAR, self.now + 900, 2**40 - 1, self.now))
        permissions = r.choice((1, 3, 7, 7, 2, 4))
        if r.random() < 0.2:
            bot, expiry, permissions = r.choice(
                (
                    (ZERO, expiry, permissions),
                    (self.holder(number).owner, expiry, permissions),
                    (bot, self.now - 1, permissions),
                    (bot, expiry, r.choice((0, 8, 9, 2**15))),
                )
            )
        tx = AddKey(number, self._next(), bot, expiry, permissions, self._expiry())
        self.twins.run(tx, self._owner(number))

    def revoke_key(self) -> None:
        number = self.random.choice(self.accounts)
        tx = RevokeKey(number, self._next(), self._epoch(number), self._expiry())
        self.twins.run(tx, self._owner(number))

    def _epoch(self, number: int) -> int:
        """Mostly one of a session key that the account has."""
        r, holder = self.random, self.holder(number)
        session = sorted(set(holder.keys) - {0})
        gone = 0, holder.key_epoch, max(0, holder.key_epoch - 2), 2**32 - 1
        return r.choice(session) if session and r.random() < 0.8 else r.choice(gone)

    # --- L1 ---

    def force_revoke(self) -> None:
        number = self.random.choice(self.accounts)
        r, sender = self.random, self.holder(number).owner
        if r.random() < 0.2:
            own = [key.address for key in self.holder(number).keys.values()]
            sender = r.choice((ZERO, address("mallory"), r.choice(own)))
        rest = self._epoch(number).to_bytes(4, "big")
        self._force(InboxKind.REVOKE_KEY, sender, number, rest)

    def force_rotate(self) -> None:
        r, number = self.random, self.random.choice(self.accounts)
        owner, other = self.holder(number).owner, self.holder(r.choice(self.accounts)).owner
        new = address(f"{number} in {r.randrange(999)}")
        if r.random() < 0.5:
            # Whoever follows again ends no key, and a number may come back.
            new = r.choice((ZERO, owner, owner, other, address(f"{number} in 0")))
        sender = r.choice((owner, ZERO, new, address("mallory")))
        self._force(InboxKind.ROTATE_OWNER, sender, number, new)

    def _force(self, kind: InboxKind, sender: bytes, number: int, rest: bytes) -> None:
        r = self.random
        if r.random() < 0.2:
            number = r.choice((0, 2**32 - 1))
        payload = number.to_bytes(4, "big") + rest
        if r.random() < 0.05:
            payload = r.choice((payload[:-1], payload + b"\0", b""))
        self.twins.item(kind, sender, payload)

    def set_parameters(self) -> None:
        r = self.random
        market = self.listed[self._market()]
        after = changed(r, market)
        if r.random() < 0.2:
            after = otherwise_fixed(r, after)
        payload = encode_listing(after)
        if r.random() < 0.2:
            payload = unsound(r, after)
        if r.random() < 0.05:
            # Unknown, and perhaps unsound as well.
            unknown = r.choice((NOBODYS, after.market + 64))
            payload = unknown.to_bytes(2, "big") + payload[2:]
        if self.twins.item(InboxKind.SET_PARAMETERS, ZERO, payload) == Status.OK:
            self.listed[after.market] = after

    def list_market(self) -> None:
        r = self.random
        market = any_listing(r, r.choice((LATE, self._market(), self._market() + 64)))
        payload = encode_listing(market)
        if r.random() < 0.4:
            payload = unsound(r, market)
        if self.twins.item(InboxKind.LIST_MARKET, ZERO, payload) == Status.OK:
            self.listed[market.market] = market

    def deposit(self) -> None:
        """Into an account that is, or may be opened; whoever L1 names has it then."""
        r = self.random
        number = r.choice(self.accounts) ^ r.choice((0, 0, 0, 1, 2))
        known = self.twins.model.ledger.holders.get(number)
        owner = known.owner if known and r.random() < 0.7 else address("somebody")
        if r.random() < 0.05:
            owner = ZERO
        status = self.twins.deposit(number, owner, r.randint(0, 50 * 10**6))
        if status == Status.OK and number not in self.accounts and len(self.accounts) < 14:
            self.accounts.append(number)
