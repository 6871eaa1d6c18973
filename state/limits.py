"""Upper bounds. Everything in the venue is finite; this is where it ends.

The assertions say how the bounds lean on one another: a product must stay within
255 bits, a step within its witness, a batch within its budget.
"""

from state.units import INDEX_ONE, RATE_ONE

# --- quantities ---
CASH_MAX = 2**111
LOTS_MAX = 2**48 - 1
PRICE_MAX = 2**56 - 1
TICK_MAX = 2**32 - 1
TICKS_MAX = 2**24 - 1
INDEX_MAX = 2**127 - 1
TIME_MAX = 2**40 - 1
AMOUNT_MICRO_MAX = 2**64 - 1
TRANSFER_MAX = 2**80 - 1
ORDER_NUMBER_MAX = 2**40 - 1

# --- sizes ---
ACCOUNT_POSITIONS_MAX = 16
ACCOUNT_ORDERS_MAX = 64
ACCOUNT_KEYS_MAX = 4
KEY_EPOCH_MAX = 2**32 - 1
MARKETS_MAX = 64
TIERS_MAX = 4
PUBLISHERS_MAX = 8
BLOCK_LEGS_MAX = 4

# --- trees ---
ACCOUNTS_DEPTH = 32
MARKETS_DEPTH = 16
BOOK_DEPTH = 64
BOARD_DEPTH = 8
WITHDRAWALS_DEPTH = 32
WITHDRAWALS_MAX = 2**32 - 1

# --- steps ---
BATCH_STEPS_MAX = 2**16
DISPUTE_MOVES_MAX = 16
INBOX_STEPS_MAX = 2**14
ORDER_FRONTS_MAX = 256
# ADMIT, SAVE, a step per front, then one that ends it.
ORDER_STEPS_MAX = 1 + 1 + ORDER_FRONTS_MAX + 1
# ADMIT, a step per order.
CANCEL_ALL_STEPS_MAX = 1 + ACCOUNT_ORDERS_MAX
# ADMIT, SAVE, a step per leg, SETTLE.
BLOCK_STEPS_MAX = 1 + 1 + BLOCK_LEGS_MAX + 1

# --- batches ---
CHUNK_BYTES_MAX = 8_192
CHUNK_TRANSACTIONS_MAX = 256
CHUNK_SEQUENCES_MAX = 1_024
BATCH_CHUNKS_MAX = 64
BATCH_PAYLOAD_MAX = 110_000
SIGNATURE_BYTES = 64

assert TICKS_MAX * TICK_MAX <= PRICE_MAX
assert LOTS_MAX * PRICE_MAX * ACCOUNT_POSITIONS_MAX < CASH_MAX
# Equity of one side times the requirement of the other, when risk is compared.
assert (2 * CASH_MAX) ** 2 < 2**255
assert CASH_MAX * RATE_ONE * ACCOUNT_POSITIONS_MAX < 2**255
assert INDEX_MAX * (LOTS_MAX + 1) < 2**255 and INDEX_ONE < 2**64
# The sums of a market's lots and of all markets' stay within their fields.
assert 2**32 * LOTS_MAX * MARKETS_MAX < 2**128
assert ACCOUNT_ORDERS_MAX * LOTS_MAX < 2**64
assert BATCH_STEPS_MAX == 2**DISPUTE_MOVES_MAX
assert max(CANCEL_ALL_STEPS_MAX, BLOCK_STEPS_MAX) <= ORDER_STEPS_MAX
# BOOT, the whole inbox budget, an OPEN per chunk, one order of the longest kind, HALT.
assert 1 + INBOX_STEPS_MAX + BATCH_CHUNKS_MAX + ORDER_STEPS_MAX + 1 <= BATCH_STEPS_MAX
# A chunk that does not compress is posted as literals and must still fit.
assert CHUNK_BYTES_MAX + CHUNK_BYTES_MAX // 255 + 16 <= BATCH_PAYLOAD_MAX
