"""An `IO` that follows a script, for tests of flows without a client."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from contentgroove import RetryPolicy
from contentgroove._core.calls import Session
from contentgroove._core.pacing import Pacer
from contentgroove._core.responses import Response
from contentgroove._core.secret import Secret
from contentgroove._core.settings import resolve_settings

from .conftest import BASE, KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove._core.responses import TransportFailure
    from contentgroove_api.types import Request

    from .conftest import FakeClock

T = TypeVar("T")


class ScriptedIO:
    """Returns prepared outcomes and never suspends, like the `IO` of a sync client.

    Attributes:
        steps: What flows did, in order.
    """

    def __init__(self, clock: FakeClock, *outcomes: Response | TransportFailure) -> None:
        self._clock = clock
        self._outcomes = list(outcomes)
        self.steps: list[tuple[object, ...]] = []

    async def _record(self, *step: object) -> None:
        self.steps.append(step)

    async def send(
        self,
        request: Request,
        timeouts: Timeouts,  # noqa: ARG002 - the protocol's
        time_limit: float | None,  # noqa: ARG002 - the protocol's
    ) -> Response | TransportFailure:
        """Return the next outcome."""
        await self._record("send", request.method, request.path)
        return self._outcomes.pop(0)

    async def put_file(
        self,
        url: Secret,
        source: Source,
        progress: Progress | None,
        timeouts: Timeouts,  # noqa: ARG002 - the protocol's
    ) -> Response | TransportFailure:
        """Read the source and return the next outcome."""
        sent = b"".join(source.chunks())
        if progress is not None:
            progress(len(sent), source.size)
        await self._record("put_file", url, sent)
        return self._outcomes.pop(0)

    async def sleep(self, seconds: float) -> None:
        """Move the clock."""
        await self._record("sleep", seconds)
        self._clock.sleep(seconds)

    async def notify(self, callback: Callable[[Any], object], value: object) -> None:
        """Call back."""
        await self._record("notify")
        callback(value)

    async def warn(self, message: str) -> None:
        """Keep the message."""
        await self._record("warn", message)

    async def call_blocking(self, call: Callable[[], T], *, abandon: bool = True) -> T:
        """Call."""
        await self._record("call_blocking", abandon)
        return call()


class Suspension:
    """Suspends the coroutine that awaits it: an event loop resumes it in its next round."""

    def __await__(self) -> Generator[None]:
        yield


class SuspendingIO(ScriptedIO):
    """Suspends before each step, like the `IO` of an async client."""

    async def _record(self, *step: object) -> None:
        await Suspension()
        await super()._record(*step)


def session_over(io: ScriptedIO, clock: FakeClock, policy: RetryPolicy | None = None) -> Session:
    """Create the session of a client over an `IO`, without jitter."""
    settings = resolve_settings(
        api_key=Secret(KEY), base_url=Secret(BASE), auth="bearer", version="1", variable=lambda _name: None
    )
    return Session(io, settings, {}, policy or RetryPolicy(), Pacer(threading.Lock()), clock, lambda: 1.0)


def json_response(body: object, status: int = 200) -> Response:
    """Create a response with a JSON body."""
    return Response(status, {}, json.dumps(body).encode())
