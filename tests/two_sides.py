"""Both halves of the stick at once: the contract's inbox, and a venue that takes it up later.

What lies between is where somebody races: L1 has decided and L2 does not know yet.
"""

from builders import FAR, MICRO_DOLLAR, Venue, key
from evm_engines import Pyrevm
from rollup_world import World

from contracts import calls, views
from contracts.events import InboxItemLog
from state.status import Status
from state.transactions import AddKey, Transaction, Transfer, Withdraw


class TwoSides:
    """People are called by name; accounts are numbers, the first owner's from 256 on."""

    def __init__(self) -> None:
        self.world = World(Pyrevm())
        self.venue = Venue()
        self.waiting: list[InboxItemLog] = []

    # --- L1 ---

    def deposit(self, name: str, dollars: int, subaccount: int = 0) -> int:
        """The account that L1 says it is for."""
        owner = key(name).address
        self.world.mint(owner, dollars * MICRO_DOLLAR)
        data = calls.deposit(amount=dollars * MICRO_DOLLAR, subaccount=subaccount)
        self._append(data, name)
        return int(self.world.read(views.OWNER_NUMBERS, owner)) << 8 | subaccount

    def rotate(self, name: str, account: int, new_owner: str) -> None:
        """With the new owner's consent where the number moves."""
        address = key(new_owner).address
        if self.owner_on_l1(account) == key(name).address:
            self.world.send(calls.accept_number(account >> 8), address)
        self._append(calls.rotate_owner(account=account, new_owner=address), name)

    def revoke(self, name: str, account: int, key_epoch: int) -> None:
        self._append(calls.revoke_key(account=account, key_epoch=key_epoch), name)

    def _append(self, data: bytes, name: str) -> None:
        receipt = self.world.send(data, key(name).address)
        found = [log for log in self.world.logs(receipt) if isinstance(log, InboxItemLog)]
        self.waiting += found
        assert len(found) == 1

    def owner_on_l1(self, account: int) -> bytes:
        return self.world.read(views.NUMBER_OWNERS, account >> 8)

    # --- L2 ---

    def take(self, count: int | None = None) -> list[Status]:
        """What becomes of the next items of the inbox, or of all that wait."""
        taken = self.waiting[:count]
        del self.waiting[: len(taken)]
        return [self.venue.item(item.kind, item.payload, item.sender) for item in taken]

    def transfer(self, name: str, account: int, to_account: int, nano: int = 1) -> Status:
        return self.send(name, Transfer(account, self._next(), to_account, nano, FAR))

    def withdraw(self, name: str, account: int, dollars: int) -> Status:
        amount = dollars * MICRO_DOLLAR
        return self.send(name, Withdraw(account, self._next(), key(name).address, amount, FAR))

    def add_key(self, name: str, account: int, bot: str) -> Status:
        return self.send(name, AddKey(account, self._next(), key(bot).address, FAR, 1, FAR))

    def send(self, name: str, tx: Transaction) -> Status:
        return self.venue.send(name, tx).status

    def _next(self) -> int:
        return next(self.venue.sequences)

    def owns(self, account: int) -> bytes:
        """Whoever signs for the account on L2."""
        return self.venue.state.account(account).owner

    def cash(self, account: int) -> int:
        """Nano-USD."""
        return self.venue.state.account(account).cash
