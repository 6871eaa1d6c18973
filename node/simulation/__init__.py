"""The whole node in one process, from one seed, in a time of its own."""
