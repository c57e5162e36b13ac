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

    def __init__(self, operation: Operation) -> None:
        self.problems: list[str] = []
        schemes = as_object(as_object(operation.document.get("components")).get("securitySchemes"))
        self._alternatives = [
            [self._scheme(operation, name, schemes.get(name)) for name in as_object(alternative)]
            for alternative in operation.security
        ]
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
        """Return the violation of a request that has none of the alternatives."""
        if not self._alternatives:
            return None
        given = _Given(query, headers)
        if any(all(given.has(scheme) for scheme in alternative) for alternative in self._alternatives):
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

    def has(self, scheme: dict[str, Any]) -> bool:
        """Return whether the request has a credential of a scheme."""
        match scheme:
            case {"type": "apiKey", "in": "header", "name": name}:
                return bool(self._headers.get(name.lower(), "").strip())
            case {"type": "apiKey", "in": "cookie", "name": name}:
                return bool(cookies(self._headers).get(name))
            case {"type": "apiKey", "name": name}:
                pairs = (pair.partition("=") for pair in self._query.split("&"))
                return any(unquote_plus(key) == name and value for key, _, value in pairs)
            case {"type": "http", "scheme": kind}:
                return self._has_authorization(kind.lower())
            case {"type": "oauth2" | "openIdConnect"}:
                return self._has_authorization("bearer")
            case _:
                return True

    def _has_authorization(self, kind: str) -> bool:
        given, _, credentials = self._headers.get("authorization", "").partition(" ")
        if given.lower() != kind or not credentials.strip():
            return False
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
