"""What this machine makes of the venue: one run, every figure relative to R.

R is what one core recovers of signatures in a second, measured between everything else.
"""
