"""A key that may only cancel, for what is signed now and submitted when its signer is gone.

Orders use up the sequence numbers of the key that signs them, and with them whatever is held
back under that key. So the owner's switches are signed with a key of their own. It follows from the
owner's, so that a program that starts again finds the one it had.
"""

from functools import partial

from node.client.sending import Sender
from node.rpc.message_types import AnyMessage
from node.signatures import address_of
from state.accounts import OWNER_KEY
from state.crypto import keccak

MARK = b"tallystick key that may only cancel"


def guard_key(private_key: bytes) -> bytes:
    """keccak(MARK | private key)"""
    return keccak(MARK + private_key)


async def guard_of(sender: Sender, good_until: int) -> Sender:
    """Who signs what is held back until `good_until`; the account gets its key at first use.

    A session key cannot add another one, and signs that itself.
    """
    if sender.key_epoch != OWNER_KEY:
        return sender
    key = guard_key(sender.private_key)
    address = address_of(key)
    for held in (await sender.client.account(sender.account)).keys:
        if held.address != address:
            continue
        if held.expiry > good_until:
            return sender.under(key, held.epoch)
        # An account has room for few keys.
        await sender.send(partial(_revoked, sender, held.epoch))
    receipt = await sender.send(partial(_added, sender, address))
    assert receipt.key_epoch is not None, "a key that was added has an epoch"
    return sender.under(key, receipt.key_epoch)


async def _added(sender: Sender, address: bytes, sequence: int) -> AnyMessage:
    return sender.client.draft_add_key(sender.account, address, sequence=sequence, may_trade=False)


async def _revoked(sender: Sender, epoch: int, sequence: int) -> AnyMessage:
    return sender.client.draft_revoke_key(sender.account, epoch, sequence=sequence)
