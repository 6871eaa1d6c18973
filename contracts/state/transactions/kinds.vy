# pragma version 0.4.3
"""
@title Kinds of transaction and of inbox item
@notice As state/transactions/kinds.py. Sequenced kinds are what a chunk may hold; inbox kinds
        come from L1 only.
"""

# A sequenced transaction.
HEADER: constant(uint256) = 1
PRICE: constant(uint256) = 2
ORDER: constant(uint256) = 3
CANCEL: constant(uint256) = 4
WITHDRAW: constant(uint256) = 5
TRANSFER: constant(uint256) = 6
CANCEL_ALL: constant(uint256) = 7
AMEND: constant(uint256) = 8
ADD_KEY: constant(uint256) = 9
REVOKE_KEY: constant(uint256) = 10
BLOCK_TRADE: constant(uint256) = 11

# An item of the L1 inbox.
ITEM_DEPOSIT: constant(uint256) = 1
ITEM_LIST_MARKET: constant(uint256) = 2
ITEM_REVOKE_KEY: constant(uint256) = 3
ITEM_ROTATE_OWNER: constant(uint256) = 4
ITEM_SET_PARAMETERS: constant(uint256) = 5

# Where the row begins in `u8 kind | row | signatures`.
ROW: constant(uint256) = 1
