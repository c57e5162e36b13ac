"""The service's behaviour, without I/O: time and randomness are arguments."""
