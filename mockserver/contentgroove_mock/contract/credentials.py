"""The credentials that an operation requires, by the kinds of security schemes of OpenAPI."""

from __future__ import annotations

import base64
import binascii
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from contentgroove._openapi.documents import DocumentError, as_object
from contentgroove._openapi.pointers import resolve

from contentgroove_mock.contract.violations import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove._openapi.operations import Operation

_BEARER = frozenset({"oauth2", "openIdConnect"})


class Credentials:
    """What an operation requires: one of several alternatives, each of them schemes that are needed together.

    Attributes:
        in_query: The names of keys in the query, which are not parameters.
        problems: What cannot be checked.
    """

    def __init__(self, operation: Operation, *, single: bool = False) -> None:
        """Read what an operation requires; with `single`, a request must not have several credentials."""
        self.problems: list[str] = []
        self._single = single
        schemes = as_object(as_object(operation.document.get("components")).get("securitySchemes"))
        self._alternatives = [
            [self._scheme(operation, name, schemes.get(name)) for name in as_object(alternative)]
            for alternative in operation.security
        ]
        self._schemes = [scheme for alternative in self._alternatives for scheme in alternative]
        self._indexes: list[range] = []
        for alternative in self._alternatives:
            first = self._indexes[-1].stop if self._indexes else 0
            self._indexes.append(range(first, first + len(alternative)))
        self.in_query = frozenset(
            scheme["name"]
            for alternative in self._alternatives
            for scheme in alternative
            if scheme.get("type") == "apiKey" and scheme["in"] == "query"
        )

    def _scheme(self, operation: Operation, name: str, node: Any) -> dict[str, Any]:
        """Return a security scheme; an empty one, which every request fulfils, if it cannot be read."""
        try:
            scheme = resolve(operation.document, node)
        except DocumentError:
            scheme = {}
        match scheme:
            case {"type": "apiKey", "in": "query" | "header" | "cookie", "name": str()}:
                return scheme
            case {"type": "http", "scheme": str()} | {"type": "oauth2" | "openIdConnect"}:
                return scheme
            case {"type": "mutualTLS"}:
                # The connection has it, not the request.
                return {}
            case _:
                self.problems.append(f"{operation}: the security scheme {name!r} cannot be read; it is not checked")
                return {}

    def check(self, operation: str, query: str, headers: Mapping[str, str]) -> Violation | None:
        """Return the violation of a request that has none of the alternatives, or more than one where that is wrong."""
        if not self._alternatives:
            return None
        given = _Given(query, headers)
        counts = [given.count(scheme) for scheme in self._schemes]
        if any(all(counts[index] for index in alternative) for alternative in self._indexes):
            if self._single and sum(counts) > 1:
                found = (
                    _hint(scheme) for scheme, count in zip(self._schemes, counts, strict=True) for _ in range(count)
                )
                message = "a request has one credential (RFC 6750, section 2)"
                return Violation(operation, "request.auth", "several-credentials", message, " and ".join(found))
            return None
        hints = " or ".join(" and ".join(map(_hint, alternative)) for alternative in self._alternatives)
        # Not even its first word is shown: if the scheme is missing, it is the key.
        actual = "an Authorization header of another form" if headers.get("authorization") else "nothing"
        return Violation(operation, "request.auth", "auth", hints, actual)


class _Given:
    """The credentials that a request may have."""

    def __init__(self, query: str, headers: Mapping[str, str]) -> None:
        self._query = query
        self._headers = headers

    def count(self, scheme: dict[str, Any]) -> int:
        """Return how many credentials of a scheme the request has: in a query, a key can be there several times."""
        match scheme.get("type"):
            case "http":
                return self._has_authorization(scheme["scheme"].lower())
            case "oauth2" | "openIdConnect":
                return self._has_authorization("bearer")
            case "apiKey" if scheme["in"] == "header":
                return bool(self._headers.get(scheme["name"].lower(), "").strip())
            case "apiKey" if scheme["in"] == "cookie":
                return bool(cookies(self._headers).get(scheme["name"]))
            case "apiKey":
                pairs = (pair.partition("=") for pair in self._query.split("&")) if self._query else ()
                return sum(unquote_plus(key) == scheme["name"] and bool(value) for key, _, value in pairs)
            case _:
                return 1

    def _has_authorization(self, kind: str) -> bool:
        given, _, credentials = self._headers.get("authorization", "").partition(" ")
        if given.lower() != kind or not credentials.strip():
            return False
        if kind == "bearer":
            # A token has no blanks (RFC 6750, 2.1): what follows one is another token, or another header's value.
            return len(credentials.split()) == 1
        if kind != "basic":
            return True
        try:
            return b":" in base64.b64decode(credentials.strip(), validate=True)
        except binascii.Error:
            return False


def cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the cookies of a request; none if its header cannot be read."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def _hint(scheme: dict[str, Any]) -> str:
    match scheme:
        case {"type": "http", "scheme": kind}:
            return f"Authorization: {kind.capitalize()} KEY"
        case {"type": "apiKey", "in": "header", "name": name}:
            return f"{name}: KEY"
        case {"type": "apiKey", "in": where, "name": name}:
            return f"{name}=KEY in the {where}"
        case {"type": kind} if kind in _BEARER:
            return "Authorization: Bearer KEY"
        case _:
            return "what cannot be checked"
