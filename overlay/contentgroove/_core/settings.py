"""A client's settings, checked before anything is sent: a wrong one is a `ConfigurationError`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from contentgroove.errors import ConfigurationError

from .header_fields import NO_HEADERS, DefaultHeaders, check_default_headers, merge_fields
from .io import NO_COPY
from .redaction import redact_url
from .secret import REDACTED, Secret, SecretBytes, conceal

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from contentgroove_api.types import Request

ApiKey: TypeAlias = str | Secret | Callable[[], str | Secret]
AuthMethod = Literal["bearer", "header", "query"]

DEFAULT_BASE_URL = "https://api.contentgroove.com/api/v1"
"""The server that the API's document names."""

API_KEY_VARIABLE = "CONTENTGROOVE_API_KEY"
BASE_URL_VARIABLE = "CONTENTGROOVE_BASE_URL"


MAX_EARLIER_KEYS = 8
"""Keys of a function that are remembered: a response may echo one that a parallel call has replaced."""


class KeyProvider:
    """A function of the application that returns the current key.

    Attributes:
        sent: The keys that it returned lately, the newest last.
    """

    def __init__(self, provide: Callable[[], str | Secret]) -> None:
        self._provide = provide
        self.sent: tuple[Secret, ...] = ()

    def __call__(self) -> Secret:
        """Return the current key."""
        key = check_key(conceal(self._provide()), "The result of api_key() is")
        if not self.sent or key != self.sent[-1]:
            self.sent = (*(earlier for earlier in self.sent if earlier != key), key)[-MAX_EARLIER_KEYS:]
        return key


class Settings(Struct, frozen=True, weakref=True):
    """Where requests go and how they authenticate.

    Attributes:
        base_url: The API's base URL, without a slash at its end.
        api_key: The key, or the function that returns the current one.
        auth: Which of the API's three ways to authenticate is used.
        user_agent: The `User-Agent` header.
        default_headers: The application's headers for each call.
    """

    base_url: str
    api_key: Secret | KeyProvider
    auth: AuthMethod
    user_agent: str
    default_headers: DefaultHeaders = NO_HEADERS

    def __repr__(self) -> str:
        # Without the key.
        return f"Settings(base_url={self.base_url!r}, auth={self.auth!r})"

    def __reduce__(self) -> NoReturn:
        # An application that caches or queues a raw response would store the key with it, unnoticed.
        raise TypeError(NO_COPY)

    def url_and_headers(self, request: Request) -> tuple[str | Secret, list[tuple[bytes, bytes]]]:
        """Return a request's URL and headers, with the key in the one or the others; neither shows it."""
        headers = [
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"gzip"),
            (b"User-Agent", self.user_agent.encode()),
        ]
        query = f"?{request.query}" if request.query else ""
        url: str | Secret = f"{self.base_url}{request.path}{query}"
        key = self.current_key()
        # (assumed: key-bearer, key-header, key-query)
        if self.auth == "bearer":
            headers.append((b"Authorization", SecretBytes(b"Bearer " + key.reveal().encode())))
        elif self.auth == "header":
            headers.append((b"X-API-KEY", SecretBytes(key.reveal().encode())))
        else:
            from urllib.parse import quote

            url = Secret(f"{url}{'&' if query else '?'}api_key={quote(key.reveal(), safe='')}")
        if self.default_headers:
            headers = merge_fields(headers, self.default_headers.fields)
        if request.headers:
            # A caller's own header replaces the client's, and may be a credential of another system.
            own = [(name.encode(), SecretBytes(value.encode())) for name, value in request.headers.items()]
            headers = merge_fields(headers, own)
        return url, headers

    def described_headers(self, request: Request) -> dict[str, str]:
        """Return a request's headers by lower-case name as they can be shown: with a placeholder for the key."""
        shown = {"bearer": {"authorization": f"Bearer {REDACTED}"}, "header": {"x-api-key": REDACTED}}
        headers = {"accept": "application/json", "accept-encoding": "gzip", "user-agent": self.user_agent}
        own = {name.lower(): value for name, value in request.headers.items()}
        defaults = {name: str(value) for name, value in self.default_headers.described().items()}
        return {**headers, **shown.get(self.auth, {}), **defaults, **own}

    def described_query(self, request: Request) -> str:
        """Return a request's query as it can be shown: with a placeholder for the key."""
        key = f"api_key={REDACTED}" if self.auth == "query" else ""
        return "&".join(part for part in (request.query, key) if part)

    def current_key(self) -> Secret:
        """Return the key to send now."""
        return self.api_key if isinstance(self.api_key, Secret) else self.api_key()

    def sent_keys(self) -> tuple[Secret, ...]:
        """Return what a server may echo, the key and the credentials among the default headers.

        Without calling the application's function: reports must not fail.
        """
        keys = (self.api_key,) if isinstance(self.api_key, Secret) else self.api_key.sent
        return (*keys, *self.default_headers.credentials()) if self.default_headers else keys


