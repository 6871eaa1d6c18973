# pragma version 0.4.3
"""
@title Payments: what everybody may withdraw of lost bonds, in wei
@notice docs/disputes.md, section 5. A price is gas of a table x min(base fee of the block, cap),
        never what somebody actually paid: nobody can make a bond pay more than was foreseen.
"""


# Gas that a call is paid for. The two that show a step count the dearest there is.
ADVANCE_GAS: constant(uint256) = 150_000
SETTLE_GAS: constant(uint256) = 4_500_000
REFUTE_GAS: constant(uint256) = 4_500_000
TIME_OUT_GAS: constant(uint256) = 400_000
REJECT_GAS: constant(uint256) = 200_000

# Of a claim and an entry together, and for every root that is published.
ENTER_GAS: constant(uint256) = 1_000_000
LEAF_GAS: constant(uint256) = 3_000

# What a credit is for.
SETTLED: constant(uint8) = 1
TIMED_OUT: constant(uint8) = 2
REFUTED: constant(uint8) = 3
MOVED: constant(uint8) = 4
BOND: constant(uint8) = 5
REJECTED: constant(uint8) = 6
ENTERED: constant(uint8) = 7
REMAINDER: constant(uint8) = 8


# @notice Who gets what is left of a lost bond.
INSURANCE: public(immutable(address))

# @notice Wei a gas above which nothing is paid.
BASE_FEE_CAP: public(immutable(uint256))

# @notice Wei that an account may withdraw.
credits: public(HashMap[address, uint256])


event Credited:
    account: indexed(address)
    amount: uint256
    why: uint8


event Withdrawn:
    account: indexed(address)
    amount: uint256


@deploy
def __init__(insurance: address, base_fee_cap: uint256):
    """
    @param base_fee_cap Wei a gas.
    """
    assert insurance != empty(address), "payments: no insurance"
    INSURANCE = insurance
    BASE_FEE_CAP = base_fee_cap


@external
@nonreentrant
def withdraw():
    """
    @notice Send the caller their credits.
    """
    amount: uint256 = self.credits[msg.sender]
    assert amount > 0, "payments: nothing to withdraw"
    self.credits[msg.sender] = 0
    sent: bool = raw_call(msg.sender, b"", value=amount, revert_on_failure=False)
    assert sent, "payments: receiver refused"
    log Withdrawn(account=msg.sender, amount=amount)


@internal
def _credit(account: address, amount: uint256, why: uint8):
    """
    @notice Nothing is logged where nothing is due.
    """
    if amount > 0:
        self.credits[account] += amount
        log Credited(account=account, amount=amount, why=why)


@internal
@view
def _price(cost: uint256) -> uint256:
    """
    @notice cost x min(base fee, cap), in wei; the cost is gas of the table.
    """
    return cost * min(block.basefee, BASE_FEE_CAP)


@internal
@view
def _dearest_match(height: uint256) -> uint256:
    """
    @notice What a match can cost at most: the moves of the side that has more of them, and its end.
    """
    moves: uint256 = (height + 1) // 2
    return (moves * ADVANCE_GAS + max(SETTLE_GAS, REFUTE_GAS)) * BASE_FEE_CAP
