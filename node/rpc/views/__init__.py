"""A node's state as its readers see it: pure functions from a `VenueView` to results."""
