# pragma version 0.4.3
"""
@title Deposit: credit cash that L1 has already taken in
@notice As state/transactions/deposit.py. None that L1 makes can fail.
"""

from .. import accounts
from .. import limits
from .. import machine
from .. import packing
from .. import status
from .. import store
from .. import units
from .. import witness


# u32 account | address owner | u64 amount
DEPOSIT_LAYOUT: constant(bytes32) = (
    0x0414080000000000000000000000000000000000000000000000000000000000
)
DEPOSIT_BYTES: constant(uint256) = 32


struct Deposit:
    account: uint256
    owner: uint256
    amount: uint256


@internal
@pure
def _decode_deposit(payload: Bytes[limits.GIVEN_BYTES_MAX]) -> (bool, Deposit):
    """
    @notice Whether these bytes are a deposit, and which.
    """
    if len(payload) != DEPOSIT_BYTES:
        return False, empty(Deposit)
    return True, abi_decode(packing._unpack(payload, 0, DEPOSIT_LAYOUT), Deposit)


@internal
@pure
def _apply_deposit(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    payload: Bytes[limits.GIVEN_BYTES_MAX],
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice cash and the sum of deposits rise by the same amount. An account that is another's, or
            nobody's yet, is handed to the item's owner. BAD_ITEM for other bytes, and for nobody's.
    """
    after: machine.Machine = m
    is_deposit: bool = False
    item: Deposit = empty(Deposit)
    is_deposit, item = self._decode_deposit(payload)
    if not is_deposit or item.owner == 0:
        after.status = status.BAD_ITEM
        return after, store._no_changes()
    places: witness.Places = witness._places(leaves)
    before: accounts.Account = store._account(leaves, places, item.account)
    account: accounts.Account = accounts._handed_to(before, item.owner)
    amount: uint256 = units._nano(item.amount)
    account.head.cash += convert(amount, int256)
    after = store._write_account(m, before, account)
    after.deposited += amount
    after.status = status.OK
    return after, store._account_changes(places, item.account, account)
