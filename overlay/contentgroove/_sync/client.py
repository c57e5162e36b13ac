# Generated from _async/client.py by overlay/make_sync.py: edit that file and run `make sync`.
"""The sync client: turns settings into resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from contentgroove._core.header_fields import conceal_headers
from contentgroove._core.io import InOneProcess, run_sync
from contentgroove._core.secret import Secret, conceal
from contentgroove._core.settings import ApiKey, AuthMethod, resolve_settings
from contentgroove._core.tracebacks import with_safe_repr
from contentgroove._io.client_options import (
    DEFAULT_TIMEOUT,
    check_clients,
    check_policy,
    create_hooks,
    create_monitor,
    create_session,
    lazy,
    read_variable,
    replace_options,
    without_lazy,
)
from contentgroove._io.sync_io import SyncIO
from contentgroove._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from contentgroove._core.calls import RawResponse
    from contentgroove._core.io import Clock
    from contentgroove._core.retries import RetryPolicy
    from contentgroove._io.contract_monitor import OnContractViolation
    from contentgroove._io.hooks import ResponseInfo
    from contentgroove.errors import RequestInfo

    from .clips import Clips
    from .medias import DirectUploads, Medias
    from .webhook_subscriptions import WebhookSubscriptions


@with_safe_repr
class ContentGroove(InOneProcess):
    """A client of the ContentGroove API; safe to share between threads.

    Args:
        api_key: The API key, as a string or a `Secret`, or a function that returns the current one; by default the
            environment variable CONTENTGROOVE_API_KEY.
        base_url: The API's base URL; by default CONTENTGROOVE_BASE_URL, or else
            https://api.contentgroove.com/api/v1.
        timeout: The number of seconds for each of connecting, sending and receiving, or an `httpx.Timeout`. Uploads
            are limited by progress instead: they may take any time while bytes are being sent.
        max_retries: How often a request is sent again if that is safe; by default 3.
        http_client: Your own `httpx.Client` for API calls (proxy, mTLS, HTTP/2, instrumentation); not closed. Its
            headers, parameters, cookies, `auth`, `mounts` and event hooks apply; a header or parameter of this client
            has precedence over its own, and an `auth` that sets `Authorization` over the API key. Its timeouts, its
            base URL and `follow_redirects` do not apply. If it reaches the store through a proxy, files are uploaded
            through it, too; without `trust_env`, they ignore the proxies of the environment. A proxy inside of a
            transport that is not httpx's own is not seen: pass `upload_http_client` as well.
        upload_http_client: Your own `httpx.Client` for uploading files, such as for a store that needs other
            certificates. Nothing of it is added to the request, because a presigned URL rejects whatever was not
            signed; its event hooks must not add anything either.
        default_headers: Headers to send with each API call, such as those of a gateway; the store does not get them.
            They replace the client's own (`User-Agent`, `Accept`), except those that it must set itself. Their values
            are never shown.
        auth: How the key is sent: "bearer" (`Authorization`), "header" (`X-API-KEY`) or "query" (`api_key=`, which
            is written to logs of proxies and servers: avoid it).
        retry_policy: Delays and limits of retries; `max_retries` overrides its number.
        rate_limit: The most API calls per second that this client starts, retries and polls included, from all its
            threads or tasks; a fraction for less than one per second. They start at even intervals, without bursts:
            with 10, one each 0.1 s. Calls that wait for it do not fail. Sending files to the store does not count. By
            default there is no ceiling, and the client slows down after a 429 only.
        on_request: Called with each request before it is sent, credentials redacted.
        on_response: Called with each response after it was read.
        on_contract_violation: What happens if an exchange does not match the API's document: nothing ("off"), a
            warning of the logger `contentgroove` ("log"), a `ContractViolationError` ("raise", for tests), or a call
            of your function with the violations. Needs the extra `contract`.
        clock: Another source of time, for tests.
        sleep: A function that replaces sleeping, for tests.
        random: Another source of jitter (numbers from 0 up to 1), for tests.

    Raises:
        ConfigurationError: There is no key, or a setting is invalid or unsafe.
    """

    def __init__(
        self,
        api_key: ApiKey | None = None,
        base_url: str | Secret | None = None,
        *,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        max_retries: int | None = None,
        http_client: httpx.Client | None = None,
        upload_http_client: httpx.Client | None = None,
        default_headers: Mapping[str, str | Secret] | None = None,
        auth: AuthMethod = "bearer",
        retry_policy: RetryPolicy | None = None,
        rate_limit: float | None = None,
        on_request: Callable[[RequestInfo], object] | None = None,
        on_response: Callable[[ResponseInfo], object] | None = None,
        on_contract_violation: OnContractViolation = "off",
        clock: Clock | None = None,
        sleep: Callable[[float], object] | None = None,
        random: Callable[[], float] | None = None,
    ) -> None:
        # First of all, so that no traceback shows them: a base URL with a password is an error.
        api_key = api_key if callable(api_key) else conceal(api_key)
        base_url = conceal(base_url or None)
        default_headers = conceal_headers(default_headers)
        settings = resolve_settings(
            api_key=api_key,
            base_url=base_url,
            auth=auth,
            version=__version__,
            variable=read_variable,
            default_headers=default_headers,
        )
        check_clients("Client", http_client=http_client, upload_http_client=upload_http_client)
        hooks = create_hooks(on_request, on_response)
        monitor = create_monitor(on_contract_violation, settings)
        self._io = SyncIO(settings, hooks, sleep, http_client, upload_http_client, monitor=monitor)
        policy = check_policy(retry_policy, max_retries)
        self._session = create_session(
            self._io, settings, timeout=timeout, policy=policy, clock=clock, random=random, rate_limit=rate_limit
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._session.settings.base_url!r})"

    @lazy
    def medias(self) -> Medias:
        """Videos and audio files."""
        from .medias import Medias

        return Medias(self._session)

    @lazy
    def clips(self) -> Clips:
        """Parts of medias."""
        from .clips import Clips

        return Clips(self._session)

    @lazy
    def webhook_subscriptions(self) -> WebhookSubscriptions:
        """URLs that the service sends events to."""
        from .webhook_subscriptions import WebhookSubscriptions

        return WebhookSubscriptions(self._session)

    @lazy
    def direct_uploads(self) -> DirectUploads:
        """Uploads whose medias are not created yet."""
        from .medias import DirectUploads

        return DirectUploads(self._session)

    def with_options(
        self, *, timeout: float | httpx.Timeout | None = None, max_retries: int | None = None
    ) -> ContentGroove:
        """Return this client with other limits, for single calls: `client.with_options(timeout=5).medias.get(…)`.

        Both clients share their connections, the cool-down after a 429 and the `rate_limit`; closing one closes both.
        """
        other = object.__new__(type(self))
        vars(other).update(without_lazy(self))
        other._session = replace_options(self._session, timeout, max_retries)
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
        """Call an endpoint that this version does not know, with the same key, retries and errors.

        Args:
            method: GET, PUT, POST, DELETE, PATCH or HEAD.
            path: The path below the base URL, such as `/medias`.
            query: Query parameters; mappings are sent as `name[key]=value`.
            body: The value to send as JSON.
            headers: Further headers; they replace the client's own of the same names (`Accept`, `User-Agent`).

        Returns:
            The response; `.parse()` decodes its JSON.
        """
        from contentgroove._core.calls import call_raw
        from contentgroove._core.custom_request import custom_operation

        operation = custom_operation(method, path, query, body, headers)
        # Any of them may have credentials, and error reporters show the variables of this function.
        del query, body, headers
        return run_sync(call_raw(operation, self._session))

    def close(self) -> None:
        """Close all connections that the client opened.

        Running calls, uploads and waits end with a ConfigurationError, or with an OutcomeUnknownError if they may have
        created something; later calls raise a ConfigurationError. In a child process, the parent's client stays open.
        """
        self._io.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
