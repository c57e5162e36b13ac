"""A client's settings, checked before anything is sent: a wrong one is a `ConfigurationError`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from contentgroove.errors import ConfigurationError

from .io import NO_COPY
from .redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove_api.types import Request

ApiKey: TypeAlias = str | Callable[[], str]
AuthMethod = Literal["bearer", "header", "query"]

DEFAULT_BASE_URL = "https://api.contentgroove.com/api/v1"
"""The server that the API's document names."""

API_KEY_VARIABLE = "CONTENTGROOVE_API_KEY"
BASE_URL_VARIABLE = "CONTENTGROOVE_BASE_URL"


class KeyProvider:
    """A function of the application that returns the current key.

    Attributes:
        last: The key that it returned last, empty before the first call.
    """

    def __init__(self, provide: Callable[[], str]) -> None:
        self._provide = provide
        self.last = ""

    def __call__(self) -> str:
        """Return the current key."""
        self.last = check_key(self._provide(), "The result of api_key() is")
        return self.last


class Settings(Struct, frozen=True, weakref=True):
    """Where requests go and how they authenticate.

    Attributes:
        base_url: The API's base URL, without a slash at its end.
        api_key: The key, or the function that returns the current one.
        auth: Which of the API's three ways to authenticate is used.
        user_agent: The `User-Agent` header.
    """

    base_url: str
    api_key: str | KeyProvider
    auth: AuthMethod
    user_agent: str

    def __repr__(self) -> str:
        # Without the key.
        return f"Settings(base_url={self.base_url!r}, auth={self.auth!r})"

    def __reduce__(self) -> NoReturn:
        # An application that caches or queues a raw response would store the key with it, unnoticed.
        raise TypeError(NO_COPY)

    def url_and_headers(self, request: Request) -> tuple[str, list[tuple[str, str]]]:
        """Return a request's URL and headers, with the key in the one or the others."""
        query = request.query
        headers = [("Accept", "application/json"), ("Accept-Encoding", "gzip"), ("User-Agent", self.user_agent)]
        key = self.key()
        if self.auth == "bearer":
            headers.append(("Authorization", f"Bearer {key}"))
        elif self.auth == "header":
            headers.append(("X-API-KEY", key))
        else:
            from urllib.parse import quote

            query = "&".join(part for part in (query, f"api_key={quote(key, safe='')}") if part)
        if request.headers:
            # A caller's own header replaces the client's.
            replaced = {name.lower() for name in request.headers}
            headers = [*(field for field in headers if field[0].lower() not in replaced), *request.headers.items()]
        return f"{self.base_url}{request.path}{'?' + query if query else ''}", headers

    def key(self) -> str:
        """Return the current key."""
        return self.api_key if isinstance(self.api_key, str) else self.api_key()

    def last_key(self) -> str:
        """Return the key that was last sent, without calling the application's function: reporting must not fail."""
        return self.api_key if isinstance(self.api_key, str) else self.api_key.last


def resolve_settings(
    *,
    api_key: ApiKey | None,
    base_url: str | None,
    auth: AuthMethod,
    version: str,
    environment: Mapping[str, str],
) -> Settings:
    """Take settings from the arguments, then from the environment, then from the defaults."""
    key = api_key
    if key is None:
        key = environment.get(API_KEY_VARIABLE)
        if not key:
            raise ConfigurationError(
                f"There is no API key: pass api_key= or set the environment variable {API_KEY_VARIABLE}. Create a key "
                "at https://app.contentgroove.com/api_keys."
            )
        check_key(key, f"{API_KEY_VARIABLE} is")
    elif not callable(key):
        check_key(key, "api_key is")
    source = KeyProvider(key) if callable(key) else key
    methods: tuple[str, ...] = ("bearer", "header", "query")
    if auth not in methods:
        raise ConfigurationError(f"auth must be one of {', '.join(methods)}, not {auth!r}.")
    url = check_base_url(base_url or environment.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL)
    return Settings(url, source, auth, f"contentgroove-python/{version}")


def check_key(key: object, subject: str) -> str:
    """Return a key that is a valid header value; the message never contains it."""
    if not isinstance(key, str):
        raise ConfigurationError(f"{subject} a {type(key).__name__}; an API key is a string.")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            f"{subject} not a valid API key: it is empty or contains whitespace or non-ASCII characters. Copy it again "
            "from https://app.contentgroove.com/api_keys."
        )
    return key


def check_base_url(url: object) -> str:
    """Return a base URL without a slash at its end, if it is safe to send the key there."""
    if not isinstance(url, str):
        raise ConfigurationError(f"base_url must be a string, not {type(url).__name__}.")
    redacted = redact_url(url)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"base_url {redacted!r} is not a URL: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(f"base_url {redacted!r} is not an http or https URL, such as {DEFAULT_BASE_URL}.")
    if not host.isascii():
        raise ConfigurationError(
            f"base_url {redacted!r} must have its host in ASCII: write the form that starts with xn--."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(f"base_url {redacted!r} must not have a user, query or fragment.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"base_url {redacted!r} would send the API key in clear text: use https. Plain http is for this machine "
            "only (127.0.0.1, localhost)."
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, so that data sent to it stays here."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
