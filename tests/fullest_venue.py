"""The venue that makes the largest witnesses: full accounts, full boards, full branches.

Leaves are written directly, through the layer that steps write, so that sums and
references hold; trading such a state into being would take ages.
"""

from dataclasses import dataclass, field
from itertools import cycle
from random import Random

from builders import DOLLAR, DOMAIN, FAR, NOW, key, listing
from msgspec.structs import replace

from state.accounts import (
    PERMISSIONS_ALL,
    Account,
    OrderReference,
    Position,
    SessionKey,
    with_order,
)
from state.batch import BatchHeader, encode_header
from state.commitment import Committer
from state.crypto import keccak
from state.invariants import check_invariants
from state.limits import (
    ACCOUNT_KEYS_MAX,
    ACCOUNT_ORDERS_MAX,
    ACCOUNTS_DEPTH,
    BATCH_STEPS_MAX,
    BOOK_DEPTH,
    MARKETS_MAX,
    ORDER_NUMBER_MAX,
)
from state.markets import Publisher, Tier
from state.memory import MemoryState
from state.orders import BUY, SELL, RestingOrder, key_ticks, order_key
from state.resting import with_resting_lots
from state.store import Changes
from state.transactions.list_market import apply_list_market, encode_listing

TAKER, MAKER = 0x00ABCD12, 0x00123477
ACCOUNTS = 4_096
BOOK_ORDERS = 2_000
TICK = 100
# The best ask has one bit set, so that 23 of its 24 price bits can have an order on the right.
BEST_ASK = 2**23
BID = 2**22 + 0x12345
TRADED = 0
RICH = 10**7 * DOLLAR
TIERS = tuple(Tier(start * DOLLAR, 50_000, 30_000) for start in (0, 10**6, 10**7, 10**8))
SESSION = key("session")


def market_numbers() -> list[int]:
    """A market per row; the branch of `TRADED` has a market on every one of its 16 levels."""
    high = dict(zip((3, 5, 6, 7, 9, 10, 11, 12, 13, 14), range(6, 16), strict=True))
    return [row | (1 << high[row] if row in high else 0) for row in range(MARKETS_MAX)]


MARKETS = market_numbers()
# Even rows only: beside each stands one that must be proven away by a sibling.
TAKER_MARKETS = [MARKETS[row] for row in range(0, 32, 2)]
MAKER_MARKETS = [TRADED, *(MARKETS[row] for row in range(32, 62, 2))]
CANCELLED = (MARKETS[2], SELL, order_key(SELL, 0x555555, 0x55_5555_5555))
"""The taker's order that has an order beside it on every one of its 64 levels."""


