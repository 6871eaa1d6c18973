"""Keys and owners through L1's door: what works without the sequencer's consent."""

from msgspec import Struct

from contracts import calls, views
from contracts.events import InboxItemLog
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.settlement import NotNow, log_of
from state.crypto import ZERO_ADDRESS


class Appended(Struct, frozen=True):
    """An item that L1 took: `index` is its place in the inbox."""

    index: int
    transaction: bytes
    block: int


async def append(reader: RollupReader, sender: TransactionSender, data: bytes) -> Appended:
    """Send a call that appends one item."""
    receipt = await sender.send(reader.address, data)
    log = log_of(receipt, reader.address, InboxItemLog)
    return Appended(log.index, receipt.transaction_hash, receipt.block_number)


async def revoke_key(
    reader: RollupReader, sender: TransactionSender, *, account: int, key_epoch: int
) -> Appended:
    """Ask for the end of a session key; the venue heeds it from the account's owner alone."""
    return await append(reader, sender, calls.revoke_key(account=account, key_epoch=key_epoch))


async def accept_number(reader: RollupReader, sender: TransactionSender, number: int) -> bytes:
    """Agree to take `number` over, whoever hands it. The transaction; NotNow where it cannot be."""
    if not await reader.read(views.OWNER_COUNT) >= number > 0:
        raise NotNow(f"L1 has given nobody the owner number {number}; name an account there is")
    own = await reader.read(views.OWNER_NUMBERS, sender.address)
    if own:
        raise NotNow(
            f"0x{sender.address.hex()} has owner number {own} already, and nobody can have two; "
            "take the number over with an address that has never deposited"
        )
    receipt = await sender.send(reader.address, calls.accept_number(number))
    return receipt.transaction_hash


async def number_to_hand_over(reader: RollupReader, giver: bytes, new_owner: bytes) -> int:
    """The number whose accounts shall be `new_owner`'s: theirs on L1 already, or the giver's.

    NotNow where neither has one.
    """
    number: int = await reader.read(views.OWNER_NUMBERS, new_owner)
    number = number or await reader.read(views.OWNER_NUMBERS, giver)
    if not number:
        raise NotNow(
            f"0x{giver.hex()} has no owner number to hand over, and 0x{new_owner.hex()} has none "
            "that accounts could follow"
        )
    return number


async def rotate_owner(
    reader: RollupReader, sender: TransactionSender, *, account: int, new_owner: bytes
) -> Appended:
    """Have `account` follow its number to `new_owner`; the sender's own number moves with it.

    NotNow, with what must be done first, where the contract would refuse.
    """
    number = account >> 8
    owner = await reader.read(views.NUMBER_OWNERS, number)
    if owner == ZERO_ADDRESS:
        raise NotNow(f"L1 has given nobody the owner number {number} of account {account}")
    if sender.address == owner != new_owner:
        await _check_new_owner(reader, number, new_owner)
    elif new_owner != owner:
        raise NotNow(
            f"owner number {number} went to 0x{owner.hex()}: account {account} can only follow it"
        )
    return await append(reader, sender, calls.rotate_owner(account=account, new_owner=new_owner))


async def _check_new_owner(reader: RollupReader, number: int, new_owner: bytes) -> None:
    own = await reader.read(views.OWNER_NUMBERS, new_owner)
    if own:
        raise NotNow(
            f"0x{new_owner.hex()} has owner number {own} already, and nobody can have two; hand "
            "the number to an address that has never deposited"
        )
    if await reader.read(views.ACCEPTED_NUMBERS, new_owner) != number:
        raise NotNow(
            f"0x{new_owner.hex()} has not told L1 yet that it takes owner number {number} over; "
            f"with its key: tallystick key accept {number << 8}"
        )
