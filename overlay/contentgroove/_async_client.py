"""`AsyncContentGroove`: settings in, resources out, awaited."""

from __future__ import annotations

import copy
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import anyio

from ._core.settings import ApiKey, AuthMethod, resolve_settings
from ._io.async_shell import AsyncIO
from ._io.calls import AsyncRawResource, AsyncResource, RawResponse
from ._io.options import (
    DEFAULT_TIMEOUT,
    check_clients,
    check_policy,
    create_hooks,
    create_monitor,
    create_session,
    replace_options,
)
from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    import httpx

    from ._core.io import Clock
    from ._core.retries import RetryPolicy
    from ._io.contract import OnViolation
    from ._io.http import ResponseInfo
    from .errors import RequestInfo
    from .resources.async_medias import AsyncMedias
    from .resources.clips import AsyncClips
    from .resources.direct_uploads import AsyncDirectUploads
    from .resources.webhook_subscriptions import AsyncWebhookSubscriptions


class AsyncContentGroove:
    """As `ContentGroove`, for one event loop at a time: calls are awaited, lists iterated with `async for`.

    Its arguments are those of `ContentGroove`; `http_client` and `upload_http_client` are `httpx.AsyncClient`s,
    `sleep` is async, and `on_request` and `on_response` may be. It is made and tested for asyncio.
    """

    def __init__(
        self,
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        *,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        max_retries: int | None = None,
        http_client: httpx.AsyncClient | None = None,
        upload_http_client: httpx.AsyncClient | None = None,
        auth: AuthMethod = "bearer",
        retry_policy: RetryPolicy | None = None,
        on_request: Callable[[RequestInfo], object] | None = None,
        on_response: Callable[[ResponseInfo], object] | None = None,
        on_contract_violation: OnViolation = "off",
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        random: Callable[[], float] | None = None,
    ) -> None:
        settings = resolve_settings(
            api_key=api_key, base_url=base_url, auth=auth, version=__version__, environment=os.environ
        )
        check_clients("AsyncClient", http_client=http_client, upload_http_client=upload_http_client)
        hooks = create_hooks(on_request, on_response, awaited=True)
        monitor = create_monitor(on_contract_violation, settings)
        self._io = AsyncIO(settings, hooks, sleep or anyio.sleep, http_client, upload_http_client, monitor=monitor)
        session = create_session(
            self._io,
            settings,
            timeout=timeout,
            policy=check_policy(retry_policy, max_retries),
            clock=clock,
            random=random,
        )
        self._calls = AsyncResource(session)
        self._claimed: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"AsyncContentGroove(base_url={self._calls.session.settings.base_url!r})"

    @cached_property
    def medias(self) -> AsyncMedias:
        """Videos and audios."""
        from .resources.async_medias import AsyncMedias

        return AsyncMedias(self._calls, self._claimed)

    @cached_property
    def clips(self) -> AsyncClips:
        """Parts of medias."""
        from .resources.clips import AsyncClips

        return AsyncClips(self._calls)

    @cached_property
    def webhook_subscriptions(self) -> AsyncWebhookSubscriptions:
        """URLs that are told about events."""
        from .resources.webhook_subscriptions import AsyncWebhookSubscriptions

        return AsyncWebhookSubscriptions(self._calls)

    @cached_property
    def direct_uploads(self) -> AsyncDirectUploads:
        """Uploads before their medias are created."""
        from .resources.direct_uploads import AsyncDirectUploads

        return AsyncDirectUploads(self._calls)

    def with_options(
        self, *, timeout: float | httpx.Timeout | None = None, max_retries: int | None = None
    ) -> AsyncContentGroove:
        """As `ContentGroove.with_options`."""
        other = copy.copy(self)
        for name in ("medias", "clips", "webhook_subscriptions", "direct_uploads"):
            other.__dict__.pop(name, None)
        session = replace_options(self._calls.session, timeout, max_retries)
        other._calls = AsyncResource(session)  # noqa: SLF001 - the same class
        return other

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse[Any]:
        """As `ContentGroove.request`."""
        from ._core import custom

        calls = AsyncRawResource(self._calls.session)
        response: Any = await calls.call(custom.custom_operation(method, path, query, body, headers))
        return response  # type: ignore[no-any-return]  # raw calls give RawResponses

    async def aclose(self) -> None:
        """Close all connections that the client opened; calls after it are a ConfigurationError."""
        await self._io.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
