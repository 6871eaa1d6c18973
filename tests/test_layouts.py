"""Every layout on the protocol's page is the one that is written, byte for byte.

The page itself is read: whoever changes a leaf changes it, and an auditor may decode by it.
"""

from typing import Any

import pytest
from layouts import Layout, fields, flat, row, table
from msgspec.structs import asdict

from state.accounts import Account, OrderReference, Position, SessionKey, encode_account
from state.batch import (
    BatchHeader,
    ChunkCommitment,
    Output,
    batch_hash,
    claim_id,
    encode_header,
    encode_output,
)
from state.crypto import keccak
from state.inbox import InboxItem, accumulate
from state.legs import Leg, legs_of
from state.machine import (
    BlockInProgress,
    Machine,
    OrderInProgress,
    Phase,
    SavedRoots,
    Sums,
    encode_machine,
)
from state.markets import (
    BoardRow,
    Market,
    Publisher,
    Side,
    Tier,
    encode_board_row,
    encode_market,
)
from state.orders import RestingOrder, encode_order
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
from state.transactions.kinds import ROW_WIDTHS, InboxKind
from state.transactions.list_market import Listing, encode_listing
from state.transactions.revoke_key import KeyRevocation, encode_key_revocation
from state.transactions.rotate_owner import RotateOwner, encode_rotate_owner
from state.withdrawals import Withdrawal, encode_withdrawal

LEGS = legs_of(Leg(1, 1, 2, 3), Leg(4, 0, 5, 6))
TIERS = (Tier(0, 50_000, 30_000), Tier(2**100, 60_000, 40_000))


def hash_of(byte: int) -> bytes:
    return bytes([byte]) * 32


def address(byte: int) -> bytes:
    return bytes([byte]) * 20


def by_name(value: Any, *without: str) -> dict[str, Any]:
    """What a struct holds by name, tuples as they are."""
    return {name: found for name, found in asdict(value).items() if name not in without}


def test_an_account() -> None:
    account = Account(
        owner=address(1),
        owner_sequence=2,
        sequence_floor=3,
        key_epoch=9,
        cash=-4,
        liquidation_stage=5,
        liquidation_since=6,
        window_start=7,
        window_withdrawn=8,
        positions=(Position(1, -2, 3, 4, 5, -6, 7), Position(2, 8, 9, 10, 11, 12, -13)),
        orders=(OrderReference(0, 2, 3, 1, 5),),
        keys=(SessionKey(1, address(2), 3, 4, 5), SessionKey(2, address(6), 7, 8, 7)),
    )
    values = by_name(account, "positions", "orders", "keys") | {
        "domain": 1,
        "n": [2, 1, 2],
        "position": [account.positions],
        "order reference": [account.orders],
        "session key": [account.keys],
    }
    assert Layout("LEAF-3").pack(values) == encode_account(account)


def test_a_market() -> None:
    numbers = iter(range(11, 99))
    names = "lot_exponent tick min_notional order_lots_max band taker_fee maker_fee order_life_max"
    names += " open_interest_max position_max next_order quorum families deviation price_step"
    names += " premium_sum premium_samples sampled_at basis interest damp funding_cap insurance"
    names += " liquidation_fee pool bad_debt dust expiry settlement kind market"
    publishers = (Publisher(address(1), 2, 3, 4, 5), Publisher(address(6), 7, 8, 9, 10))
    market = Market(
        symbol=b"BTC-USD-PERP".ljust(16, b"\0"),
        publishers=publishers,
        **{name: next(numbers) for name in names.split()},
    )
    values = by_name(market, "publishers") | {
        "domain": 2,
        "bids_root": hash_of(1),
        "asks_root": hash_of(2),
        "n": 2,
        "publisher": [publishers],
    }
    assert Layout("LEAF-11").pack(values) == encode_market(market, hash_of(1), hash_of(2))


def test_a_resting_order() -> None:
    order = RestingOrder(account=1, epoch=2, sequence=3, lots=4, expiry=5, flags=1)
    assert Layout("LEAF-12").pack(by_name(order) | {"domain": 4}) == encode_order(order)


def test_a_board_row() -> None:
    board_row = BoardRow(
        market=1,
        mode=2,
        tiers=TIERS,
        price_age_max=3,
        close_out=4,
        interest_lower=5,
        interest_upper=6,
        mark=7,
        slow_mark=8,
        index=9,
        time=10,
        long=Side(11, 12, 13, -14, 15),
        short=Side(16, 17, 18, 19, -20),
    )
    values = by_name(board_row, "tiers") | {"domain": 3, "n": 2, "tier": [TIERS]}
    assert Layout("LEAF-13").pack(values) == encode_board_row(board_row)


def test_a_withdrawal() -> None:
    withdrawal = Withdrawal(index=1, account=2, recipient=address(3), amount=4)
    values = by_name(withdrawal) | {"domain": 5}
    assert Layout("LEAF-15").pack(values) == encode_withdrawal(withdrawal)


