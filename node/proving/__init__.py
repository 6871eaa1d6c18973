"""Proving by hand: the venue from L1's logs alone, step by step, and what L1 says to a step."""
