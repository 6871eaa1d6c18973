# pragma version 0.4.3
"""
@title A perpetual future the straightforward way: one market, all of it on L1
@notice What the benchmark compares the venue with: deposits, an order book of price levels,
        matching by price and time, a margin check and a mark price. An order is a transaction.
@dev No funding, liquidation, session keys or signed prices, all of which would cost more.
     Money is in nano-USD, prices in ticks, sizes in lots; a trader's orders are known by a
     sequence number that the trader chooses. Each side is a list of price levels, the best one
     first, each a queue of orders.
"""

from ethereum.ercs import IERC20

struct Account:
    cash: int256
    lots: int256
    open_buys: uint256
    open_sells: uint256

struct Order:
    owner: address
    lots: uint256
    behind: bytes32

struct Level:
    ticks: uint256
    first: bytes32
    last: bytes32
    worse: uint256

event Traded:
    maker: indexed(address)
    taker: indexed(address)
    is_buy: bool
    ticks: uint256
    lots: uint256

TICK: constant(uint256) = 100
NANO_PER_MICRO: constant(uint256) = 1_000
INITIAL_MARGIN: constant(uint256) = 50_000
TAKER_FEE: constant(uint256) = 500
MAKER_FEE: constant(uint256) = 100
RATE_ONE: constant(uint256) = 1_000_000
FRONTS_MAX: constant(uint256) = 64
LEVELS_MAX: constant(uint256) = 512

token: immutable(IERC20)
oracle: immutable(address)

mark: public(uint256)
fees: public(uint256)
accounts: public(HashMap[address, Account])
orders: public(HashMap[bytes32, Order])
levels: HashMap[bool, HashMap[uint256, Level]]
best: public(HashMap[bool, uint256])
trades: public(uint256)


@deploy
def __init__(asset: address):
    token = IERC20(asset)
    oracle = msg.sender


@external
def set_mark(ticks: uint256):
    """
    @notice The oracle's price.
    """
    assert msg.sender == oracle, "perp: not the oracle"
    assert ticks > 0, "perp: no price"
    self.mark = ticks


@external
def deposit(micro: uint256):
    """
    @notice Move `micro` of the token into the caller's account.
    """
    self.accounts[msg.sender].cash += convert(micro * NANO_PER_MICRO, int256)
    assert extcall token.transferFrom(msg.sender, self, micro), "perp: not paid"


@external
def withdraw(micro: uint256):
    """
    @notice Move out what the margin leaves free.
    """
    self.accounts[msg.sender].cash -= convert(micro * NANO_PER_MICRO, int256)
    assert self._has_margin(msg.sender), "perp: margin is too low"
    assert extcall token.transfer(msg.sender, micro), "perp: not paid"


@external
def place(sequence: uint64, is_buy: bool, ticks: uint256, lots: uint256, may_rest: bool) -> uint256:
    """
    @notice Trade up to `lots` at `ticks` or better; what is left rests if it may.
    @return The lots that were traded.
    """
    assert ticks > 0 and lots > 0, "perp: nothing to trade"
    name: bytes32 = self._name(msg.sender, sequence)
    assert self.orders[name].owner == empty(address), "perp: sequence is used"
    left: uint256 = self._take(is_buy, ticks, lots)
    if may_rest and left > 0:
        self._rest(name, is_buy, ticks, left)
    assert self._has_margin(msg.sender), "perp: margin is too low"
    return lots - left


@external
def cancel(sequence: uint64, is_buy: bool):
    """
    @notice Take an order of the caller's out of trading. It stays in its queue, empty, and
            leaves with the next trade that meets it.
    """
    name: bytes32 = self._name(msg.sender, sequence)
    lots: uint256 = self.orders[name].lots
    assert lots > 0, "perp: no such order"
    self.orders[name].lots = 0
    self._release(msg.sender, is_buy, lots)


@internal
def _take(is_buy: bool, limit: uint256, wanted: uint256) -> uint256:
    """
    @notice Trade against the other side from its best order on; what is left of `wanted`.
    """
    left: uint256 = wanted
    for _: uint256 in range(FRONTS_MAX):
        ticks: uint256 = self.best[not is_buy]
        if left == 0 or ticks == 0 or (ticks > limit if is_buy else ticks < limit):
            break
        level: Level = self.levels[not is_buy][ticks]
        front: Order = self.orders[level.first]
        lots: uint256 = min(left, front.lots)
        if lots > 0:
            self._release(front.owner, not is_buy, lots)
            self._trade(front.owner, is_buy, ticks, lots)
            left -= lots
        if lots < front.lots:
            self.orders[level.first].lots = front.lots - lots
        else:
            self._remove_front(is_buy, level)
    return left


