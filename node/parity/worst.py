"""Scenes on the fullest venue, each with the steps that it is there for at their worst."""

from collections.abc import Callable
from itertools import product

from msgspec.structs import replace

from node.parity.holdings import exchange
from node.parity.stress import (
    BEST_ASK,
    BID,
    CANCELLED,
    FAR,
    MAKER,
    MARKETS,
    OWNER,
    PUBLISHER_KEYS,
    RICH,
    SESSION,
    TAKER,
    TAKER_MARKETS,
    TRADED,
    terms_of,
)
from node.parity.world import DOMAIN, NOW, World
from node.rpc.messages import digest_of
from node.signatures import address_of, sign
from state.chunks import Row, chunk_size, pack_chunk, row_size
from state.legs import NO_LEGS, Leg
from state.limits import (
    ACCOUNT_KEYS_MAX,
    BATCH_CHUNKS_MAX,
    BLOCK_LEGS_MAX,
    CHUNK_BYTES_MAX,
    CHUNK_TRANSACTIONS_MAX,
)
from state.margin import health
from state.markets import board_key
from state.orders import BUY, Flags, Life, encode_flags, key_ticks
from state.store import Changes
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transaction,
    Transfer,
    Withdraw,
    encode_transaction,
)
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind, Kind
from state.transactions.list_market import encode_listing
from state.transactions.revoke_key import KeyRevocation, encode_key_revocation
from state.transactions.rotate_owner import RotateOwner, encode_rotate_owner

EPOCH, SEQUENCE = ACCOUNT_KEYS_MAX, 1_000
Scene = Callable[["FullWorld"], None]


class FullWorld(World):
    """Every transaction stands last in a chunk of 8,192 bytes; nothing is left to chance."""

    def _chunk_around(self, row: Row) -> tuple[bytes, int]:
        rows = full_rows(row)
        chunk = pack_chunk(rows)
        assert len(chunk) == CHUNK_BYTES_MAX
        return chunk, len(rows) - 1

    # --- what is sent ---

    def send(self, tx: Transaction, private: bytes = SESSION) -> None:
        """Signed by one key; both sides of a block trade have the same."""
        signature = b"" if isinstance(tx, Header) else sign(digest_of(DOMAIN, tx), private)
        self.run(tx, signature * (2 if isinstance(tx, BlockTrade) else 1))

    def order(self, ticks: int, life: Life, lots: int = 10) -> None:
        """The taker buys, by a session key."""
        flags = encode_flags(Flags(BUY, life=life))
        self.send(NewOrder(TAKER, EPOCH, SEQUENCE, TRADED, flags, ticks, lots, FAR))

    def set_cash(self, number: int, cash: int) -> None:
        """Write an account's cash by hand."""
        after = replace(self.state.account(number), cash=cash)
        self.write(lambda changes: changes.write_account(number, after))

    def make_unhealthy(self, number: int) -> None:
        """Worth half of what its risk requires."""
        account = self.state.account(number)
        found = health(self.state, account)
        self.set_cash(number, account.cash - found.equity + (found.initial >> 1))

    def free_a_place(self, number: int, market: int) -> None:
        """One order fewer on the list, so that another may rest."""
        account = self.state.account(number)
        place = next(one for one in account.orders if one.market == market)
        self.send(Cancel(number, EPOCH, SEQUENCE - 1, place.epoch, place.sequence, FAR))


def full_rows(last: Row) -> list[Row]:
    """`last` behind orders, prices and headers that fill a chunk to its last byte."""
    order = Row(Kind.ORDER, bytes(33), bytes(64))
    price = Row(Kind.PRICE, bytes(14), bytes(64))
    header = Row(*encode_transaction(Header(NOW)))
    left = CHUNK_BYTES_MAX - chunk_size([last.kind])
    wide, small, smaller = (row_size(kind) for kind in (Kind.ORDER, Kind.PRICE, Kind.HEADER))
    for orders, prices in product(range(left, 0, -1), range(8)):
        headers, over = divmod(left - orders * wide - prices * small, smaller)
        if headers >= 0 and over == 0 and orders + prices + headers < CHUNK_TRANSACTIONS_MAX:
            return [*[order] * orders, *[price] * prices, *[header] * headers, last]
    raise AssertionError("some mixture fills a chunk")


# --- orders ---


def fill(world: FullWorld) -> None:
    """ADMIT, MATCH, then the rest is dropped."""
    world.order(BEST_ASK, Life.IOC)


def unhealthy_fill(world: FullWorld) -> None:
    """Both sides short of margin: either is compared with what it was before."""
    world.write(lambda changes: exchange(changes, MAKER, TAKER, TRADED, 10))
    world.make_unhealthy(TAKER)
    world.make_unhealthy(MAKER)
    flags = encode_flags(Flags(BUY, life=Life.IOC, reduce_only=True))
    world.send(NewOrder(TAKER, EPOCH, SEQUENCE, TRADED, flags, BEST_ASK, 5, FAR))


def sweep(world: FullWorld) -> None:
    """The front's owner could not be left so."""
    world.set_cash(MAKER, -RICH)
    world.order(BEST_ASK, Life.IOC)


def kept(world: FullWorld) -> None:
    """FOK that is filled whole: SAVE, MATCH, KEEP."""
    world.order(BEST_ASK, Life.FOK, 4)


def killed(world: FullWorld) -> None:
    """FOK that is not: SAVE, MATCH, RESTORE."""
    world.order(BEST_ASK, Life.FOK, 10_000)


def would_trade(world: FullWorld) -> None:
    """Post-only, told after the maker was looked at."""
    world.free_a_place(TAKER, TAKER_MARKETS[3])
    world.order(BEST_ASK, Life.POST_ONLY)


