# pragma version 0.4.3
"""
@title Escrow: the money, in and out
@notice Sections 4 and 7 of docs/protocol.md. A deposit that is accepted here cannot fail on
        L2; a withdrawal is paid here once per index, by proof against a confirmed claim.
"""

from ethereum.ercs import IERC20

from . import claims
from . import inbox
from . import outputs
from . import owners

uses: claims
uses: inbox
uses: owners


# Micro-USDC ever taken in; nano-USD sums on L2 are sized for it.
DEPOSITED_MAX: constant(uint256) = 2**64 - 1

WITHDRAWAL_DOMAIN: constant(uint8) = 5
WITHDRAWALS_DEPTH: constant(uint256) = 32


# @notice The token of account, USDC with 6 decimals.
TOKEN: public(immutable(address))


# One bit an index.
_paid: HashMap[uint256, uint256]


event Deposited:
    index: indexed(uint64)
    account: indexed(uint32)
    owner: indexed(address)
    amount: uint64


event WithdrawalPaid:
    index: indexed(uint32)
    account: indexed(uint32)
    recipient: indexed(address)
    amount: uint64


@deploy
def __init__(token: address):
    """
    @notice The token must return booleans, as USDC does.
    """
    assert token.is_contract, "escrow: token is not a contract"
    TOKEN = token


@external
@nonreentrant
def deposit(amount: uint64, subaccount: uint8) -> uint32:
    """
    @notice Take `amount` micro-USDC from the caller into one of their accounts.
    @dev The books are written first and the token is asked last; what it did is then
         compared with the books, so one that keeps a fee is refused. A contract is refused
         because it has no key: on L2 nobody could sign for its money, which would be lost.
    @return The account: owner number (24 bits), subaccount (8 bits).
    """
    assert amount > 0, "escrow: nothing to deposit"
    assert owners._has_key(msg.sender), "escrow: a contract has no key to sign with"
    micro: uint256 = convert(amount, uint256)
    deposited: uint256 = convert(inbox._item_before(inbox.inbox_size).deposited, uint256)
    assert deposited + micro <= DEPOSITED_MAX, "escrow: deposit cap reached"

    owner_number: uint32 = owners._owner_number(msg.sender)
    account: uint32 = owner_number * owners.SUBACCOUNTS + convert(subaccount, uint32)
    index: uint64 = inbox._append(
        inbox.KIND_DEPOSIT,
        amount,
        concat(convert(account, bytes4), convert(msg.sender, bytes20), convert(amount, bytes8)),
    )
    log Deposited(index=index, account=account, owner=msg.sender, amount=amount)

    before: uint256 = staticcall IERC20(TOKEN).balanceOf(self)
    taken: bool = extcall IERC20(TOKEN).transferFrom(msg.sender, self, micro)
    assert taken, "escrow: token refused deposit"
    after: uint256 = staticcall IERC20(TOKEN).balanceOf(self)
    assert after == before + micro, "escrow: token moved other amount"
    return account


@external
@nonreentrant
def withdraw(
    parent_claim: bytes32,
    output: Bytes[outputs.OUTPUT_BYTES],
    index: uint32,
    account: uint32,
    recipient: address,
    amount: uint64,
    branch: bytes32[WITHDRAWALS_DEPTH],
):
    """
    @notice Pay a withdrawal to its recipient. Anyone may.
    @param parent_claim With `output`, the confirmed claim to prove against.
    @param branch Siblings of the withdrawal's leaf, from the root to the leaf.
    """
    claim: bytes32 = claims._claim(parent_claim, keccak256(output))
    assert claims._is_confirmed(claim), "escrow: claim is not confirmed"
    assert not self._is_paid(index), "escrow: already paid"
    leaf: bytes32 = keccak256(
        concat(
            convert(WITHDRAWAL_DOMAIN, bytes1),
            convert(index, bytes4),
            convert(account, bytes4),
            convert(recipient, bytes20),
            convert(amount, bytes8),
        )
    )
    withdrawals_root: bytes32 = extract32(output, outputs.WITHDRAWALS_ROOT)
    assert self._root(index, leaf, branch) == withdrawals_root, "escrow: no such withdrawal"

    word: uint256 = convert(index, uint256) >> 8
    self._paid[word] |= 1 << (convert(index, uint256) & 255)
    paid: bool = extcall IERC20(TOKEN).transfer(recipient, convert(amount, uint256))
    assert paid, "escrow: token refused withdrawal"
    log WithdrawalPaid(index=index, account=account, recipient=recipient, amount=amount)


@external
@view
def is_paid(index: uint32) -> bool:
    """
    @notice Whether the withdrawal of this index has left.
    """
    return self._is_paid(index)


@internal
@view
def _is_paid(index: uint32) -> bool:
    """
    @notice The bit of this index, 256 to a slot.
    """
    word: uint256 = self._paid[convert(index, uint256) >> 8]
    return (word >> (convert(index, uint256) & 255)) & 1 == 1


@internal
@pure
def _root(index: uint32, leaf: bytes32, branch: bytes32[WITHDRAWALS_DEPTH]) -> bytes32:
    """
    @notice The root above a hashed leaf; a node is keccak(left | right), and the last
            sibling of the branch is the leaf's own.
    """
    node: bytes32 = leaf
    path: uint256 = convert(index, uint256)
    for height: uint256 in range(WITHDRAWALS_DEPTH):
        sibling: bytes32 = branch[WITHDRAWALS_DEPTH - 1 - height]
        if (path >> height) & 1 == 1:
            node = keccak256(concat(sibling, node))
        else:
            node = keccak256(concat(node, sibling))
    return node
