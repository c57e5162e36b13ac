"""An exchange with the service, what its JSON contains, and why a check could not be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx
import msgspec
from contentgroove_api.types import check_levels

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotTriedError(Exception):
    """A check could not be made; the message is the reason."""


class RunEndedError(NotTriedError):
    """No further check can be made."""


class NoJsonError(NotTriedError):
    """A success came with something else than JSON, such as a page: this API did not respond."""


class KeyLostError(RunEndedError):
    """The service took the key at first, and does not take it any more."""


class TooManyRequestsError(RunEndedError):
    """The service limits the requests, for longer than a run waits."""


class LostResponseError(NotTriedError):
    """No response came; the request may have been performed.

    Attributes:
        connected: Whether there was a connection.
    """

    def __init__(self, message: str, *, connected: bool) -> None:
        super().__init__(message)
        self.connected = connected


class Exchange(NamedTuple):
    """A request and its response.

    Attributes:
        url: The path below the base URL, with its query; for a store the whole URL, which is a credential.
        sent: The request's headers, without the key.
        headers: The response's headers by lower-case name.
    """

    method: str
    url: str
    sent: Mapping[str, str]
    body: bytes
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The response's JSON; None if it is not JSON."""
        return read_json(self.content)

    @property
    def data(self) -> Any:
        """The member `data` of the response; None without one."""
        return member(self.json, "data")

    @property
    def is_page(self) -> bool:
        """Whether it is a success whose body is not JSON, such as the login page of a network."""
        return self.succeeded and self.content.strip() not in {b"", b"null"} and self.json is None

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx."""
        return httpx.codes.is_success(self.status)

    @property
    def errors(self) -> list[Any]:
        """The member `errors` of the response; empty without one."""
        return entries(self.json, "errors")


def read_json(content: bytes) -> Any:
    """Return a body's JSON; None if it is not JSON."""
    try:
        check_levels(content)
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def member(value: Any, *path: str | int) -> Any:
    """Return a member of JSON; None if it, or one on the way to it, is missing."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value


def entries(value: Any, *path: str | int) -> list[Any]:
    """Return the entries of a list in JSON; none if it, or something on the way to it, is missing or not a list."""
    found = member(value, *path)
    return cast("list[Any]", found) if isinstance(found, list) else []


def is_newest_first(items: list[Any]) -> bool:
    """Return whether items are in the order of their creation, the newest first."""
    times = [str(member(item, "attributes", "created_at")) for item in items]
    return times == sorted(times, reverse=True)
