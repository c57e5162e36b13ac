"""Ports that one program has for itself."""

from __future__ import annotations

import os
import socket


def claim_port(listening: socket.socket, system: str = os.name) -> None:
    """Let a socket that is bound next have a port that nobody listens at, and nobody share it.

    SO_REUSEADDR lets a port be taken at once whose last connections are still being wound up. On Windows, where that
    needs no option, it lets two programs listen at one port instead, and connections reach either.

    Args:
        listening: A socket that is not bound yet.
        system: `os.name`.
    """
    # Looked up by its name, because other systems lack it.
    option: int = vars(socket)["SO_EXCLUSIVEADDRUSE"] if system == "nt" else socket.SO_REUSEADDR
    listening.setsockopt(socket.SOL_SOCKET, option, 1)
