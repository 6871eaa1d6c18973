"""Batches to dispute: trading of so many steps, and the step that is the dearest of all."""

from collections.abc import Iterator

from msgspec.structs import replace

from contracts import calls
from node.benchmark.flow import Flow, FlowMessage, Trader
from node.devnet.listings import TICK, listings
from node.parity.disputed_venue import GOVERNOR, DisputedVenue, PlayedBatch
from node.parity.holdings import exchange
from node.parity.local_l1 import address_of, key_of
from node.parity.stress import BEST_ASK, FAR, MAKER, SESSION, TAKER, TRADED, FullestVenue
from node.parity.worst import EPOCH, SEQUENCE
from node.rpc.messages import digest_of
from node.signatures import sign
from state.limits import BATCH_STEPS_MAX, ORDER_FRONTS_MAX
from state.margin import health
from state.memory import MemoryState
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.status import Status
from state.store import Changes
from state.transactions import Cancel, NewOrder, SignedPrice
from state.transactions.kinds import Kind
from state.transactions.list_market import encode_listing

PUBLISHER = "frank"
PEOPLE = ("alice", "bob", "carol", "dave")
MAKERS = 6
"""Accounts whose 64 orders each rest where killed orders meet them."""

MARK_TICKS = 600_000
DEPOSIT_MICRO = 100_000 * 10**6
LIFE_SECONDS = 20 * 86_400
PRICE_AGE_MAX = 86_400
LOTS = 1_000
BESIDE_TICKS = 500
KILLED_STEPS = 1 + 1 + ORDER_FRONTS_MAX + 1
"""ADMIT, SAVE, a step a front, RESTORE."""

DEAREST_STEPS = 7
"""BOOT, OPEN, an order from its ADMIT to its end, HALT: few roots to publish."""

TRADED_SHARE, TRADED_MAX = 4, 1_000
"""One of so many steps, and no more of them, is of orders that trade, rest and are cancelled."""

MESSAGE_STEPS_MAX = 16
"""Above what one of those orders takes, with the opening of a chunk."""


