"""Everything that can happen to the state, one file per kind."""