def test_the_machine() -> None:
    sums, saved = Sums(-1, 2, 3, 4, 5, -6, 7, 8), Sums(9, -10, 11, 12, 13, 14, 15, 16)
    order = OrderInProgress(Phase.LEG, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26)
    block = BlockInProgress(27, 28, 29, 1, 2, LEGS)
    numbers = iter(range(31, 99))
    names = "batch step steps_left status time time_min time_max inbox inbox_end chunk chunks row"
    names += " deposited withdrawn withdrawals"
    plain: dict[str, Any] = {name: next(numbers) for name in names.split()}
    machine = Machine(
        batch_hash=hash_of(1),
        chunk_hash=hash_of(2),
        sums=sums,
        order=order,
        block=block,
        saved=saved,
        **plain,
    )
    roots = SavedRoots(hash_of(3), hash_of(4), hash_of(5))
    values = plain | by_name(order) | by_name(block, "count", "legs")
    values |= {name: [value, getattr(saved, name)] for name, value in asdict(sums).items()}
    values |= {"domain": 6, "batch_hash": hash_of(1), "chunk_hash": hash_of(2), "saved": 1}
    values |= {"withdrawals_root": hash_of(6), "legs": 2, "4 x": [LEGS]}
    values |= {f"{name}_root": root for name, root in asdict(roots).items()}
    assert Layout("LEAF-16").pack(values) == encode_machine(machine, hash_of(6), roots)


def a_header() -> BatchHeader:
    chunks = (
        ChunkCommitment(1, hash_of(1), hash_of(2)),
        ChunkCommitment(2, hash_of(3), hash_of(4)),
    )
    return BatchHeader(
        number=3,
        parent=hash_of(5),
        inbox_from=4,
        inbox_to=5,
        inbox_accumulator=hash_of(6),
        origin_number=6,
        origin_hash=hash_of(7),
        time_min=7,
        time_max=8,
        chunks=chunks,
    )


def test_a_header() -> None:
    header = a_header()
    values = by_name(header) | {"chunks": 2, "chunks x": [header.chunks]}
    assert Layout("BATCH-2").pack(values) == encode_header(header)


def an_output() -> Output:
    numbers = iter(range(1, 99))
    names = "batch steps inbox deposited withdrawn cash pools insurance fees bad_debt dust"
    names += " long_lots short_lots"
    return Output(
        batch_hash=hash_of(1),
        state_root=hash_of(2),
        withdrawals_root=hash_of(3),
        **{name: next(numbers) for name in names.split()},
    )


def test_an_output() -> None:
    output = an_output()
    assert Layout("OUT-1").pack(by_name(output)) == encode_output(output)


def test_a_listing() -> None:
    numbers = iter(range(1, 99))
    names = "market kind lot_exponent tick min_notional order_lots_max band taker_fee maker_fee"
    names += " order_life_max open_interest_max position_max quorum families deviation price_step"
    names += " price_age_max interest damp funding_cap liquidation_fee expiry close_out"
    names += " interest_lower interest_upper"
    publishers = ((address(1), 2, 3), (address(4), 5, 6), (address(7), 8, 9))
    listing = Listing(
        symbol=b"ETH-USD-PERP".ljust(16, b"\0"),
        tiers=TIERS,
        publishers=publishers,
        **{name: next(numbers) for name in names.split()},
    )
    layout = Layout("INBX-3")
    # A tier is what LEAF-13 says.
    layout.parts["tier"] = Layout("LEAF-13").parts["tier"]
    values = by_name(listing, "tiers", "publishers")
    values |= {"n": [2, 3], "tier": [TIERS], "n x": [publishers]}
    assert layout.pack(values) == encode_listing(listing)


def test_items_batches_and_claims_are_hashed_as_the_page_says() -> None:
    item = InboxItem(kind=3, index=4, time=5, sender=address(6), payload=b"payload")
    packed = row(["u8", "u64", "u64", "address"], (3, 4, 5, address(6))) + b"payload"
    assert accumulate(hash_of(1), item) == keccak(hash_of(1) + keccak(packed))
    header, output = a_header(), an_output()
    assert batch_hash(header) == keccak(encode_header(header))
    assert claim_id(hash_of(1), output) == keccak(hash_of(1) + keccak(encode_output(output)))


TRANSACTIONS: list[Transaction] = [
    Header(1),
    SignedPrice(1, 2, 3),
    NewOrder(1, 2, 3, 4, 5, 6, 7, 8),
    Cancel(1, 2, 3, 4, 5, 6),
    Withdraw(1, 2, address(3), 4, 5),
    Transfer(1, 2, 3, 4, 5),
    CancelAll(1, 2, 3, 1, 4, 5),
    Amend(1, 2, 3, 4, 5, 6, 7, 8),
    AddKey(1, 2, address(3), 4, 5, 6),
    RevokeKey(1, 2, 3, 4),
    BlockTrade(1, 2, 3, 4, 5, 6, 7, 2, LEGS),
]


@pytest.mark.parametrize("tx", TRANSACTIONS, ids=lambda tx: type(tx).__name__)
def test_the_row_of_a_transaction(tx: Transaction) -> None:
    kind, encoded = encode_transaction(tx)
    assert row(fields(table("TX-2")[kind]), flat(tx)) == encoded
    assert len(encoded) == ROW_WIDTHS[kind]


def test_every_kind_of_transaction_is_on_the_page() -> None:
    assert {encode_transaction(tx)[0] for tx in TRANSACTIONS} == set(table("TX-2"))


@pytest.mark.parametrize(
    ("kind", "item", "encoded"),
    [
        (InboxKind.DEPOSIT, item := Deposit(1, address(2), 3), encode_deposit(item)),
        (InboxKind.REVOKE_KEY, key := KeyRevocation(1, 2), encode_key_revocation(key)),
        (InboxKind.ROTATE_OWNER, new := RotateOwner(1, address(2)), encode_rotate_owner(new)),
    ],
    ids=lambda value: value.name if isinstance(value, InboxKind) else "",
)
def test_the_payload_of_an_item(kind: InboxKind, item: Any, encoded: bytes) -> None:
    assert row(fields(table("INBX-2")[kind]), flat(item)) == encoded
