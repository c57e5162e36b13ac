"""The effects that flows ask for, and the values they get back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from contentgroove_api.types import Request

T = TypeVar("T")


class Send(Struct, frozen=True):
    """Send a request to the API and read the whole answer; gives a `Response` or a `TransportFailure`.

    Attributes:
        request: What to send.
        time_limit: Seconds that each of connecting, sending and receiving may take at most, where that is less
            than the client's timeout.
    """

    request: Request
    time_limit: float | None = None


class Put(Struct, frozen=True):
    """Send the upload's source to a presigned URL; gives a `Response` or a `TransportFailure`."""

    url: str

    def __repr__(self) -> str:
        # The URL is a credential.
        return "Put()"


class Save(Struct, frozen=True):
    """Write the upload's checkpoint, so that it survives the process; gives None, or the `OSError` that kept it."""

    content: bytes

    def __repr__(self) -> str:
        return f"Save(bytes={len(self.content)})"


class Sleep(Struct, frozen=True):
    """Let time pass; gives None."""

    seconds: float


class Notify(Struct, frozen=True):
    """Call back into the application, awaiting the result if it is awaitable; gives None."""

    callback: Callable[[Any], object]
    value: object


class Ask(Struct, frozen=True):
    """Call what may block, such as a database; gives what it returns."""

    call: Callable[[], object]


Effect: TypeAlias = Send | Put | Save | Sleep | Notify | Ask
Flow: TypeAlias = Generator[Effect, Any, T]


class Response(Struct, frozen=True):
    """An HTTP answer, read whole."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 2xx."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - HTTP's own classes (RFC 9110, 15)

    def __repr__(self) -> str:
        return f"Response(status_code={self.status_code}, bytes={len(self.content)})"


FailureKind: TypeAlias = Literal["connect", "timeout", "broken", "too_large", "source_changed", "unreadable"]


class TransportFailure(Struct, frozen=True):
    """There is no answer, or no whole one.

    Attributes:
        kind: `connect`: no connection came about; `timeout`: nothing came in time; `broken`: the connection
            ended early or spoke no HTTP; `too_large`: the answer was larger than any this API gives;
            `source_changed`, `unreadable`: the file being uploaded.
        may_have_arrived: False if it is certain that the service never saw the whole request.
        cause: The exception, for the traceback.
    """

    kind: FailureKind
    may_have_arrived: bool
    cause: Exception
