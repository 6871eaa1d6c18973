# pragma version 0.4.3
"""
@title Authentication: who signed
@notice As state/authentication.py: the same few checks in the same order for every signed kind.
"""

from . import accounts
from . import limits
from . import status
from . import store
from . import witness


SIGNATURE_BYTES: constant(uint256) = 64

# Half the order of secp256k1: s above it is another form of the same signature (EIP-2).
S_MAX: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)
S_MASK: constant(uint256) = 2**255 - 1


struct Signed:
    account: uint256
    sequence: uint256
    expiry: uint256


@internal
@pure
def _recover(digest: bytes32, signature: Bytes[SIGNATURE_BYTES]) -> uint256:
    """
    @notice The signer's address; zero for a signature that is not one. EIP-2098: r, then s with
            the parity of y on top.
    """
    r: uint256 = extract32(signature, 0, output_type=uint256)
    parity_and_s: uint256 = extract32(signature, 32, output_type=uint256)
    s: uint256 = parity_and_s & S_MASK
    if s == 0 or s > S_MAX:
        return 0
    signer: address = ecrecover(digest, 27 + (parity_and_s >> 255), r, s)
    return convert(signer, uint256)


@internal
@pure
def _signer_status(
    account: accounts.Account,
    digest: bytes32,
    signature: Bytes[SIGNATURE_BYTES],
    epoch: uint256,
    sequence: uint256,
) -> uint256:
    """
    @notice OK, or why what was signed is not `account`'s; nothing is consumed. Account, key,
            signature and sequence number are looked at in turn.
    """
    if accounts._is_absent(account):
        return status.UNKNOWN_ACCOUNT
    signing: uint256 = account.head.owner
    if epoch != accounts.OWNER_KEY:
        is_there: bool = False
        session: accounts.SessionKey = empty(accounts.SessionKey)
        is_there, session = accounts._key(account, epoch)
        if not is_there:
            return status.UNKNOWN_KEY
        signing = session.key
    signer: uint256 = self._recover(digest, signature)
    # Zero never authorises: a failed recovery is zero, and so is an absent owner.
    if signer == 0 or signer != signing:
        return status.BAD_SIGNATURE
    if sequence <= accounts._last_sequence(account, epoch):
        return status.SEQUENCE_USED
    return status.OK


@internal
@pure
def _is_permitted(
    account: accounts.Account, epoch: uint256, now: uint256, permissions: uint256
) -> bool:
    """
    @notice The owner always; a session key up to its expiry, if it has one of these permissions.
    """
    if epoch == accounts.OWNER_KEY:
        return True
    is_there: bool = False
    session: accounts.SessionKey = empty(accounts.SessionKey)
    is_there, session = accounts._key(account, epoch)
    return is_there and now <= session.expiry and session.permissions & permissions != 0


@internal
@pure
def _authorise(
    account: accounts.Account,
    digest: bytes32,
    signature: Bytes[SIGNATURE_BYTES],
    epoch: uint256,
    sequence: uint256,
    expiry: uint256,
    permissions: uint256,
    now: uint256,
) -> (uint256, accounts.Account):
    """
    @notice What every kind with one signer asks first: OK, or why it is nobody's or is refused, and the
            account after it.
            Once it is somebody's the sequence number is consumed; then NOT_PERMITTED, and EXPIRED.
    """
    found: uint256 = self._signer_status(account, digest, signature, epoch, sequence)
    if found != status.OK:
        return found, account
    after: accounts.Account = accounts._with_sequence(account, epoch, sequence)
    if not self._is_permitted(account, epoch, now, permissions):
        return status.NOT_PERMITTED, after
    if now > expiry:
        return status.EXPIRED, after
    return status.OK, after


@internal
@pure
def _authorise_owner(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    signature: Bytes[SIGNATURE_BYTES],
    digest: bytes32,
    signed: Signed,
    now: uint256,
) -> (uint256, accounts.Account):
    """
    @notice As `_authorise`, of what nobody but the owner may sign.
    """
    return self._authorise(
        store._account(leaves, places, signed.account),
        digest,
        signature,
        accounts.OWNER_KEY,
        signed.sequence,
        signed.expiry,
        accounts.PERMIT_TRADE,
        now,
    )
