"""What L1 enforces: Vyper sources, and the typed calldata and events that reach them."""
