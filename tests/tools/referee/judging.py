"""Judges the requests of one operation: generates arguments, builds requests as a call does, and has them read back."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast
from urllib.parse import unquote

from contentgroove._openapi.documents import as_list, as_object
from contentgroove.tools import NetworkPolicy
from contentgroove.tools.argument_checks import check_arguments, compile_schema
from contentgroove.tools.credentials import SourceCredentials, security_schemes
from contentgroove.tools.requests import PreparedRequest, build_request
from contentgroove.tools.results import ToolError
from contentgroove.tools.source_calls import Source, first_allowed, main_server
from contentgroove.tools.source_documents import Document, usable_servers

from tests.tools.referee.arguments import EFFORTS, Generator, ImpossibleError
from tests.tools.referee.comparing import as_sent, differs
from tests.tools.referee.reading import Referee, Sent

if TYPE_CHECKING:
    from contentgroove.tools.operations import Operation

    from tests.tools.referee.arguments import Effort, Json
    from tests.tools.referee.reading import Found

Kind: TypeAlias = Literal["agree", "disagree", "refused", "cannot", "not generated"]

CHOICES = 4
"""How many alternatives are tried until arguments match their schema."""

BASE_URL = "https://referee.example.com"
"""Where requests go if a document has no server for them."""


class Verdict(NamedTuple):
    """What became of one request.

    Attributes:
        operation: Its operation, method and path.
        effort: How its arguments were generated.
        kind: "agree"; "disagree"; "refused", if the tools do not send it; "cannot", if the referee cannot read it;
            "not generated", if there are no arguments for it.
        body: How its body is written; empty without one.
        causes: Why, without names and values of the document.
        shown: The request and what is different, for who looks for the reason.
    """

    operation: str
    effort: Effort
    kind: Kind
    body: str = ""
    causes: tuple[str, ...] = ()
    shown: str = ""


class Court:
    """A document's source, with all of its credentials, and the referee for it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._keys = _keys(document.content)
        policy = NetworkPolicy()
        content = document.content
        try:
            base_url = first_allowed(usable_servers(document.servers), policy)
        except ToolError:
            base_url = BASE_URL
        urls = [str(as_object(each).get("url")) for each in as_list(content.get("servers"))]
        if base_url == BASE_URL or not any("://" in url for url in urls) or "{" in "".join(urls):
            # They may not be called, or are relative to the document's URL, which a file does not have: a caller passes
            # `baseUrl` then. Or a variable has a value with slashes, which openapi-core does not expect.
            content = {**content, "servers": [{"url": base_url}]}
        self._referee = Referee(content)
        self._key_locations = {
            name: {(each.get("in"), each.get("name"))} for name, each in security_schemes(content).items()
        }
        credentials = SourceCredentials({}, self._keys, content)
        self._source = Source("it", base_url, False, main_server(document), document.url, credentials, policy)

    def judge(self, operation: Operation) -> list[Verdict]:
        """Return the verdict on each of an operation's requests."""
        verdicts: list[Verdict] = []
        for effort in EFFORTS:
            verdict = self._judge(operation, effort, frozenset())
            if verdict.kind == "refused":
                # What cannot be written in one argument must not hide the others.
                arrays = frozenset(each.argument for each in operation.parameters)
                verdicts.append(verdict)
                verdict = self._judge(operation, effort, arrays)
            verdicts.append(verdict)
        return verdicts

    def _judge(self, operation: Operation, effort: Effort, plain: frozenset[str]) -> Verdict:
        title = f"{operation.method} {operation.path}"
        body = operation.body.kind if operation.body else ""
        problem = ""
        headers = frozenset(each.argument for each in operation.parameters if each.location in {"header", "cookie"})
        validator = compile_schema(operation.input_schema, title)
        for choice in range(CHOICES):
            generator = Generator(operation.input_schema, effort, choice)
            try:
                arguments = generator.arguments(plain, headers)
                check_arguments(validator, arguments, "it")
                break
            except ImpossibleError:
                problem = problem or "no value"
            except ToolError as error:
                problem = problem or error.message
        else:
            return Verdict(title, effort, "not generated", body, (problem,))
        try:
            server = self._source.server_of(operation)
            credentials = self._source.credentials_for(operation)
            call = build_request(operation, arguments, credentials=credentials)
        except ToolError as error:
            return Verdict(title, effort, "refused", body, (error.message,))
        sent = Sent(call.method, call.url(server), call.headers, call.content)
        try:
            found = self._referee.read(sent, operation.path)
        except Exception as error:  # noqa: BLE001 - what is to be counted
            return Verdict(title, effort, "cannot", body, (f"openapi-core raised a {type(error).__name__}",), str(sent))
        causes = found.errors
        if not any(cause.startswith("path: ") for cause in causes):
            causes = [*causes, *self._differences(operation, arguments, call, found, generator.encoded)]
        shown = f"{sent} {arguments} {found}"[:3000] if causes else ""
        return Verdict(title, effort, "disagree" if causes else "agree", body, tuple(dict.fromkeys(causes)), shown)

    def _names(self, operation: Operation, arguments: Json) -> set[str]:
        """Return the names that a query may have: of parameters, of the members of objects, and of keys."""
        passed = [each for each in operation.parameters if each.location == "query" and each.argument in arguments]
        values = [arguments[each.argument] for each in passed]
        members = {str(name) for value in values if isinstance(value, dict) for name in cast("Json", value)}
        keys = {str(name) for locations in self._key_locations.values() for _, name in locations}
        return {each.name for each in passed} | members | keys

    def _differences(
        self, operation: Operation, arguments: Json, call: PreparedRequest, found: Found, encoded: dict[str, bytes]
    ) -> list[str]:
        causes: list[str] = []
        for parameter in operation.parameters:
            expected = arguments.get(parameter.argument)
            key = (parameter.location, parameter.name)
            expected = expected if parameter.media_type else as_sent(expected)
            if expected in (None, [], {}):
                continue
            if key not in found.parameters:
                # Then the referee has said what is wrong with it.
                if not any(error.startswith("parameter: ") for error in found.errors):
                    causes.append(f"{parameter.location} {parameter.style}: missing")
            elif differs(expected, read := found.parameters[key], encoded):
                own, others = _own_members(read, expected)
                is_mixed = (
                    others and not differs(expected, own, encoded) and others <= self._names(operation, arguments)
                )
                difference = "names of other parameters" if is_mixed else "other value"
                causes.append(f"{parameter.location} {parameter.style}: {difference}")
        has_body = not any(error.startswith("body: ") for error in found.errors)
        if has_body and operation.body is not None and "body" in arguments:
            expected = arguments["body"]
            if operation.body.kind in {"form", "multipart"}:
                expected = as_sent(expected)
            body = as_sent(found.body) if operation.body.kind in {"form", "multipart"} else found.body
            if not call.content and expected in ({}, ""):
                body = expected
            if differs(expected, body, encoded):
                causes.append(f"body {operation.body.kind}: other value")
        passed = {(each.location, each.name) for each in operation.parameters if each.argument in arguments}
        causes += [
            "security: other value"
            for scheme, value in found.security.items()
            # What it does not support, such as oauth2, is None.
            if scheme in self._keys
            and value is not None
            and unquote(value) != _as_sent(self._keys[scheme])
            # What a caller passes by itself counts more than the key.
            and passed.isdisjoint(self._key_locations[scheme])
        ]
        return causes


def _own_members(found: object, expected: object) -> tuple[object, set[str]]:
    """Return the members of an object that are expected, and the names of the others."""
    if not isinstance(found, dict) or not isinstance(expected, dict):
        return found, set()
    members, names = cast("Json", found), cast("Json", expected).keys()
    return {name: value for name, value in members.items() if name in names}, {*members} - names


def _as_sent(key: str) -> str:
    return b64encode(key.encode()).decode() if ":" in key else key


def _keys(document: Json) -> dict[str, str]:
    """Return a value for each security scheme that is supported."""
    keys: dict[str, str] = {}
    for name, scheme in security_schemes(document).items():
        value = "user:pass-word" if scheme.get("scheme") == "basic" else f"key-of-{len(keys)}"
        try:
            SourceCredentials({}, {name: value}, document)
        except ToolError:
            continue
        keys[name] = value
    return keys
