"""The signals that ask a command to stop."""

from __future__ import annotations

import signal

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""Ctrl-C, a service manager's, and Ctrl-Break, which is all that another program can send on Windows."""
