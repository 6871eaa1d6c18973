"""Disputes between claims: what is committed to, the rules of L1 as a twin in Python, and what a
player does next. The page is docs/disputes.md."""