class TradingVenue(DisputedVenue):
    """Four people with many accounts, one market and a book that is deep enough."""

    def __init__(self) -> None:
        super().__init__()
        publisher = address_of(PUBLISHER)
        (listing, *_) = listings(publisher, PRICE_AGE_MAX)
        self.send(GOVERNOR, calls.list_market(encode_listing(listing)))
        self.traders: list[Trader] = []
        for number, name in enumerate(PEOPLE, 1):
            for subaccount in range(4):
                self.deposit(name, subaccount, DEPOSIT_MICRO)
                account = number << 8 | subaccount
                self.traders.append(Trader(account, address_of(name), key_of(name)))
        expiry = self.l1.time + LIFE_SECONDS
        people = self.traders[MAKERS:-1]
        self._flow = Flow(people, seed=1, ticks=MARK_TICKS, expiry=expiry)
        self._flowing: Iterator[tuple[int, FlowMessage]] = self._messages()
        self._expiry, self._sequence = expiry, 0
        self._people = people
        self._open()

    def _messages(self) -> Iterator[tuple[int, FlowMessage]]:
        yield from self._flow.begin()
        while True:
            yield from self._flow.take(8)

    def _open(self) -> None:
        """The first batch: the inbox, a price, and the orders that killed ones will meet."""
        self._tick()
        self.take_items()
        self._price()
        for trader in self.traders[:MAKERS]:
            for at in range(64):
                ticks = MARK_TICKS + BESIDE_TICKS + at
                assert self._order(trader, SELL, ticks, LOTS, Life.GTC) == Status.OK
        self.first = self.post()

    def trade(self, steps: int) -> PlayedBatch:
        """A batch of so many steps, posted and executed; of one fewer where none fits any more."""
        self._tick()
        self._price()
        traded = min(steps // TRADED_SHARE, TRADED_MAX)
        while self._left(steps) >= MESSAGE_STEPS_MAX and self.sequencer.can_take(Kind.ORDER):
            if self._done() >= traded and self._left(steps) >= KILLED_STEPS + 1:
                self._killed()
            else:
                self._message()
        while self._left(steps) >= 2:
            self._refused()
        return self.post()

    def _done(self) -> int:
        return self.sequencer.state.machine.step

    def _left(self, steps: int) -> int:
        """Steps that the open batch may still take before its HALT."""
        return min(steps, BATCH_STEPS_MAX) - 1 - self._done()

    def _tick(self) -> None:
        self.sequencer.advance_clock(self.l1.time)

    def _price(self) -> None:
        price = SignedPrice(0, MARK_TICKS * TICK, self.sequencer.time)
        receipt = self.sequencer.submit(
            price, sign(digest_of(self.domain, price), key_of(PUBLISHER))
        )
        assert receipt.status == Status.OK

    def _message(self) -> None:
        at, tx = next(self._flowing)
        status = self._submit(tx, self._people[at].private_key)
        assert status == Status.OK, f"{tx}: {status.name}"

    def _killed(self) -> None:
        """An order that meets as many fronts as one may, and is killed: what it did is undone."""
        lots = LOTS * 64 * MAKERS + 1
        trader = self.traders[-1]
        status = self._order(trader, BUY, MARK_TICKS + 2 * BESIDE_TICKS, lots, Life.FOK)
        assert status == Status.KILLED, status.name

    def _refused(self) -> None:
        """One step: a cancel of nothing uses up its sequence number."""
        self._sequence += 1
        trader = self.traders[-1]
        nothing = Cancel(trader.account, 0, self._sequence, 0, 10**9, self._expiry)
        assert self._submit(nothing, trader.private_key) == Status.UNKNOWN_ORDER

    def _order(self, trader: Trader, side: int, ticks: int, lots: int, life: Life) -> Status:
        self._sequence += 1
        flags = encode_flags(Flags(side, life=life))
        tx = NewOrder(trader.account, 0, self._sequence, 0, flags, ticks, lots, self._expiry)
        return self._submit(tx, trader.private_key)

    def _submit(self, tx: FlowMessage, key: bytes) -> Status:
        return Status(self.sequencer.submit(tx, sign(digest_of(self.domain, tx), key)).status)


def dearest_state() -> MemoryState:
    """The fullest venue, as a genesis that no deposit paid for: the market's pool owes it all.

    A maker and a taker who are both short of margin are about to trade, and either is compared
    with what it was before.
    """
    state = FullestVenue(withdrawals=0).state
    changes = Changes(state)
    exchange(changes, MAKER, TAKER, TRADED, 10)
    for number in (TAKER, MAKER):
        account = changes.account(number)
        found = health(changes, account)
        cash = account.cash - found.equity + (found.initial >> 1)
        changes.write_account(number, replace(account, cash=cash))
    market = changes.market(TRADED)
    assert market is not None
    owed = changes.machine.sums.cash + market.pool
    changes.write_market(replace(market, pool=market.pool - owed))
    changes.machine.deposited = changes.machine.withdrawn = 0
    state.apply(changes)
    state.cut()
    assert state.machine.is_conserved
    return state


class DearestVenue(DisputedVenue):
    """One batch with one order in it, whose MATCH takes the largest witness that there is."""

    def __init__(self) -> None:
        state = dearest_state()
        super().__init__(state, state.machine.time)
        flags = encode_flags(Flags(BUY, life=Life.IOC, reduce_only=True))
        tx = NewOrder(TAKER, EPOCH, SEQUENCE, TRADED, flags, BEST_ASK, 5, FAR)
        signed = sign(digest_of(self.domain, tx), SESSION)
        assert self.sequencer.submit(tx, signed).fills
        self.played = self.post()

    @property
    def dearest_leaf(self) -> int:
        """Where the step with the largest witness leads."""
        steps = range(len(self.played.leaves))
        return max(steps, key=lambda at: len(self.show(self.played, at).witness.encode()))
