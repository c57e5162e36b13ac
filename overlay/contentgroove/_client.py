"""`ContentGroove`: settings in, resources out."""

from __future__ import annotations

import copy
import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from ._core.settings import ApiKey, AuthMethod, resolve_settings
from ._io.calls import RawResource, RawResponse, Resource
from ._io.options import (
    DEFAULT_TIMEOUT,
    check_clients,
    check_policy,
    create_hooks,
    create_monitor,
    create_session,
    replace_options,
)
from ._io.sync_shell import SyncIO
from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    import httpx

    from ._core.io import Clock
    from ._core.retries import RetryPolicy
    from ._io.contract import OnViolation
    from ._io.http import ResponseInfo
    from .errors import RequestInfo
    from .resources.clips import Clips
    from .resources.direct_uploads import DirectUploads
    from .resources.medias import Medias
    from .resources.webhook_subscriptions import WebhookSubscriptions


class ContentGroove:
    """A client of the ContentGroove API; safe to share between threads.

    Args:
        api_key: The API key, or a function that gives the current one; else the environment variable
            CONTENTGROOVE_API_KEY.
        base_url: The API's base URL; else CONTENTGROOVE_BASE_URL, else https://api.contentgroove.com/api/v1.
        timeout: Seconds for each of connecting, sending and receiving, or an `httpx.Timeout`. Uploads
            have a stall limit instead: they may take any time while bytes go through.
        max_retries: How often a request that may safely be repeated is sent again; 3 without it.
        http_client: Your own `httpx.Client` for API calls (proxy, mTLS, HTTP/2, instrumentation); not closed.
        upload_http_client: Your own `httpx.Client` for the file itself. It must add no headers or parameters of its
            own: a presigned URL refuses what was not signed.
        auth: How the key is sent: "bearer" (`Authorization`), "header" (`X-API-KEY`) or "query" (`api_key=`, which
            ends up in logs on the way: avoid it).
        retry_policy: Delays and limits of retries; `max_retries` counts over it.
        on_request: Called with each request before it is sent, credentials redacted.
        on_response: Called with each answer once it was read.
        on_contract_violation: What happens when an exchange is not what the API's document says: nothing ("off"), a
            warning of the logger `contentgroove` ("log"), a `ContractViolationError` ("raise", for tests), or your
            function, which gets the violations. Needs the extra `contract`.
        clock: Another source of time, for tests.
        sleep: Another way to let time pass, for tests.
        random: Another source of jitter (numbers from 0 up to 1), for tests.

    Raises:
        ConfigurationError: There is no key, or a setting is unusable or unsafe.
    """

    def __init__(
        self,
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        *,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        max_retries: int | None = None,
        http_client: httpx.Client | None = None,
        upload_http_client: httpx.Client | None = None,
        auth: AuthMethod = "bearer",
        retry_policy: RetryPolicy | None = None,
        on_request: Callable[[RequestInfo], object] | None = None,
        on_response: Callable[[ResponseInfo], object] | None = None,
        on_contract_violation: OnViolation = "off",
        clock: Clock | None = None,
        sleep: Callable[[float], object] | None = None,
        random: Callable[[], float] | None = None,
    ) -> None:
        settings = resolve_settings(
            api_key=api_key, base_url=base_url, auth=auth, version=__version__, environment=os.environ
        )
        check_clients("Client", http_client=http_client, upload_http_client=upload_http_client)
        hooks = create_hooks(on_request, on_response, awaited=False)
        monitor = create_monitor(on_contract_violation, settings)
        self._io = SyncIO(settings, hooks, sleep or time.sleep, http_client, upload_http_client, monitor=monitor)
        session = create_session(
            self._io,
            settings,
            timeout=timeout,
            policy=check_policy(retry_policy, max_retries),
            clock=clock,
            random=random,
        )
        self._calls = Resource(session)
        self._claimed: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"ContentGroove(base_url={self._calls.session.settings.base_url!r})"

    @cached_property
    def medias(self) -> Medias:
        """Videos and audios."""
        from .resources.medias import Medias

        return Medias(self._calls, self._claimed)

    @cached_property
    def clips(self) -> Clips:
        """Parts of medias."""
        from .resources.clips import Clips

        return Clips(self._calls)

    @cached_property
    def webhook_subscriptions(self) -> WebhookSubscriptions:
        """URLs that are told about events."""
        from .resources.webhook_subscriptions import WebhookSubscriptions

        return WebhookSubscriptions(self._calls)

    @cached_property
    def direct_uploads(self) -> DirectUploads:
        """Uploads before their medias are created."""
        from .resources.direct_uploads import DirectUploads

        return DirectUploads(self._calls)

    def with_options(
        self, *, timeout: float | httpx.Timeout | None = None, max_retries: int | None = None
    ) -> ContentGroove:
        """Give the same client with other limits, for single calls: `client.with_options(timeout=5).medias.get(…)`.

        Connections and the cool-down after a 429 are shared; closing one closes both.
        """
        other = copy.copy(self)
        for name in ("medias", "clips", "webhook_subscriptions", "direct_uploads"):
            other.__dict__.pop(name, None)
        session = replace_options(self._calls.session, timeout, max_retries)
        other._calls = Resource(session)  # noqa: SLF001 - the same class
        return other

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse[Any]:
        """Call an endpoint that this library does not know, with the same key, retries and errors.

        Args:
            method: GET, PUT, POST, DELETE, PATCH or HEAD.
            path: The path below the base URL, such as `/medias`.
            query: Query parameters; mappings go out as `name[key]=value`.
            body: What is sent as JSON.
            headers: Further headers, sent instead of the client's own of the same names (`Accept`, `User-Agent`).

        Returns:
            The answer; `.parse()` gives its JSON.
        """
        from ._core import custom

        calls = RawResource(self._calls.session)
        response: Any = calls.call(custom.custom_operation(method, path, query, body, headers))
        return response  # type: ignore[no-any-return]  # raw calls give RawResponses

    def close(self) -> None:
        """Close all connections that the client opened; calls after it are a ConfigurationError."""
        self._io.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
