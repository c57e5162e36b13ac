"""The simulator: `core` is the service without I/O, `web` its HTTP side, and the other modules connect the two."""
