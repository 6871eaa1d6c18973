"""Price: a publisher's signed price of one market."""

from msgspec import Struct
from msgspec.structs import replace

from state.authentication import Verifier
from state.crypto import ZERO_ADDRESS
from state.eip712 import PRICE_TYPE_HASH, Domain, digest, word
from state.limits import PRICE_MAX
from state.markets import BoardRow
from state.packing import Reader, u
from state.status import Status
from state.store import Changes
from state.units import ratio_down

SLOW_MARK_SECONDS = 600
"""In dt seconds the slow mark covers dt / (dt + this) of its distance to the mark."""


class SignedPrice(Struct, frozen=True, gc=False):
    """`price` in nano-USD per lot, seen at `time`."""

    market: int
    price: int
    time: int


def encode_price(tx: SignedPrice) -> bytes:
    return u(tx.market, 16) + u(tx.price, 56) + u(tx.time, 40)


def decode_price(row: bytes) -> SignedPrice:
    r = Reader(row)
    return SignedPrice(r.u(16), r.u(56), r.u(40))


def price_digest(domain: Domain, tx: SignedPrice) -> bytes:
    return digest(domain, PRICE_TYPE_HASH, word(tx.market), word(tx.price), word(tx.time))


def apply_price(changes: Changes, tx: SignedPrice, signature: bytes, verifier: Verifier) -> Status:
    """Index and mark become the price; the slow mark follows it.

    The price must be from one of the market's publishers, newer than that publisher's last,
    not from the future, and not older than the market lets a mark grow.
    """
    market, row = changes.market(tx.market), changes.row(tx.market)
    if market is None or row is None:
        return Status.UNKNOWN_MARKET
    signer = verifier.recover(price_digest(verifier.domain, tx), signature)
    publisher = next((p for p in market.publishers if p.address == signer), None)
    if publisher is None or signer == ZERO_ADDRESS:
        return Status.UNKNOWN_PUBLISHER
    now = changes.machine.time
    if tx.time <= publisher.time:
        return Status.PRICE_NOT_NEWER
    if tx.time > now:
        return Status.PRICE_FROM_FUTURE
    if now - tx.time > row.price_age_max:
        return Status.PRICE_STALE
    if not 0 < tx.price <= PRICE_MAX:
        return Status.PRICE_OUT_OF_RANGE
    seen = replace(publisher, price=tx.price, time=tx.time)
    publishers = tuple(seen if p is publisher else p for p in market.publishers)
    changes.write_market(replace(market, publishers=publishers))
    changes.write_row(
        replace(
            row,
            index=tx.price,
            mark=tx.price,
            slow_mark=next_slow_mark(row, tx.price, tx.time),
            time=tx.time,
        )
    )
    return Status.OK


def next_slow_mark(row: BoardRow, mark: int, time: int) -> int:
    """slow + (row.mark - slow) x dt / (dt + SLOW_MARK_SECONDS), the step rounded down.

    It follows the mark that stood during dt. The new `mark` counts from now on, so one
    price after a quiet hour moves nothing by itself; only the very first is taken as it is.
    """
    if row.mark == 0:
        return mark
    elapsed = time - row.time
    step = ratio_down(abs(row.mark - row.slow_mark), elapsed, elapsed + SLOW_MARK_SECONDS)
    return row.slow_mark + step if row.mark >= row.slow_mark else row.slow_mark - step
