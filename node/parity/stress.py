"""The venue on which steps cost the most: full accounts, full boards, deep books, full branches.

Leaves are written directly, through the layer that steps write, so that sums and references
hold; trading such a state into being would take ages.
"""

from itertools import cycle
from random import Random

from msgspec.structs import replace

from node.parity.holdings import exchange
from node.parity.listings import name_hash
from node.parity.world import NOW
from node.signatures import address_of
from state.accounts import (
    PERMISSIONS_ALL,
    Account,
    OrderReference,
    SessionKey,
    with_order,
)
from state.crypto import keccak
from state.limits import (
    ACCOUNT_KEYS_MAX,
    ACCOUNT_ORDERS_MAX,
    ACCOUNTS_DEPTH,
    BOOK_DEPTH,
    MARKETS_MAX,
    ORDER_NUMBER_MAX,
    PUBLISHERS_MAX,
    WITHDRAWALS_DEPTH,
)
from state.markets import BoardRow, Market, Publisher, Tier
from state.memory import MemoryState
from state.orders import BUY, SELL, RestingOrder, key_ticks, order_key
from state.resting import with_resting_lots
from state.store import Changes
from state.transactions.list_market import Listing, apply_list_market, encode_listing
from state.withdrawals import Withdrawal

TAKER, MAKER = 0x00ABCD12, 0x00123477
ACCOUNTS = 4_096
BOOK_ORDERS = 2_000
TICK = 100
FAR = NOW + 86_400
BEST_ASK = 2**23
"""Has one bit set, so that 23 of its 24 price bits can have an order on the right."""

BID = 2**22 + 0x12345
TRADED = 0
RICH = 10**16
WITHDRAWALS = 2 ** (WITHDRAWALS_DEPTH >> 2) - 1
"""The branch of the next is as long as a few can make it."""

TIERS = tuple(Tier(start, 50_000, 30_000) for start in (0, 10**6, 10**7, 10**8))
"""A position of one lot reaches into each."""

SESSION, OWNER = name_hash("session"), name_hash("owner")
PUBLISHER_KEYS = {
    address_of(key): key for key in (name_hash(f"publisher {at}") for at in range(PUBLISHERS_MAX))
}


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


def terms_of(market: int) -> Listing:
    """A listing whose every margin is worked out over four tiers and open interest."""
    return Listing(
        market=market,
        symbol=b"%d-USD-PERP" % market,
        lot_exponent=6,
        tick=TICK,
        min_notional=1,
        order_lots_max=10**12,
        band=100_000,
        taker_fee=500,
        maker_fee=100,
        order_life_max=90 * 86_400,
        open_interest_max=10**15,
        position_max=10**13,
        price_age_max=3_600,
        tiers=TIERS,
        publishers=((next(iter(PUBLISHER_KEYS)), 1, 1),),
        interest_lower=1,
        interest_upper=2**96 - 1,
    )


class FullestVenue:
    """`state`, which no batch is running on. Every market has so many `publishers`."""

    def __init__(
        self,
        *,
        publishers: int = PUBLISHERS_MAX,
        maker_cash: int = RICH,
        withdrawals: int = WITHDRAWALS,
    ) -> None:
        self.publishers, self.maker_cash = publishers, maker_cash
        self.state = MemoryState()
        self.state.machine.time = NOW
        self.random = Random(11)  # noqa: S311  (the same venue every time)
        self.changes = Changes(self.state)
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
        self._fill_withdrawals(withdrawals)
        machine = self.changes.machine
        machine.deposited = machine.sums.cash + machine.withdrawn
        self.state.apply(self.changes)
        self.state.cut()

    def _list_markets(self) -> None:
        addresses = sorted(list(PUBLISHER_KEYS)[: self.publishers])
        signed = tuple(Publisher(one, 1, 1, 1, NOW - 60) for one in addresses)
        mark = BEST_ASK * TICK
        for number in MARKETS:
            assert apply_list_market(self.changes, encode_listing(terms_of(number))) == 0
            market, row = self._market(number), self._row(number)
            self.changes.write_market(
                replace(market, publishers=signed, next_order=ORDER_NUMBER_MAX)
            )
            seen = replace(row, mark=mark, slow_mark=mark - 1, index=mark, time=NOW - 60)
            self.changes.write_row(seen)

    def _market(self, number: int) -> Market:
        found = self.changes.market(number)
        assert found is not None
        return found

    def _row(self, number: int) -> BoardRow:
        found = self.changes.row(number)
        assert found is not None
        return found

    def _open_accounts(self) -> None:
        """4,096 accounts, one beside every level of the taker's and the maker's branch."""
        beside = {n ^ 1 << bit for n in (TAKER, MAKER) for bit in range(ACCOUNTS_DEPTH)}
        numbers = beside - {TAKER, MAKER}
        while len(numbers) < ACCOUNTS - 2:
            numbers.add(self.random.randrange(1 << 8, 1 << ACCOUNTS_DEPTH))
        self.fillers = sorted(numbers - {TAKER, MAKER})
        owner = address_of(OWNER)
        for number in self.fillers:
            # A transfer stays with one owner: the taker's own is beside it.
            held_by = owner if number == TAKER ^ 1 else keccak(bytes([number & 255]))[:20]
            self.changes.write_account(number, Account(owner=held_by, cash=RICH))
        keys = tuple(
            SessionKey(epoch, address_of(SESSION), epoch, FAR, PERMISSIONS_ALL)
            for epoch in range(1, ACCOUNT_KEYS_MAX + 1)
        )
        for number, cash in ((TAKER, RICH), (MAKER, self.maker_cash)):
            account = Account(owner=owner, cash=cash, key_epoch=ACCOUNT_KEYS_MAX, keys=keys)
            self.changes.write_account(number, account)

    def _hold(self, number: int, markets: list[int], lots: int, against: int) -> None:
        """`number` long and `against` short in each of `markets`."""
        for market in markets:
            exchange(self.changes, number, against, market, lots)

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
        """As many resting orders as an account may have, less one that comes and goes."""
        while len(self.changes.account(number).orders) < ACCOUNT_ORDERS_MAX:
            ticks = BEST_ASK + len(self.changes.account(number).orders)
            self.rest(number, market, SELL, order_key(SELL, ticks, 0))

    def _fill_withdrawals(self, count: int) -> None:
        for index in range(count):
            self.changes.append_withdrawal(Withdrawal(index, TAKER, bytes([1] * 20), 1))
            self.changes.machine.withdrawn += 1_000
