"""The simulator's HTTP side: routes, the file store, faults of the connection."""
