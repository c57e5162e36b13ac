"""Decisions without I/O: what to send, when to send it again, what a response means.

Nothing here opens a file or socket, reads a clock, sleeps or draws random numbers. A decision of several steps is a
flow: a coroutine that awaits only other flows and the methods of its `IO`, which `_io` implements.
"""
