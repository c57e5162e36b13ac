"""What the service does, without I/O: time and randomness come in as arguments."""
