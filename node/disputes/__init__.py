"""Disputes as a node sees and plays them: what L1 shows, the traces, and the moves."""
