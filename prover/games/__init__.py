"""Whole disputes on a toy machine: liars, an honest player, and an L1 on which much goes wrong.
Chance is passed in as integers, so a game is a function of them."""
