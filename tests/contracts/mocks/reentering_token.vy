# pragma version 0.4.3
"""
@title A token that calls back into whoever moves it, with a call chosen beforehand
@notice `outcome` tells what became of the call: 1 it ran, 2 it was refused; `answer_size` how
        many bytes it answered: a lock refuses without a word.
"""

balanceOf: public(HashMap[address, uint256])
callback: Bytes[2_048]
outcome: public(uint256)
answer_size: public(uint256)


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def approve(spender: address, amount: uint256) -> bool:
    return True


@external
def arm(callback: Bytes[2_048]):
    self.callback = callback


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    self._call_back()
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    self._call_back()
    return True


@internal
def _call_back():
    if len(self.callback) > 0:
        ran: bool = False
        answer: Bytes[128] = b""
        ran, answer = raw_call(
            msg.sender, self.callback, max_outsize=128, revert_on_failure=False
        )
        self.answer_size = len(answer)
        self.outcome = 1 if ran else 2