def resolve_settings(
    *,
    api_key: Secret | Callable[[], str | Secret] | None,
    base_url: Secret | None,
    auth: AuthMethod,
    version: str,
    variable: Callable[[str], Secret | None],
    default_headers: Mapping[str, Secret] | None = None,
) -> Settings:
    """Take settings from the arguments, then from the environment, then from the defaults.

    Args:
        api_key: The key, or the function that returns the current one.
        base_url: The base URL, concealed because it may contain a password, which is an error.
        auth: How the key is sent.
        version: The version of this library.
        variable: Returns an environment variable, None if it is not set.
        default_headers: The application's headers for each call.
    """
    methods: tuple[str, ...] = ("bearer", "header", "query")
    source = KeyProvider(api_key) if callable(api_key) else _find_key(api_key, variable)
    if auth not in methods:
        raise ConfigurationError(f"auth must be one of {', '.join(methods)}, not {_shown_word(auth)}.")
    url = check_base_url(base_url or variable(BASE_URL_VARIABLE) or Secret(DEFAULT_BASE_URL))
    return Settings(url, source, auth, f"contentgroove-python/{version}", check_default_headers(default_headers))


def _find_key(api_key: Secret | None, variable: Callable[[str], Secret | None]) -> Secret:
    if api_key is not None:
        return check_key(api_key, "api_key is")
    key = variable(API_KEY_VARIABLE)
    if key is None:
        raise ConfigurationError(
            f"There is no API key: pass api_key= or set the environment variable {API_KEY_VARIABLE}. Create a key "
            "at https://app.contentgroove.com/api_keys."
        )
    return check_key(key, f"{API_KEY_VARIABLE} is")


def check_key(key: Secret | None, subject: str) -> Secret:
    """Return a key that is a valid header value; the message never contains it."""
    problem = _key_problem(key)
    if problem is not None or key is None:
        raise ConfigurationError(f"{subject} {problem}")
    return key


# The functions that see a credential's text return a problem and raise nothing, so that no traceback has their frames.


def _key_problem(key: Secret | None) -> str | None:
    text: object = None if key is None else key.reveal()
    if not isinstance(text, str):
        return f"a {type(text).__name__}; an API key is a string."
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        return (
            "not a valid API key: it is empty or contains whitespace or non-ASCII characters. Copy it again "
            "from https://app.contentgroove.com/api_keys."
        )
    return None


def check_base_url(url: Secret) -> str:
    """Return a base URL without a slash at its end, if it is safe to send the key there."""
    problem = _base_url_problem(url)
    if problem is not None:
        raise ConfigurationError(f"base_url {problem}")
    return url.reveal().rstrip("/")


def _base_url_problem(url: Secret) -> str | None:
    text: object = url.reveal()
    if not isinstance(text, str):
        return f"must be a string, not {type(text).__name__}."
    try:
        problem = _problem_of_parts(urlsplit(text))
    except ValueError:
        problem = "is not a URL: its host or port cannot be read."
    return None if problem is None else f"{_shown(text)}{problem}"


def _problem_of_parts(parts: SplitResult) -> str | None:
    host, _ = parts.hostname, parts.port
    if parts.scheme not in {"http", "https"} or not host:
        return f"is not an http or https URL, such as {DEFAULT_BASE_URL}."
    if not host.isascii():
        return "must have its host in ASCII: write the form that starts with xn--."
    if parts.username is not None or parts.query or parts.fragment:
        return "must not have a user, query or fragment."
    if parts.scheme == "http" and not is_loopback(host):
        return (
            "would send the API key in clear text: use https. Plain http is for this machine only (127.0.0.1, "
            "localhost)."
        )
    return None


def _shown(url: str) -> str:
    # Anything else may be the key, passed as the wrong argument.
    return f"{redact_url(url)!r} " if re.match(r"(?i)[a-z]{1,10}://", url) else ""


def _shown_word(value: object) -> str:
    """Return a short text for a value in a message; a string that is not a short word may be a credential."""
    if isinstance(value, str) and not re.fullmatch(r"[a-z]{0,10}", value):
        return "this string"
    return repr(value) if isinstance(value, str) else f"a {type(value).__name__}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, so that data sent to it stays here."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
