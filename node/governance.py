"""Markets and their parameters through L1's door: announced, cancelled, applied, listed at once.

Everything is read off L1 and tried with the venue's own rules before it is sent, since L1
does not read a listing and the rules would only leave a bad one without effect.
"""

from msgspec import Struct

from contracts import calls, events, views
from contracts.abi import keccak
from contracts.views import Scheduled
from node.errors import Retry
from node.l1.answers import L1Receipt
from node.l1.sender import TransactionSender
from node.owners import Appended, append
from node.rollup import RollupReader
from node.settlement import NotNow
from state.crypto import ZERO_HASH
from state.inbox import InboxItem, apply_item
from state.memory import MemoryState
from state.packing import NotCanonical
from state.status import Status
from state.store import Changes
from state.transactions.kinds import InboxKind
from state.transactions.list_market import Listing, decode_listing, encode_listing
from state.transactions.set_parameters import FIXED

PARAMETER_LIFE = 30 * 86_400
"""Seconds that an announcement stays applicable; a constant of the contract."""

SOUND = (
    "ppm at most 1000000, fees at most 100000, sizes, ages and prices above zero, order_lots_max "
    "at most position_max, tiers from 0 upwards with 0 < maintenance <= initial, one publisher"
)


class Terms:
    """Every market's parameters as L1's governor set them, by the rules that the venue runs."""

    def __init__(self) -> None:
        self.listings: dict[int, Listing] = {}
        self._state = MemoryState()

    def run(self, kind: InboxKind, payload: bytes) -> Status:
        """What the item comes to; what fails changes nothing."""
        changes = Changes(self._state)
        status = apply_item(changes, InboxItem(kind, 0, 0, bytes(20), payload))
        if status == Status.OK:
            self._state.apply(changes)
            listing = decode_listing(payload)
            self.listings[listing.market] = listing
        return status

    def find(self, market: str) -> Listing | None:
        """A market by symbol or number."""
        named = (x for x in self.listings.values() if market in (name(x), str(x.market)))
        return next(named, None)


class Announcement(Struct, frozen=True):
    """An inbox item to come, of `kind`, applicable from `ready_at` to `void_after`, in seconds."""

    kind: InboxKind
    payload: bytes
    ready_at: int

    @property
    def void_after(self) -> int:
        return self.ready_at + PARAMETER_LIFE

    @property
    def listing(self) -> Listing | None:
        """None where a governor announced bytes that are no listing."""
        try:
            return decode_listing(self.payload)
        except NotCanonical:
            return None


class Market(Struct, frozen=True):
    """A market as L1 has it; its `listing` is the announced one where it is not listed yet."""

    listing: Listing
    is_listed: bool
    coming: Announcement | None


def name(listing: Listing) -> str:
    """Its symbol."""
    return listing.symbol.rstrip(b"\0").decode("ascii", errors="replace")


async def terms_on_l1(reader: RollupReader) -> Terms:
    """The terms after all that L1's inbox holds, whether the venue has run it yet or not."""
    logs = await reader.client.logs(
        address=reader.address,
        topics=[events.INBOX_ITEM.topic],
        first=await reader.read(views.DEPLOYED_AT),
        last=await reader.client.block_number(),
    )
    found = Terms()
    for log in logs:
        item = events.INBOX_ITEM.decode(log.topics, log.data)
        if item.kind in (InboxKind.LIST_MARKET, InboxKind.SET_PARAMETERS):
            found.run(InboxKind(item.kind), item.payload)
    return found


async def announcements(reader: RollupReader, market: int | None = None) -> dict[int, Announcement]:
    """What is coming for each market, or for one alone, from L1's own logs of it."""
    only = [] if market is None else [market.to_bytes(32, "big")]
    logs = await reader.client.logs(
        address=reader.address,
        topics=[events.CHANGE_SCHEDULED.topic, *only],
        first=await reader.read(views.DEPLOYED_AT),
        last=await reader.client.block_number(),
    )
    told = [events.CHANGE_SCHEDULED.decode(log.topics, log.data) for log in logs]
    found = {}
    for last in {log.market: log for log in told}.values():
        scheduled = await reader.read(views.SCHEDULED_CHANGES, last.market)
        if scheduled.change_hash == ZERO_HASH:
            continue
        kind, payload = InboxKind(last.kind), last.listing
        if scheduled != Scheduled(change_hash(kind, payload), last.ready_at):
            raise Retry(f"L1 shows no log of what is scheduled for market {last.market}")
        found[last.market] = Announcement(kind, payload, last.ready_at)
    return found


def change_hash(kind: InboxKind, payload: bytes) -> bytes:
    """keccak(u8 kind | market listing), what L1 keeps of a scheduled change."""
    return keccak(bytes([kind]) + payload)


