"""Lying on purpose, for devnets alone: a claimant that steals, and how it is caught."""
