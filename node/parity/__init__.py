"""The rules in Python and those on L1, held against each other step by step."""
