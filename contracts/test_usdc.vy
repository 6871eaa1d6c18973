# pragma version 0.4.3
"""
@title Test USDC: an ERC-20 with 6 decimals that anyone may mint
@notice For development networks only; it is worth nothing.
"""

from ethereum.ercs import IERC20

implements: IERC20


name: public(constant(String[9])) = "Test USDC"
symbol: public(constant(String[5])) = "tUSDC"
decimals: public(constant(uint8)) = 6


totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@external
def mint(to: address, amount: uint256):
    """
    @notice Make `amount` micro-USDC for `to`.
    """
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Move the caller's own tokens.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Move tokens that `owner` allowed the caller to move.
    """
    allowed: uint256 = self.allowance[owner][msg.sender]
    assert allowed >= amount, "test_usdc: allowance is too low"
    self.allowance[owner][msg.sender] = allowed - amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Allow `spender` to move up to `amount` of the caller's tokens.
    """
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    """
    @notice Nothing is made or lost.
    """
    assert self.balanceOf[owner] >= amount, "test_usdc: balance is too low"
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