def rest(world: FullWorld) -> None:
    """Beside orders on every level of its branch."""
    world.free_a_place(TAKER, TAKER_MARKETS[3])
    world.order(BID, Life.GTC)


def short_of_margin(world: FullWorld) -> None:
    """ADMIT that compares margin with and without the order."""
    world.make_unhealthy(TAKER)
    world.order(BEST_ASK, Life.IOC)


def cancel(world: FullWorld) -> None:
    """The order with the longest branch."""
    world.send(Cancel(TAKER, EPOCH, SEQUENCE, *_known(world), FAR))


def cancel_all(world: FullWorld) -> None:
    """Of one market, whose book is the deepest: ADMIT and CANCEL."""
    world.send(CancelAll(TAKER, EPOCH, SEQUENCE, 0, CANCELLED[0], FAR))


def amend_in_place(world: FullWorld) -> None:
    """Fewer lots of the order with the longest branch."""
    _, side, at = CANCELLED
    world.send(Amend(TAKER, EPOCH, SEQUENCE, *_known(world), key_ticks(side, at), 3, FAR))


def amend_anew(world: FullWorld) -> None:
    """The same order at another price: ADMIT, then REST."""
    world.send(Amend(TAKER, EPOCH, SEQUENCE, *_known(world), BEST_ASK, 3, FAR))


def _known(world: FullWorld) -> tuple[int, int]:
    """(epoch, sequence) of the order with the longest branch."""
    order = world.state.order(*CANCELLED)
    assert order is not None
    return order.epoch, order.sequence


# --- block trades ---


def block_trade(world: FullWorld) -> None:
    """Of four legs between the two fullest accounts, in markets that either holds."""
    markets = sorted((TRADED, *TAKER_MARKETS[1:4]))
    # A place for each of the legs in the maker's list too.
    changes = Changes(world.state)
    for held in world.state.account(MAKER).positions[-3:]:
        exchange(changes, TAKER ^ 1, MAKER, held.market, held.lots)
    world.state.apply(changes)
    legs = [Leg(market, BUY, BEST_ASK, 3) for market in markets]
    world.send(_block(*legs))


def block_trade_in_one(world: FullWorld) -> None:
    """Of one leg: the accounts have no market in common but this, so SETTLE reads every row."""
    world.send(_block(Leg(TRADED, BUY, BEST_ASK, 3)))


def _block(*legs: Leg) -> BlockTrade:
    numbers = (MAKER, EPOCH, SEQUENCE, TAKER, EPOCH, SEQUENCE)
    return BlockTrade(*numbers, FAR, len(legs), (*legs, *NO_LEGS)[:BLOCK_LEGS_MAX])


# --- money, keys, prices ---


def withdraw(world: FullWorld) -> None:
    world.send(Withdraw(TAKER, SEQUENCE, b"\1" * 20, 5, FAR), OWNER)


def transfer(world: FullWorld) -> None:
    """To the account beside it, which is there already."""
    world.send(Transfer(TAKER, SEQUENCE, TAKER ^ 1, 5, FAR), OWNER)


def keys(world: FullWorld) -> None:
    """The last of four keys goes, and comes again."""
    world.send(RevokeKey(TAKER, SEQUENCE, EPOCH, FAR), OWNER)
    world.send(AddKey(TAKER, SEQUENCE + 1, b"\1" * 20, FAR, 7, FAR), OWNER)


def price(world: FullWorld) -> None:
    """By the last of eight publishers; then the clock moves."""
    address = max(PUBLISHER_KEYS)
    mark = BEST_ASK * 100
    world.send(SignedPrice(TRADED, mark + 1, NOW), PUBLISHER_KEYS[address])
    world.send(Header(NOW + 1))


# --- items and batches ---


def items(world: FullWorld) -> None:
    """What L1 does to the fullest account, and to the market with the longest branch."""
    owner = address_of(OWNER)
    parameters = replace(terms_of(TRADED), publishers=((max(PUBLISHER_KEYS), 1, 1),))
    revocation = encode_key_revocation(KeyRevocation(TAKER, EPOCH))
    world.item(InboxKind.DEPOSIT, encode_deposit(Deposit(TAKER, b"\7" * 20, 10**6)))
    world.item(InboxKind.ROTATE_OWNER, encode_rotate_owner(RotateOwner(TAKER, owner)), owner)
    world.item(InboxKind.REVOKE_KEY, encode_key_revocation(KeyRevocation(MAKER, EPOCH)), owner)
    world.item(InboxKind.REVOKE_KEY, revocation, owner)
    world.item(InboxKind.SET_PARAMETERS, encode_listing(parameters))
    world.item(InboxKind.LIST_MARKET, encode_listing(terms_of(MARKETS[1])))


def listed(world: FullWorld) -> None:
    """The last place of the board is free, and taken again."""
    number = MARKETS[-1]

    def remove(changes: Changes) -> None:
        changes.markets[number] = changes.rows[board_key(number)] = None  # type: ignore[assignment]

    world.write(remove)
    world.item(InboxKind.LIST_MARKET, encode_listing(terms_of(number)))


def batches(world: FullWorld) -> None:
    """A header of 64 chunks: HALT, BOOT, OPEN."""
    world.halt()
    world.boot(chunks=BATCH_CHUNKS_MAX)


SCENES: tuple[Scene, ...] = (
    *(batches, items, listed, price, withdraw, transfer, keys),
    *(fill, unhealthy_fill, sweep, kept, killed, would_trade, rest, short_of_margin),
    *(cancel, cancel_all, amend_in_place, amend_anew, block_trade, block_trade_in_one),
)
