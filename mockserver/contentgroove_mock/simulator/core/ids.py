"""Identifiers, all drawn from one source of randomness that the caller passes."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


class Ids:
    """Draws ids; the same seed results in the same ids in the same order."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def uuid(self) -> str:
        """Draw a random UUID (version 4)."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """Draw 256 bits, as hexadecimal digits."""
        return f"{self._random.getrandbits(256):064x}"


def account_id(key: str) -> str:
    """Return an account's id, a digest from which its API key cannot be restored."""
    return hashlib.sha256(b"account\0" + key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def user_id(account: str) -> str:
    """Return the id of the user that owns an account."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, account))
