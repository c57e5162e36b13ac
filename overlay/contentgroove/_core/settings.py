"""A client's settings, checked before anything is sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from contentgroove.errors import ConfigurationError

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
    """A function that gives the current key.

    Attributes:
        last: The key that it gave last, empty before the first.
    """

    def __init__(self, give: Callable[[], str]) -> None:
        self._give = give
        self.last = ""

    def __call__(self) -> str:
        """Give the current key.

        Raises:
            ConfigurationError: The function gave something that is no key.
        """
        self.last = check_key(self._give(), "api_key() gave")
        return self.last


class Settings(Struct, frozen=True, weakref=True):
    """Where requests go and how they authenticate.

    Attributes:
        base_url: The API's base URL, without a slash at its end.
        api_key: The key, or what gives the current one.
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
        # Whoever caches or queues a raw answer would store the key beside it, and never know.
        raise TypeError("A ContentGroove client, and its raw answers, hold an API key: they are not pickled or copied.")

    def headers(self) -> list[tuple[str, str]]:
        """The headers of every request, the key among them where it goes into one."""
        common = [
            ("Accept", "application/json"),
            ("Accept-Encoding", "gzip"),
            ("User-Agent", self.user_agent),
        ]
        if self.auth == "bearer":
            return [*common, ("Authorization", f"Bearer {self.key()}")]
        if self.auth == "header":
            return [*common, ("X-API-KEY", self.key())]
        return common

    def url(self, request: Request) -> str:
        """The request's URL, with the key where it goes into the query."""
        return self.base_url + self.path(request)

    def path(self, request: Request) -> str:
        """The part of the URL below the base URL."""
        query = request.query
        if self.auth == "query":
            from urllib.parse import quote

            query = "&".join(part for part in (query, f"api_key={quote(self.key(), safe='')}") if part)
        return f"{request.path}{'?' + query if query else ''}"

    def key(self) -> str:
        """The current key.

        Raises:
            ConfigurationError: The function that gives it gave something that is no key.
        """
        return self.api_key if isinstance(self.api_key, str) else self.api_key()

    def last_key(self) -> str:
        """The key as it was last sent; asks for none, so that telling of an error cannot fail for want of one."""
        return self.api_key if isinstance(self.api_key, str) else self.api_key.last


def resolve_settings(
    *,
    api_key: ApiKey | None,
    base_url: str | None,
    auth: AuthMethod,
    version: str,
    environment: Mapping[str, str],
) -> Settings:
    """Take settings from arguments, then from the environment, then the defaults.

    Raises:
        ConfigurationError: There is no key, or a setting is unusable or unsafe.
    """
    key = api_key
    if key is None:
        key = environment.get(API_KEY_VARIABLE)
        if not key:
            raise ConfigurationError(
                f"There is no API key: pass api_key= or set the environment variable {API_KEY_VARIABLE}. Keys are made "
                "at https://app.contentgroove.com/api_keys."
            )
        check_key(key, f"{API_KEY_VARIABLE} is")
    elif not callable(key):
        check_key(key, "api_key is")
    source = KeyProvider(key) if callable(key) else key
    methods: tuple[str, ...] = ("bearer", "header", "query")
    if auth not in methods:
        raise ConfigurationError(f"auth={auth!r} is none of {', '.join(methods)}.")
    url = check_base_url(base_url or environment.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL)
    return Settings(url, source, auth, f"contentgroove-python/{version}")


def check_key(key: object, what: str) -> str:
    """Give a key back that can be a header's value; the message never shows it.

    Raises:
        ConfigurationError: It cannot.
    """
    if not isinstance(key, str):
        raise ConfigurationError(f"{what} a {type(key).__name__}; an API key is a string.")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            f"{what} no usable API key: it is empty, or has a space, a line break or another character that no key "
            "has. Copy it again from https://app.contentgroove.com/api_keys."
        )
    return key


def check_base_url(url: object) -> str:
    """Give a base URL back without a slash at its end.

    Raises:
        ConfigurationError: It is no http(s) URL, has credentials, a query or a fragment, or would send the key
            over plain http to a host other than this machine.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"base_url must be a string, not {type(url).__name__}.")
    shown = redact_url(url)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"base_url {shown!r} is not a URL: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(f"base_url {shown!r} is not an http or https URL, such as {DEFAULT_BASE_URL}.")
    if not host.isascii():
        raise ConfigurationError(
            f"base_url {shown!r} must give its host in ASCII letters: write the form that begins with xn--."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(f"base_url {shown!r} must have no user, query or fragment.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"base_url {shown!r} would send the API key in clear text: use https. Plain http is for this machine "
            "only (127.0.0.1, localhost)."
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that what is sent to it stays here."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
