"""The credentials of added sources: where requests contain them, and what is redacted because of them.

They come from the arguments or the configuration that added the source, never from this API's key or the document.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from contentgroove._core.redaction import is_secret_header
from contentgroove._core.secret import Secret
from contentgroove._openapi.documents import DocumentError, as_object
from contentgroove._openapi.pointers import resolve

from .parameter_styles import percent
from .results import ToolError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from contentgroove._openapi.documents import Json

MIN_SECRET = 4
"""Characters; redacting anything shorter would damage results. Keys of other APIs may be shorter than this one's."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade"})


class Credential(Struct, frozen=True):
    """One value, and where a request contains it.

    Attributes:
        location: The part of the request.
        name: Its name there.
        value: The value.
    """

    location: Literal["header", "query", "cookie"]
    name: str
    value: Secret


class Credentials(Struct, frozen=True):
    """What is added to the requests of one operation.

    Attributes:
        values: The values; a later header replaces an earlier one of the same name.
    """

    values: tuple[Credential, ...] = ()

    def headers(self) -> dict[str, str]:
        """Return the headers."""
        found: dict[str, str] = {}
        for credential in self.values:
            if credential.location == "header":
                found = {name: value for name, value in found.items() if name.lower() != credential.name.lower()}
                found[credential.name] = credential.value.reveal()
        return found

    def query(self, taken: Collection[str]) -> list[str]:
        """Return the `name=value` pairs of the query, except for names that the caller has given."""
        return [
            f"{percent(credential.name)}={percent(credential.value.reveal())}"
            for credential in self.values
            if credential.location == "query" and percent(credential.name) not in taken
        ]

    def cookies(self, taken: Collection[str]) -> list[str]:
        """Return the `name=value` pairs of the Cookie header, except for names that the caller has given."""
        return [
            f"{credential.name}={_cookie_value(credential.value)}"
            for credential in self.values
            if credential.location == "cookie" and credential.name not in taken
        ]


class SourceCredentials:
    """The credentials of a source.

    Args:
        headers: Headers of each call.
        values: The value of each security scheme, by the scheme's name.
        document: The document, whose security schemes say where the values go.

    Raises:
        ToolError: A header cannot be set, or the document has no such scheme, or none that is supported.
    """

    def __init__(self, headers: Mapping[str, str], values: Mapping[str, str], document: Json) -> None:
        self._headers = tuple(Credential("header", name, Secret(_checked(name, headers[name]))) for name in headers)
        schemes = security_schemes(document)
        self._schemes = {name: _scheme_credential(name, Secret(values[name]), schemes) for name in values}
        self._plain = tuple(Secret(value) for value in values.values())

    def for_operation(self, security: tuple[tuple[str, ...], ...] | None) -> Credentials:
        """Return what the requests of an operation contain.

        Args:
            security: The alternative sets of schemes that it needs; None if its document says nothing about that. Then
                everything is sent that there is.
        """
        chosen = next((names for names in security or () if names and self._schemes.keys() >= {*names}), ())
        names = self._schemes if security is None else chosen
        return Credentials((*self._headers, *(self._schemes[name] for name in names)))

    def missing(self, security: tuple[tuple[str, ...], ...] | None) -> list[str]:
        """Return the schemes of which an operation needs one, if there is none of them; empty if nothing is missing."""
        if not security or () in security or any(self._schemes.keys() >= {*names} for names in security):
            return []
        return [" and ".join(names) for names in security]

    def provided(self, security: tuple[tuple[str, ...], ...] | None) -> set[tuple[str, str]]:
        """Return location and name of what the requests of an operation contain, headers in lower case."""
        return {
            (credential.location, credential.name.lower() if credential.location == "header" else credential.name)
            for credential in self.for_operation(security).values
        }

    def sent_keys(self) -> list[Secret]:
        """Return every text that results and logs must not contain, the longest first."""
        found = [*self._plain, *(credential.value for credential in self._schemes.values())]
        found += [credential.value for credential in self._headers if is_secret_header(credential.name)]
        # A token without the name of its scheme, too, each cookie, and a password without the user.
        found += [Secret(secret.reveal().partition(" ")[2]) for secret in found]
        pairs = [*self._plain, *(_decoded_basic(credential.value) for credential in self._headers)]
        found += [*pairs, *(Secret(secret.reveal().partition(":")[2]) for secret in pairs)]
        found += [value for each in self._headers if each.name.lower() == "cookie" for value in _cookies(each.value)]
        return sorted(
            {secret for secret in found if len(secret.reveal()) >= MIN_SECRET}, key=lambda secret: -len(secret.reveal())
        )

    def __repr__(self) -> str:
        return "SourceCredentials([redacted])"


