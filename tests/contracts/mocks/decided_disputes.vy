# pragma version 0.4.3
"""
@title Disputes that a test decides, and that remember what was forfeited to them
"""

struct Decision:
    status: uint8
    claim: bytes32


ROLLUP: public(immutable(address))
ENTRY_WINDOW: public(immutable(uint64))

decisions: HashMap[bytes32, HashMap[uint64, Decision]]


event Forfeited:
    parent: bytes32
    contested_at: uint64
    caller: address
    amount: uint256


@deploy
def __init__(rollup: address, entry_window: uint64):
    ROLLUP = rollup
    ENTRY_WINDOW = entry_window


@external
def decide(parent_claim: bytes32, contested_at: uint64, status: uint8, claim: bytes32):
    self.decisions[parent_claim][contested_at] = Decision(status=status, claim=claim)


@external
@view
def result(parent_claim: bytes32, contested_at: uint64) -> (uint8, bytes32, bytes32):
    decision: Decision = self.decisions[parent_claim][contested_at]
    return decision.status, decision.claim, empty(bytes32)


@external
@payable
def forfeited(parent_claim: bytes32, contested_at: uint64, caller: address):
    assert msg.sender == ROLLUP, "decided_disputes: not the rollup"
    log Forfeited(
        parent=parent_claim, contested_at=contested_at, caller=caller, amount=msg.value
    )
