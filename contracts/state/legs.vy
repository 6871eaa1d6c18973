# pragma version 0.4.3
"""
@title Legs of a block trade, as its row and the machine's registers hold them
@notice As state/legs.py.
"""


struct Leg:
    market: uint256
    taker_side: uint256
    ticks: uint256
    lots: uint256