@dataclass
class FullestVenue:
    """Build it, then `open` it with the chunk that the next steps read."""

    publishers: int = 1
    maker_cash: int = RICH
    state: MemoryState = field(default_factory=MemoryState)

    def __post_init__(self) -> None:
        self.random = Random(11)  # noqa: S311  (a seed must reproduce a failure)
        self.changes = Changes(self.state)
        self.numbers = dict.fromkeys((BUY, SELL), 0)
        self._list_markets()
        self._open_accounts()
        self._hold(TAKER, TAKER_MARKETS[1:], 3, self.fillers[0])
        self._hold(MAKER, MAKER_MARKETS[1:], 3, self.fillers[1])
        self._hold(TAKER, [TRADED], 5, MAKER)
        self.owners = cycle(self.fillers[2:])
        self._fill_traded_books()
        self._fill_cancelled_book()
        self._fill_references(TAKER, TAKER_MARKETS[3])
        self._fill_references(MAKER, MAKER_MARKETS[3])
        self.changes.machine.deposited = self.changes.machine.sums.cash
        self.state.apply(self.changes)
        check_invariants(self.state)
        self.committer = Committer(self.state)
        self.committer.commit()

    def open(self, chunk: bytes) -> None:
        """In the middle of a batch, at the first row of `chunk`."""
        header = BatchHeader(
            number=1,
            parent=DOMAIN.genesis_hash,
            inbox_from=0,
            inbox_to=0,
            inbox_accumulator=bytes(32),
            origin_number=0,
            origin_hash=bytes(32),
            time_min=NOW,
            time_max=FAR,
        )
        changes = Changes(self.state)
        machine = changes.machine
        machine.batch, machine.batch_hash = 1, keccak(encode_header(header))
        machine.time, machine.time_max = NOW, FAR
        machine.step, machine.steps_left = 1, BATCH_STEPS_MAX - 1
        machine.chunk, machine.chunks, machine.row, machine.chunk_hash = 0, 1, 0, keccak(chunk)
        self.state.apply(changes)

    # --- leaves ---

    def _list_markets(self) -> None:
        publishers = sorted(key(f"publisher {at}").address for at in range(self.publishers))
        for number in MARKETS:
            terms = listing(number, tick=TICK, tiers=TIERS, symbol=b"%d-USD-PERP" % number)
            assert apply_list_market(self.changes, encode_listing(terms)) == 0
            market, row = self.changes.market(number), self.changes.row(number)
            assert market is not None and row is not None
            signed = tuple(Publisher(address, 1, 1, 1, NOW) for address in publishers)
            self.changes.write_market(
                replace(market, publishers=signed, next_order=ORDER_NUMBER_MAX)
            )
            mark = BEST_ASK * TICK
            self.changes.write_row(replace(row, mark=mark, slow_mark=mark, index=mark, time=NOW))

    def _open_accounts(self) -> None:
        """4,096 accounts, one beside every level of the taker's and the maker's branch."""
        beside = {n ^ 1 << bit for n in (TAKER, MAKER) for bit in range(ACCOUNTS_DEPTH)}
        numbers = beside - {TAKER, MAKER}
        while len(numbers) < ACCOUNTS - 2:
            numbers.add(self.random.randrange(1 << 8, 1 << ACCOUNTS_DEPTH))
        self.fillers = sorted(numbers - {TAKER, MAKER})
        for number in self.fillers:
            account = Account(owner=keccak(bytes([number & 255]))[:20], cash=RICH)
            self.changes.write_account(number, account)
        keys = tuple(
            SessionKey(epoch, SESSION.address, epoch, FAR, PERMISSIONS_ALL)
            for epoch in range(1, ACCOUNT_KEYS_MAX + 1)
        )
        for number, cash in ((TAKER, RICH), (MAKER, self.maker_cash)):
            owner = key(f"owner {number}").address
            account = Account(owner=owner, cash=cash, key_epoch=ACCOUNT_KEYS_MAX, keys=keys)
            self.changes.write_account(number, account)

    def _hold(self, number: int, markets: list[int], lots: int, against: int) -> None:
        """`number` long and `against` short in each of `markets`."""
        for market in markets:
            for holder, signed in ((number, lots), (against, -lots)):
                account = self.changes.account(holder)
                held = (*account.positions, Position(market, signed))
                positions = tuple(sorted(held, key=lambda position: position.market))
                self.changes.write_account(holder, replace(account, positions=positions))
            row = self.changes.row(market)
            assert row is not None
            long, short = (
                replace(side, lots=side.lots + lots, legs=side.legs + 1)
                for side in (row.long, row.short)
            )
            self.changes.write_row(replace(row, long=long, short=short))

    # --- books ---

    def rest(self, number: int, market: int, side: int, at: int, lots: int = 4) -> None:
        """An order of `number` at the key `at`."""
        account = self.changes.account(number)
        epoch, sequence = 1, len(account.orders) + 1
        account = with_order(account, OrderReference(epoch, sequence, market, side, at))
        account = with_resting_lots(account, market, side, lots)
        self.changes.write_account(number, account)
        order = RestingOrder(number, epoch, sequence, lots, FAR, side)
        self.changes.write_order(market, side, at, order)

    def _fill(self, market: int, side: int, keys: set[int]) -> None:
        for at in sorted(keys):
            self.rest(next(self.owners), market, side, at)

    def _fill_traded_books(self) -> None:
        """2,000 orders a side: beside the best ask, beside the bid to come, and anywhere."""
        front = order_key(SELL, BEST_ASK, 0)
        asks = {front ^ 1 << bit for bit in range(BOOK_DEPTH - 1)}
        self.rest(MAKER, TRADED, SELL, front)
        coming = order_key(BUY, BID, ORDER_NUMBER_MAX)
        bids = {coming ^ 1 << bit for bit in range(BOOK_DEPTH - 1)}
        while len(asks) < BOOK_ORDERS:
            ticks = self.random.randrange(BEST_ASK + 1, 2**24)
            asks.add(order_key(SELL, ticks, self.random.randrange(ORDER_NUMBER_MAX)))
        while len(bids) < BOOK_ORDERS:
            ticks = self.random.randrange(1, BEST_ASK)
            bids.add(order_key(BUY, ticks, self.random.randrange(ORDER_NUMBER_MAX)))
        assert min(asks) > front
        assert max(key_ticks(BUY, at) for at in bids) < BEST_ASK and coming not in bids
        self._fill(TRADED, SELL, asks)
        self._fill(TRADED, BUY, bids)

    def _fill_cancelled_book(self) -> None:
        market, side, at = CANCELLED
        self.rest(TAKER, market, side, at)
        self._fill(market, side, {at ^ 1 << bit for bit in range(BOOK_DEPTH)})

    def _fill_references(self, number: int, market: int) -> None:
        """As many resting orders as an account may have."""
        while len(self.changes.account(number).orders) < ACCOUNT_ORDERS_MAX:
            ticks = BEST_ASK + len(self.changes.account(number).orders)
            self.rest(number, market, SELL, order_key(SELL, ticks, 0))
