"""The boundary between decisions and I/O, and the two ways to run a flow across it.

A *flow* is a coroutine of several steps that the sync and the async client share: a call with its retries, a wait, an
upload. Every step that touches the outside world is a method of `IO`. The `IO` of an async client awaits as usual; that
of a sync client does the work before it returns, so its coroutines never suspend and `run_sync` runs a whole flow at
once. Flows await nothing but each other and their `IO`, are not async generators, and keep no state between calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextlib import AbstractContextManager

    from contentgroove_api.types import Request

    from .responses import Response, TransportFailure
    from .secret import Secret

T = TypeVar("T")

Timeouts: TypeAlias = Mapping[str, float]
"""Seconds for each of `connect`, `read`, `write` and `pool` (to wait for a free connection)."""

Progress: TypeAlias = Callable[[int, int], object]
"""Called with the bytes sent so far and their total; an exception that it raises ends the upload. An async client
awaits its result if it is awaitable, before it sends more."""


class Clock(Protocol):
    """A source of time."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    def time(self) -> float:
        """Return seconds since 1970, for dates that the service sends."""
        ...


class Source(Protocol):
    """Content that can be uploaded and whose length is known.

    Attributes:
        name: The file's name, None if it has none.
        size: Bytes that are sent.
        rewindable: Whether it can be sent again from the start.
        modified: When it was last changed, in nanoseconds since 1970; None if it has no such time.
    """

    name: str | None
    size: int
    rewindable: bool
    modified: int | None

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the content in chunks, from the position at which it was passed in."""
        ...


class CheckpointStore(Protocol):
    """Reads and writes the checkpoint of one upload. Its methods may block, and be called from any thread.

    Messages show its `repr` as the first argument of `client.medias.resolve(…)`.
    """

    @property
    def path(self) -> str:
        """The checkpoint's path, or what else names it, for messages."""
        ...

    @property
    def shared(self) -> bool:
        """Whether other machines use it, too: their copies of the file may have other times of change."""
        ...

    def lock(self) -> AbstractContextManager[object]:
        """Keep other uploads from using the checkpoint; `read` and `write` are called only inside.

        Raises:
            CheckpointInUseError: Another upload uses it.
            ContentGrooveError: It cannot be used.
        """
        ...

    def read(self) -> bytes | None:
        """Return the content, None if there is none yet."""
        ...

    def write(self, content: bytes) -> OSError | None:
        """Replace the content durably. If that fails, keep the old content and return the error.

        It must fail once another upload holds the lock, for example because this process was suspended for too long:
        what was not written is not done.
        """
        ...


class CheckpointWriteError(OSError):
    """A checkpoint could not be written, for a reason that disk space does not mend.

    Args:
        message: What happened, without a full stop.
        advice: What to do, as the beginning of a sentence.
        taken_over: Whether another upload has taken the checkpoint over.
    """

    def __init__(self, message: str, advice: str, *, taken_over: bool = False) -> None:
        super().__init__(message)
        self.advice = advice
        self.taken_over = taken_over


class IO(Protocol):
    """What flows can do to the outside world."""

    async def send(self, request: Request, timeouts: Timeouts, time_limit: float | None) -> Response | TransportFailure:
        """Send a request to the API and read the whole response.

        Args:
            request: The request.
            timeouts: The limits of each step.
            time_limit: Seconds that each step may take at most, if that is less than its timeout; None for no limit.
        """
        ...

    async def put_file(
        self, url: Secret, source: Source, progress: Progress | None, timeouts: Timeouts
    ) -> Response | TransportFailure:
        """Send a source's content to a presigned URL.

        Args:
            url: The URL.
            source: The content.
            progress: Called after each chunk.
            timeouts: The limits of each step; uploads have their own for writing and reading.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def notify(self, callback: Callable[[Any], object], value: object) -> None:
        """Call a callback of the application; an async client awaits an awaitable result."""
        ...

    async def warn(self, message: str) -> None:
        """Write a warning to the log."""
        ...

    async def call_blocking(self, call: Callable[[], T], *, abandon: bool = True) -> T:
        """Call a function that may block; an async client does it in a thread.

        Args:
            call: The function.
            abandon: Whether a cancelled task leaves the thread to itself; if not, it waits for its end.
        """
        ...


class InOneProcess:
    """What belongs to one process, because it leads to connections and to the API key."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(NO_COPY)


NO_COPY = (
    "A client, its resources, its lists and its raw responses contain an API key and connections, so they cannot be "
    "pickled or copied: create the client in each process."
)


class CallbackError(Exception):
    """Carries the exception of an application's callback through code that would take it for its own.

    The HTTP library would take it for a broken connection, for example. `run_sync` and `run_async` raise the original.

    Attributes:
        reason: The original exception.
    """

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def run_sync(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow whose I/O never suspends, and raise the original of an exception that a CallbackError carries.

    Raises:
        RuntimeError: The flow suspended.
    """
    try:
        return run_inner(flow)
    except CallbackError as error:
        reason = error.reason
    # Outside the block, so that its context is not an error whose frames have requests with credentials.
    raise reason


def run_inner(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow like `run_sync`, below code that must not see what a CallbackError carries.

    Raises:
        RuntimeError: The flow suspended.
    """
    try:
        flow.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    except RuntimeError as error:
        # A StopIteration, such as one of an application's hook, cannot leave a coroutine. It can leave a function.
        if isinstance(error.__cause__, StopIteration) and str(error) == "coroutine raised StopIteration":
            raise error.__cause__ from None
        raise
    flow.close()
    name = getattr(flow, "__qualname__", repr(flow))
    raise RuntimeError(f"{name} suspended: a flow may await only other flows and the methods of its IO.")


async def run_async(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow in the running event loop."""
    try:
        return await flow
    except CallbackError as error:
        reason = error.reason
    # Outside the block, as in `run_sync`.
    raise reason
