"""The signals that ask a command to stop."""

from __future__ import annotations

import signal

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""Ctrl-C, the signal of service managers, and Ctrl-Break, the only one that programs can send on Windows."""
