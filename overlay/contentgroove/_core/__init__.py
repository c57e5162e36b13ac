"""Decisions without I/O: what to send, when to send it again, what an answer means.

Nothing here opens a file or socket, reads a clock, sleeps or draws random numbers. Where a decision takes
several steps it is a generator, a `Flow`, that yields the effects it needs and is driven by `_io`.
"""
