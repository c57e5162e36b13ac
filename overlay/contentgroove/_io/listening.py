"""Ports that only one program listens on."""

from __future__ import annotations

import os
import socket


def claim_port(listening: socket.socket, system: str = os.name) -> None:
    """Make sure that the port to which a socket is bound next is not shared with another program.

    SO_REUSEADDR allows binding to a port whose last connections are still being closed. On Windows, where that needs no
    option, it lets two programs listen on one port instead, and connections reach either.
    """
    # Looked up by name, because other systems lack it.
    option: int = vars(socket)["SO_EXCLUSIVEADDRUSE"] if system == "nt" else socket.SO_REUSEADDR
    listening.setsockopt(socket.SOL_SOCKET, option, 1)
