# pragma version 0.4.3
"""
@title Limits: upper bounds of the venue
@notice As state/limits.py, which also says how they lean on one another.
"""

# Quantities.
CASH_MAX: constant(int256) = 2**111
LOTS_MAX: constant(uint256) = 2**48 - 1
PRICE_MAX: constant(uint256) = 2**56 - 1
TICKS_MAX: constant(uint256) = 2**24 - 1
ORDER_NUMBER_MAX: constant(uint256) = 2**40 - 1
KEY_EPOCH_MAX: constant(uint256) = 2**32 - 1
WITHDRAWALS_MAX: constant(uint256) = 2**32 - 1

# Sizes.
ACCOUNT_POSITIONS_MAX: constant(uint256) = 16
ACCOUNT_ORDERS_MAX: constant(uint256) = 64
ACCOUNT_KEYS_MAX: constant(uint256) = 4
MARKETS_MAX: constant(uint256) = 64
TIERS_MAX: constant(uint256) = 4
PUBLISHERS_MAX: constant(uint256) = 8
BLOCK_LEGS_MAX: constant(uint256) = 4
BATCH_CHUNKS_MAX: constant(uint256) = 64
CHUNK_BYTES_MAX: constant(uint256) = 8_192
CHUNK_TRANSACTIONS_MAX: constant(uint256) = 256
CHUNK_SEQUENCES_MAX: constant(uint256) = 1_024

# Trees.
ACCOUNTS_DEPTH: constant(uint256) = 32
MARKETS_DEPTH: constant(uint256) = 16
BOOK_DEPTH: constant(uint256) = 64
BOARD_DEPTH: constant(uint256) = 8
WITHDRAWALS_DEPTH: constant(uint256) = 32

# Steps.
BATCH_STEPS_MAX: constant(uint256) = 2**16
ORDER_FRONTS_MAX: constant(uint256) = 256
ORDER_STEPS_MAX: constant(uint256) = 1 + 1 + ORDER_FRONTS_MAX + 1
CANCEL_ALL_STEPS_MAX: constant(uint256) = 1 + ACCOUNT_ORDERS_MAX
BLOCK_STEPS_MAX: constant(uint256) = 1 + 1 + BLOCK_LEGS_MAX + 1

# What a witness may hold, and what a step reads and writes: docs/step.md.
WITNESS_ACCOUNTS_MAX: constant(uint256) = 2
WITNESS_MARKETS_MAX: constant(uint256) = 1
WITNESS_ROWS_MAX: constant(uint256) = 32
WITNESS_ORDERS_MAX: constant(uint256) = 2
WITNESS_WITHDRAWALS_MAX: constant(uint256) = 1
LEAVES_BYTES_MAX: constant(uint256) = 16_384
PROOFS_BYTES_MAX: constant(uint256) = 16_384
INPUT_BYTES_MAX: constant(uint256) = 8_192
GIVEN_BYTES_MAX: constant(uint256) = 1_088
CHANGES_BYTES_MAX: constant(uint256) = 8_192
