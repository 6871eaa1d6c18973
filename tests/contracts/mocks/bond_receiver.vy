# pragma version 0.4.3
"""
@title A claimant that is a contract
@notice Passes calls on, and when a bond arrives does as it was told: take it, refuse it, or
        ask its sender for something more.
"""

TAKE: constant(uint256) = 0
REFUSE: constant(uint256) = 1
ASK_AGAIN: constant(uint256) = 2

manner: uint256
question: Bytes[4_096]
asked_again: public(bool)
second_answer: public(bool)


@external
def behave(manner: uint256):
    self.manner = manner


@external
def ask(question: Bytes[4_096]):
    self.manner = ASK_AGAIN
    self.question = question


@external
@payable
def pass_on(to: address, data: Bytes[8_192]):
    raw_call(to, data, value=msg.value)


@external
@payable
def __default__():
    assert self.manner != REFUSE, "bond_receiver: no thanks"
    if self.manner == ASK_AGAIN:
        self.asked_again = True
        self.second_answer = raw_call(msg.sender, self.question, revert_on_failure=False)