@internal
def _trade(maker: address, is_buy: bool, ticks: uint256, lots: uint256):
    """
    @notice Move lots and money between the maker and the caller. Whoever is short of margin
            afterwards cannot have traded.
    """
    value: uint256 = lots * ticks * TICK
    taker_fee: uint256 = value * TAKER_FEE // RATE_ONE
    maker_fee: uint256 = value * MAKER_FEE // RATE_ONE
    moved: int256 = convert(lots, int256) if is_buy else -convert(lots, int256)
    paid: int256 = convert(value, int256) if is_buy else -convert(value, int256)
    self.accounts[msg.sender].lots += moved
    self.accounts[msg.sender].cash -= paid + convert(taker_fee, int256)
    self.accounts[maker].lots -= moved
    self.accounts[maker].cash += paid - convert(maker_fee, int256)
    self.fees += taker_fee + maker_fee
    self.trades += 1
    assert self._has_margin(maker), "perp: maker's margin is too low"
    log Traded(maker=maker, taker=msg.sender, is_buy=is_buy, ticks=ticks, lots=lots)


@internal
def _remove_front(is_buy: bool, level: Level):
    """
    @notice The first order of the other side's best level is done, and the level with its last.
    """
    if level.first == level.last:
        self.best[not is_buy] = level.worse
        self.levels[not is_buy][level.ticks] = empty(Level)
    else:
        self.levels[not is_buy][level.ticks].first = self.orders[level.first].behind
    self.orders[level.first].lots = 0


@internal
def _rest(name: bytes32, is_buy: bool, ticks: uint256, lots: uint256):
    """
    @notice Put an order behind the others of its price.
    """
    self.orders[name] = Order(owner=msg.sender, lots=lots, behind=empty(bytes32))
    if is_buy:
        self.accounts[msg.sender].open_buys += lots
    else:
        self.accounts[msg.sender].open_sells += lots
    level: Level = self.levels[is_buy][ticks]
    if level.ticks == 0:
        self._open_level(name, is_buy, ticks)
    else:
        self.orders[level.last].behind = name
        self.levels[is_buy][ticks].last = name


@internal
def _open_level(name: bytes32, is_buy: bool, ticks: uint256):
    """
    @notice Link a new level between the better and the worse ones, walking from the best.
    """
    better: uint256 = 0
    worse: uint256 = self.best[is_buy]
    for _: uint256 in range(LEVELS_MAX):
        if worse == 0 or (worse < ticks if is_buy else worse > ticks):
            break
        better = worse
        worse = self.levels[is_buy][worse].worse
    assert worse == 0 or (worse < ticks if is_buy else worse > ticks), "perp: too many levels"
    self.levels[is_buy][ticks] = Level(ticks=ticks, first=name, last=name, worse=worse)
    if better == 0:
        self.best[is_buy] = ticks
    else:
        self.levels[is_buy][better].worse = ticks


@internal
def _release(owner: address, is_buy: bool, lots: uint256):
    """
    @notice These lots do not rest any more.
    """
    if is_buy:
        self.accounts[owner].open_buys -= lots
    else:
        self.accounts[owner].open_sells -= lots


@internal
@view
def _has_margin(owner: address) -> bool:
    """
    @notice Whether cash and position at the mark are worth the margin of the worse case: all
            buys filled, or all sells.
    """
    account: Account = self.accounts[owner]
    price: int256 = convert(self.mark * TICK, int256)
    equity: int256 = account.cash + account.lots * price
    bought: int256 = account.lots + convert(account.open_buys, int256)
    sold: int256 = account.lots - convert(account.open_sells, int256)
    exposure: int256 = max(abs(bought), abs(sold)) * price
    return equity * convert(RATE_ONE, int256) >= exposure * convert(INITIAL_MARGIN, int256)


@internal
@pure
def _name(owner: address, sequence: uint64) -> bytes32:
    return keccak256(abi_encode(owner, sequence))
