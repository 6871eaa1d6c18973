# pragma version 0.4.3
"""
@title A token that moves what it is asked to and then says that it did not
@notice Once `relent` was called it is honest about deposits, so that withdrawals are reached.
"""

balanceOf: public(HashMap[address, uint256])
relented: bool


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def approve(spender: address, amount: uint256) -> bool:
    return True


@external
def relent():
    self.relented = True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    return self.relented


@external
def transfer(to: address, amount: uint256) -> bool:
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    return False
