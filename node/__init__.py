"""Where it runs: all network, disk and clock."""