async def find_market(reader: RollupReader, market: str) -> Market:
    """A market by symbol or number, listed or else announced. NotNow where there is neither."""
    terms, coming = await terms_on_l1(reader), await announcements(reader)
    listed = terms.find(market)
    if listed:
        return Market(listed, True, coming.get(listed.market))
    announced = Terms()
    announced.listings = {
        number: made.listing
        for number, made in coming.items()
        if made.kind == InboxKind.LIST_MARKET and made.listing
    }
    found = announced.find(market)
    if found:
        return Market(found, False, coming[found.market])
    known = ", ".join(map(name, terms.listings.values())) or "none yet"
    awaited = ", ".join(map(name, announced.listings.values()))
    raise NotNow(
        f"there is no market {market}; the venue has: {known}"
        + (f"; announced: {awaited}" if awaited else "")
    )


async def list_market(
    reader: RollupReader, sender: TransactionSender, listing: Listing
) -> Appended | Announcement:
    """Append a new market while nobody has deposited, and announce it after that.

    NotNow where the rules would have none of it.
    """
    size = await reader.read(views.INBOX_SIZE)
    if size and (await reader.read(views.INBOX_ITEM, size - 1)).deposited:
        return await schedule(reader, sender, listing, InboxKind.LIST_MARKET)
    await _check_governor(reader, sender)
    payload = encode_listing(listing)
    _check((await terms_on_l1(reader)).run(InboxKind.LIST_MARKET, payload), listing, ())
    return await append(reader, sender, calls.list_market(payload))


async def schedule(
    reader: RollupReader,
    sender: TransactionSender,
    listing: Listing,
    kind: InboxKind = InboxKind.SET_PARAMETERS,
) -> Announcement:
    """Announce a market, or its next parameters. NotNow where the rules would not take them."""
    await _check_governor(reader, sender)
    terms, payload = await terms_on_l1(reader), encode_listing(listing)
    held, wanted = terms.listings.get(listing.market), decode_listing(payload)
    fixed = [x for x in FIXED if held and getattr(held, x) != getattr(wanted, x)]
    _check(terms.run(kind, payload), listing, fixed)
    is_new = kind == InboxKind.LIST_MARKET
    call = calls.schedule_listing(payload) if is_new else calls.schedule_parameters(payload)
    receipt = await sender.send(reader.address, call)
    scheduled = await reader.read(views.SCHEDULED_CHANGES, listing.market)
    if scheduled.change_hash != change_hash(kind, payload):
        raise Retry(f"L1 took the announcement in block {receipt.block_number} and lost it again")
    return Announcement(kind, payload, scheduled.ready_at)


async def cancel(reader: RollupReader, sender: TransactionSender, market: int) -> L1Receipt:
    """Take an announcement back. NotNow where there is none."""
    await _check_governor(reader, sender)
    await _announced(reader, market)
    return await sender.send(reader.address, calls.cancel_scheduled(market))


async def apply(reader: RollupReader, sender: TransactionSender, market: int) -> Appended:
    """Append what was announced. Anybody may; NotNow before its time and after it."""
    found = await _announced(reader, market)
    what = "listing" if found.kind == InboxKind.LIST_MARKET else "parameters"
    now = (await reader.block("latest")).timestamp
    if now < found.ready_at:
        raise NotNow(
            f"market {market}'s {what} may be applied {found.ready_at - now} s from now; "
            "until then everybody can read what is coming"
        )
    if now > found.void_after:
        raise NotNow(
            f"market {market}'s {what} became void {now - found.void_after} s ago; the "
            "governor must schedule anew"
        )
    return await append(reader, sender, calls.apply_scheduled(found.kind, found.payload))


async def _announced(reader: RollupReader, market: int) -> Announcement:
    found = (await announcements(reader, market)).get(market)
    if found is None:
        raise NotNow(f"nothing is scheduled for market {market}; see: tallystick market show")
    return found


async def _check_governor(reader: RollupReader, sender: TransactionSender) -> None:
    governor = await reader.read(views.GOVERNOR)
    if sender.address != governor:
        raise NotNow(
            f"only the governor, 0x{governor.hex()}, may do this, and 0x{sender.address.hex()} "
            "signs; use the governor's key"
        )


def _check(status: Status, listing: Listing, fixed: list[str] | tuple[()]) -> None:
    """Raise NotNow unless the venue would take it."""
    if status == Status.OK:
        return
    why = {
        Status.BAD_LISTING: f"no market can have these parameters; expected {SOUND}",
        Status.MARKET_EXISTS: (
            f"there is a market {listing.market} or one in its place on the board, whose number "
            "is the same modulo 64; choose another number, or schedule parameters for that one"
        ),
        Status.UNKNOWN_MARKET: f"there is no market {listing.market}; list it first",
        Status.FIXED_PARAMETER: (
            f"{', '.join(fixed)} cannot change while orders and positions are counted in it; "
            "list another market"
        ),
    }
    raise NotNow(why[status])