def security_schemes(document: Json) -> dict[str, Json]:
    """Return the security schemes of a document, resolved; one that cannot be read is empty."""
    declared = as_object(as_object(document.get("components")).get("securitySchemes"))
    found: dict[str, Json] = {}
    for name, scheme in declared.items():
        try:
            found[name] = resolve(document, scheme)
        except DocumentError:
            # It does not concern the operations that need another one.
            found[name] = {}
    return found


def auth_strategy(name: str, scheme: Json) -> Json:
    """Describe how a scheme is used with `openapi.addSource`: by its `credentials`, or by its `headers`."""
    kind = str(scheme.get("type"))
    location, parameter, value = "header", "Authorization", "Bearer <access token>"
    credential = "<access token>"
    if kind == "http":
        kind = str(scheme.get("scheme", "")).lower()
        credential = {"bearer": "<token>", "basic": "<user>:<password>"}.get(kind, "<credentials>")
        known = {"bearer": "Bearer <token>", "basic": "Basic <base64 of user:password>"}
        value = known.get(kind, f"{kind.title()} <credentials>")
    elif kind == "apiKey":
        location, parameter, credential = str(scheme.get("in")), str(scheme.get("name")), "<key>"
        value = f"{parameter}=<key>" if location == "cookie" else "<key>"
    elif kind not in {"oauth2", "openIdConnect"}:
        return {"scheme": name, "type": kind, "headers": None, "credentials": None}
    headers = {"header": {parameter: value}, "cookie": {"Cookie": value}}.get(location)
    credentials = {name: credential}
    return {
        "scheme": name, "type": kind, "in": location, "name": parameter, "headers": headers, "credentials": credentials
    }  # fmt: skip


def _scheme_credential(name: str, value: Secret, schemes: dict[str, Json]) -> Credential:
    scheme = schemes.get(name)
    if scheme is None:
        known = ", ".join(sorted(schemes)[:20]) or "there are none"
        raise ToolError(
            "invalid_input", f"credentials: the document has no scheme {name[:100]!r}; its schemes: {known}."
        )
    kind, location = str(scheme.get("type")), scheme.get("in")
    if kind == "apiKey":
        parameter = scheme.get("name")
        if location not in {"header", "query", "cookie"} or not isinstance(parameter, str) or not parameter:
            raise ToolError("invalid_input", f"credentials: the document does not say where the key {name!r} goes.")
        if location != "query":
            _checked(parameter, value.reveal(), name)
        return Credential(location, parameter, value)
    if kind in {"oauth2", "openIdConnect"}:
        kind, scheme = "http", {"scheme": "bearer"}
    if kind != "http":
        raise ToolError(
            "invalid_input", f"credentials: the scheme {name!r} of the type {kind[:50]!r} is not supported."
        )
    header = _authorization(name, str(scheme.get("scheme", "")).lower(), value)
    _checked("Authorization", header.reveal(), name)
    return Credential("header", "Authorization", header)


def _authorization(name: str, scheme: str, value: Secret) -> Secret:
    if value.reveal().lower().startswith(f"{scheme} "):
        return value
    if scheme != "basic":
        return Secret(f"{'Bearer' if scheme == 'bearer' else scheme.title()} {value.reveal()}")
    if ":" not in value.reveal():
        raise ToolError("invalid_input", f"credentials: {name} must be <user>:<password>.")
    return Secret(f"Basic {b64encode(value.reveal().encode()).decode()}")


def _decoded_basic(header: Secret) -> Secret:
    """Return the user and password that a header of the scheme Basic has; empty if it is another one."""
    if not header.reveal().lower().startswith("basic "):
        return Secret("")
    try:
        return Secret(b64decode(header.reveal()[len("basic ") :].strip() + "==").decode())
    except ValueError:
        return Secret("")


def _cookies(header: Secret) -> list[Secret]:
    """Return the values of a Cookie header."""
    return [Secret(pair.partition("=")[2].strip().strip('"')) for pair in header.reveal().split(";")]


def _checked(name: str, value: str, scheme: str = "") -> str:
    subject = f"credentials: {scheme}" if scheme else f"headers: the value of {name!r}"
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
        raise ToolError("invalid_input", f"headers: {name[:100]!r} cannot be set.")
    if not value.isascii() or not value.isprintable():
        raise ToolError("invalid_input", f"{subject} is not allowed in a header.")
    return value


def _cookie_value(value: Secret) -> str:
    return value.reveal() if _COOKIE_VALUE.fullmatch(value.reveal()) else percent(value.reveal())
