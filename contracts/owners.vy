# pragma version 0.4.3
"""
@title Owners: who stands behind a number, and what they change without the sequencer
@notice Section 4 of docs/protocol.md. Who has a number is decided here; the leaves of its
        accounts follow, one by one, by the items below and by deposits. L1 does not know
        the leaves, so anyone may append an item: of a rotation it names nobody but the
        number's owner, of a revocation L2 compares its sender with the owner in the leaf.
        A flood delays nobody: a block of L1 holds fewer items than a batch takes, and a
        batch pays the same for many as for one.
"""

from . import inbox

uses: inbox


OWNERS_MAX: constant(uint32) = 2**24 - 1
SUBACCOUNTS: constant(uint32) = 2**8

# How the code of an account begins that has a key of its own all the same (EIP-7702).
DELEGATION: constant(Bytes[3]) = x"ef0100"


# @notice Owners numbered so far.
owner_count: public(uint32)

# @notice Number of an owner, from 1 in the order of first deposits; 0 is nobody.
owner_numbers: public(HashMap[address, uint32])

# @notice Who has a number now.
number_owners: public(HashMap[uint32, address])

# @notice The number that an address without one has agreed to take over; 0 is none.
accepted_numbers: public(HashMap[address, uint32])


event OwnerRotated:
    number: indexed(uint32)
    previous: indexed(address)
    owner: indexed(address)


@external
def revoke_key(account: uint32, key_epoch: uint32):
    """
    @notice Append the revocation of a session key. Whether the sender may is judged on L2.
    """
    inbox._append(
        inbox.KIND_REVOKE_KEY, 0, concat(convert(account, bytes4), convert(key_epoch, bytes4))
    )


@external
def accept_number(number: uint32):
    """
    @notice Agree to take a number over, or with 0 to none. Without this anybody could put a
            stranger behind a number of theirs, and the stranger's next deposit with it.
    """
    self.accepted_numbers[msg.sender] = number


@external
@nonreentrant
def rotate_owner(account: uint32, new_owner: address):
    """
    @notice Hand a number over with every account under it, as its owner: it moves at once,
            and later deposits of the old address open a number of their own. The item says
            that the leaf of `account` shall follow. Anybody may append it for the other
            accounts, naming who has the number by then.
    """
    number: uint32 = account // SUBACCOUNTS
    owner: address = self.number_owners[number]
    assert owner != empty(address), "owners: nobody has this number"
    if msg.sender == owner and new_owner != owner:
        self._move_number(number, new_owner)
    else:
        assert new_owner == owner, "owners: new owner does not have this number"
    inbox._append(
        inbox.KIND_ROTATE_OWNER, 0, concat(convert(account, bytes4), convert(new_owner, bytes20))
    )


@internal
def _move_number(number: uint32, new_owner: address):
    """
    @notice From the sender, who has it, to an address that has none and agreed.
    """
    assert self.owner_numbers[new_owner] == 0, "owners: new owner has a number already"
    assert self.accepted_numbers[new_owner] == number, "owners: new owner has not accepted"
    assert self._has_key(new_owner), "owners: a contract has no key to sign with"
    self.owner_numbers[msg.sender] = 0
    self.accepted_numbers[new_owner] = 0
    self.owner_numbers[new_owner] = number
    self.number_owners[number] = new_owner
    log OwnerRotated(number=number, previous=msg.sender, owner=new_owner)


@internal
def _owner_number(owner: address) -> uint32:
    """
    @notice The owner's number, assigned now if they have none.
    """
    number: uint32 = self.owner_numbers[owner]
    if number == 0:
        assert self.owner_count < OWNERS_MAX, "owners: numbers are used up"
        number = self.owner_count + 1
        self.owner_count = number
        self.owner_numbers[owner] = number
        self.number_owners[number] = owner
        # Who has a number of their own wants no other, also once this one has moved on.
        self.accepted_numbers[owner] = 0
    return number


@internal
@view
def _has_key(owner: address) -> bool:
    """
    @notice Whether somebody may hold a key that signs for `owner`.
    """
    return not owner.is_contract or slice(owner.code, 0, 3) == DELEGATION
