"""Signers of transactions, recovered in processes of their own, ahead of the rules."""
