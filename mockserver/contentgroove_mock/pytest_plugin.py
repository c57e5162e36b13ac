"""pytest plugin of the `mock` extra."""
