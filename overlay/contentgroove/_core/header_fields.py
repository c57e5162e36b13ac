"""Which headers an application may add to the client's requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from contentgroove.errors import ConfigurationError

from .redaction import is_secret_header
from .secret import Secret, SecretBytes, conceal

if TYPE_CHECKING:
    from collections.abc import Iterable

# RFC 9110, 5.6.2 and 5.5: a line break would start another header.
_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_VALUE = r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?|"

RESERVED_HEADERS = frozenset(
    {"authorization", "x-api-key", "host", "content-length", "transfer-encoding", "accept-encoding"}
)
"""The client sets these itself."""

_SHOWN = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""Default headers whose values can be shown."""

_MIN_ECHO = 8
"""Characters; a shorter value may be a part of other texts."""

Fields = list[tuple[bytes, bytes]]


def is_valid_field(name: object, value: object) -> bool:
    """Return whether a header has only characters that HTTP allows."""
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and re.fullmatch(_NAME, name) is not None
        and re.fullmatch(_VALUE, value) is not None
    )


def merge_fields(fields: Fields, added: Iterable[tuple[bytes, bytes]]) -> Fields:
    """Add headers to others, and remove those of the same names."""
    added = list(added)
    names = {name.lower() for name, _ in added}
    return [*(field for field in fields if field[0].lower() not in names), *added]


class DefaultHeaders:
    """The headers that an application adds to all calls of the API; their values may be credentials.

    Attributes:
        fields: The headers as they are sent.
    """

    def __init__(self, headers: Mapping[str, Secret]) -> None:
        self.fields: Fields = [(name.encode(), SecretBytes(value.reveal().encode())) for name, value in headers.items()]
        self._headers = {name.lower(): value for name, value in headers.items()}

    def __repr__(self) -> str:
        return f"DefaultHeaders({', '.join(sorted(self._headers))})"

    def __bool__(self) -> bool:
        return bool(self.fields)

    def described(self) -> dict[str, Secret | str]:
        """Return the headers by lower-case name as they can be shown."""
        return {name: value.reveal() if name in _SHOWN else value for name, value in self._headers.items()}

    def credentials(self) -> tuple[Secret, ...]:
        """Return the values that may be credentials, which a server may echo."""
        return tuple(
            value
            for name, value in self._headers.items()
            if is_secret_header(name) and len(value.reveal()) >= _MIN_ECHO
        )


NO_HEADERS = DefaultHeaders({})


def conceal_headers(headers: Mapping[str, str | Secret] | None) -> Mapping[str, Secret] | None:
    """Wrap the values of an argument, before it is checked; one of a wrong type stays."""
    if not isinstance(cast("object", headers), Mapping):
        return cast("None", headers)
    return {name: conceal(value) for name, value in cast("Mapping[str, str]", headers).items()}


def check_default_headers(headers: Mapping[str, Secret] | None) -> DefaultHeaders:
    """Return a client's default headers; no message has a value."""
    given: object = {} if headers is None else headers
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"default_headers must be a mapping of names to values, not {type(given).__name__}.")
    checked = cast("Mapping[str, Secret]", given)
    names: set[str] = set()
    for name, value in checked.items():
        problem = _problem(name, value, names)
        if problem is not None:
            raise ConfigurationError(f"default_headers: {problem}")
        names.add(name.lower())
    return DefaultHeaders(checked)


# Returns a problem and raises nothing, so that no traceback has its frame with the value.


def _problem(name: object, value: Secret, names: set[str]) -> str | None:
    text: object = value.reveal() if isinstance(cast("object", value), Secret) else None
    if not isinstance(name, str):
        return f"a name must be a string, not {type(name).__name__}."
    if not is_valid_field(name, ""):
        # It may be a whole header with its value.
        return "a name has characters that HTTP forbids: pass {name: value}, without a colon in the name."
    if not isinstance(text, str):
        return f"the value of {name!r} must be a string, not {type(text).__name__}."
    if not is_valid_field(name, text):
        return (
            f"the value of {name!r} has characters that HTTP forbids, such as line breaks, spaces at its ends or "
            "non-ASCII characters."
        )
    if name.lower() in RESERVED_HEADERS:
        return f"the client sets {name!r} itself; pass api_key= and auth= for the API key."
    return f"{name!r} is there twice." if name.lower() in names else None
