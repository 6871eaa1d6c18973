# pragma version 0.4.3
"""
@title Account changes: the functions of contracts/state/accounts.vy, from leaf to leaf
"""

from contracts.state import accounts
from contracts.state import packing


@external
@pure
def position(leaf: Bytes[packing.LEAF_BYTES_MAX], market: uint256) -> (bool, accounts.Position):
    account: accounts.Account = accounts._decode_account(leaf)
    return accounts._has_position(account, market), accounts._position(account, market)


@external
@pure
def with_position(
    leaf: Bytes[packing.LEAF_BYTES_MAX], changed: accounts.Position
) -> Bytes[packing.LEAF_BYTES_MAX]:
    account: accounts.Account = accounts._decode_account(leaf)
    return accounts._encode_account(accounts._with_position(account, changed))


@external
@pure
def order(
    leaf: Bytes[packing.LEAF_BYTES_MAX], epoch: uint256, sequence: uint256
) -> (bool, accounts.OrderReference):
    is_there: bool = False
    reference: accounts.OrderReference = empty(accounts.OrderReference)
    is_there, reference = accounts._order(accounts._decode_account(leaf), epoch, sequence)
    return is_there, reference


@external
@pure
def with_order(
    leaf: Bytes[packing.LEAF_BYTES_MAX], reference: accounts.OrderReference
) -> Bytes[packing.LEAF_BYTES_MAX]:
    account: accounts.Account = accounts._decode_account(leaf)
    return accounts._encode_account(accounts._with_order(account, reference))


@external
@pure
def without_order(
    leaf: Bytes[packing.LEAF_BYTES_MAX], epoch: uint256, sequence: uint256
) -> Bytes[packing.LEAF_BYTES_MAX]:
    account: accounts.Account = accounts._decode_account(leaf)
    return accounts._encode_account(accounts._without_order(account, epoch, sequence))


@external
@pure
def key(leaf: Bytes[packing.LEAF_BYTES_MAX], epoch: uint256) -> (bool, accounts.SessionKey):
    is_there: bool = False
    session: accounts.SessionKey = empty(accounts.SessionKey)
    is_there, session = accounts._key(accounts._decode_account(leaf), epoch)
    return is_there, session


@external
@pure
def without_key(
    leaf: Bytes[packing.LEAF_BYTES_MAX], epoch: uint256
) -> Bytes[packing.LEAF_BYTES_MAX]:
    account: accounts.Account = accounts._decode_account(leaf)
    return accounts._encode_account(accounts._without_key(account, epoch))


@external
@pure
def handed_to(
    leaf: Bytes[packing.LEAF_BYTES_MAX], owner: uint256
) -> Bytes[packing.LEAF_BYTES_MAX]:
    account: accounts.Account = accounts._decode_account(leaf)
    return accounts._encode_account(accounts._handed_to(account, owner))


@external
@pure
def last_sequence(leaf: Bytes[packing.LEAF_BYTES_MAX], epoch: uint256) -> uint256:
    return accounts._last_sequence(accounts._decode_account(leaf), epoch)


@external
@pure
def with_sequence(
    leaf: Bytes[packing.LEAF_BYTES_MAX], epoch: uint256, sequence: uint256
) -> Bytes[packing.LEAF_BYTES_MAX]:
    account: accounts.Account = accounts._decode_account(leaf)
    return accounts._encode_account(accounts._with_sequence(account, epoch, sequence))
