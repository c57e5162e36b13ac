"""What is assumed about the service beyond its document, and checks of that against the service.

`assumptions.toml` is the ledger: each entry has a statement, its evidence, what relies on it and what breaks if it is
wrong. `ledger` reads it. A check proves or refutes one entry by requests of its own; it never uses the client, which
tolerates much. `run` performs the checks within limits of calls and time, and `creations` deletes what they create.

A check says "confirmed" or "refuted" only if a control shows that the service does what the check builds on; otherwise
it raises a `NotTriedError` with the reason.
"""
