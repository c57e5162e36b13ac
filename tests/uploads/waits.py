"""Look at what a transport waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove._io.upload_connection import SocketWait

Watch: TypeAlias = "Callable[[Callable[[SocketWait], None]], list[bool]]"
"""Calls back before each wait; gives the list of whether each ended before its time was up."""
