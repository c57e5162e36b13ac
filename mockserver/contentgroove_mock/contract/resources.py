"""Rules about documents of JSON:API that no schema expresses: resources among each other, errors, links, times.

Bodies may have any structure here: what a schema demands is checked elsewhere.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from contentgroove._openapi.documents import as_list, as_object

from contentgroove_mock.contract.matchers import read_number, read_time
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from urllib.parse import SplitResult

    from contentgroove_mock.contract.conventions import Conventions, Json
    from contentgroove_mock.contract.exchanges import CheckedRequest
    from contentgroove_mock.contract.rules import Rule

_LINK = re.compile(r"https?://[^/?#\s\\]+(?:[/?#][^\s]*)?|[/?][^\s\\]*", re.IGNORECASE)
_STATUS = re.compile(r"[1-5]\d\d", re.ASCII)
_MAX_DIGITS = 16
_PORTS = (80, 443)
_LINKS = ("self", "related", "current", "first", "prev", "next", "last")
_TO_PAGES = frozenset({"current", "next", "prev"})
_UPDATES = frozenset({"PUT", "PATCH"})


def resources_in(body: object) -> Iterator[tuple[str, Json]]:
    """Yield the resources that a document is about, each with its JSON pointer."""
    data = as_object(body).get("data")
    if isinstance(data, dict):
        yield "/data", cast("Json", data)
    for index, item in enumerate(as_list(data)):
        if isinstance(item, dict):
            yield f"/data/{index}", cast("Json", item)


def read_count(text: str) -> int:
    """Return a number of at least 1 that counts pages or items; 0 for what is none."""
    return int(text) if len(text) < _MAX_DIGITS and text.isdecimal() else 0


def linked(relationship: object) -> list[Json]:
    """Return the identifiers of the resources that a relationship names: one, several or none."""
    data = as_object(relationship).get("data")
    links: list[Any] = [data] if isinstance(data, dict) else as_list(data)
    return [as_object(link) for link in links]


def values_of(resource: Json) -> Json:
    """Return a resource's attributes, its id, and the ids of what it names, as `media_id` for the one named `media`."""
    values: Json = {"id": resource.get("id"), **as_object(resource.get("attributes"))}
    for name, relationship in as_object(resource.get("relationships")).items():
        data = as_object(relationship).get("data")
        if isinstance(data, dict):
            values.setdefault(f"{name}_id", cast("Json", data).get("id"))
    return values


class Documents:
    """The rules of one operation's documents, or of a webhook's.

    Attributes:
        conventions: The API's.
    """

    def __init__(self, conventions: Conventions, servers: Sequence[str], attributes: frozenset[str]) -> None:
        """Prepare the rules.

        Args:
            conventions: The API's.
            servers: The URLs of the document's servers.
            attributes: The names of all attributes that the operation's resources can have.
        """
        self.conventions = conventions
        self._spans = [span for span in conventions.spans if {span.begin, span.end} <= attributes]
        usable = [found for server in servers if (found := _split(server)) is not None and found.netloc]
        self._hosts = {_host_of(found) for found in usable}
        self._origins = tuple(f"{found.scheme}://{found.netloc}/" for found in usable if found.scheme)
        page = conventions.page_parameter or "page"
        self._page_key = f"{page}[number]"

    def check_request(self, operation: str, method: str, body: object) -> Iterator[Violation]:
        """Check the JSON of a request."""
        attributes = as_object(as_object(body).get("data")).get("attributes")
        if method in _UPDATES and attributes == {}:
            location = "request.body#/data/attributes"
            yield Violation(operation, location, "empty-update", "an update has at least one attribute", "{}")
        yield from self._check_spans(operation, "request.body", resources_in(body))

    def check_webhook(self, operation: str, body: object) -> Iterator[Violation]:
        """Check the JSON of a webhook."""
        payload = as_object(body).get("payload")
        location = "webhook.body#/payload"
        included = [as_object(item) for item in as_list(as_object(payload).get("included"))]
        yield from self._check_spans(operation, "webhook.body", _below("/payload", resources_in(payload)))
        parts = ((f"/payload/included/{index}", item) for index, item in enumerate(included))
        yield from self._check_spans(operation, "webhook.body", parts)
        yield from _repeated(operation, f"{location}/included", included)
        main = as_object(as_object(payload).get("data"))
        named = {_identity(link) for link in _linkage(main)}
        for item in included:
            named |= {_identity(link) for link in _linkage(item)}
        for index, item in enumerate(included):
            if isinstance(item.get("id"), str) and _identity(item) not in named:
                message = "what is included is named by a relationship"
                actual = short_repr(f"{item.get('type')} {item['id']}")
                yield Violation(operation, f"{location}/included/{index}", "unlinked-resource", message, actual)

    def check_response(self, operation: str, status: int, body: object, request: CheckedRequest) -> Iterator[Violation]:
        """Check the JSON of a response."""
        members = as_object(body)
        if "errors" in members:
            yield from self._check_errors(operation, status, as_list(members["errors"]))
        if isinstance(data := members.get("data"), dict):
            for name, relationship in as_object(cast("Json", data).get("relationships")).items():
                linked = as_list(as_object(relationship).get("data"))
                yield from _repeated(operation, f"response.body#/data/relationships/{name}/data", linked)
        if self._spans:
            yield from self._check_spans(operation, "response.body", resources_in(body))
        if isinstance(links := members.get("links"), dict):
            is_list = isinstance(members.get("data"), list)
            yield from self._check_links(operation, cast("Json", links), request, is_list=is_list)

    def _check_spans(self, operation: str, location: str, resources: Iterator[tuple[str, Json]]) -> Iterator[Violation]:
        for pointer, resource in resources:
            attributes = as_object(resource.get("attributes"))
            for begin_name, end_name, strict in self._spans:
                begin, end = attributes.get(begin_name), attributes.get(end_name)
                if begin is None or end is None:
                    continue
                (kind, first), (other, last) = _comparable(begin), _comparable(end)
                if kind == other and (last < first or (strict and kind and last == first)):
                    relation = "greater than" if strict else "at least"
                    at = f"{location}#{pointer}/attributes/{end_name}"
                    message = f"{end_name} is {relation} {begin_name}, {short_repr(begin)}"
                    yield Violation(operation, at, "time-order", message, short_repr(end))

    def _check_errors(self, operation: str, status: int, errors: Sequence[Any]) -> Iterator[Violation]:
        expected = str(status)
        for index, error in enumerate(errors):
            stated = as_object(error).get("status")
            if not isinstance(stated, str) or stated in {expected, self.conventions.error_statuses.get(status)}:
                continue
            if len(errors) > 1 and _STATUS.fullmatch(stated) and stated[0] == expected[0]:
                continue
            message = f"the status is that of the response, {expected}"
            location = f"response.body#/errors/{index}/status"
            yield Violation(operation, location, "error-status", message, short_repr(stated))

    def _check_links(
        self, operation: str, links: Json, request: CheckedRequest, *, is_list: bool
    ) -> Iterator[Violation]:
        called = _called_host(request.headers.get("host"))
        asked = parse_qsl(request.target.partition("?")[2], keep_blank_values=True) if is_list else []
        for name in _LINKS:
            if not isinstance(link := links.get(name), str):
                continue

            def violation(rule: Rule, message: str, name: str = name, link: str = link) -> Violation:
                return Violation(operation, f"response.body#/links/{name}", rule, message, short_repr(link))

            is_page = is_list and name in _TO_PAGES
            if not is_page and link.startswith(self._origins) and _LINK.fullmatch(link):
                # The common case, without a look at the parts.
                continue
            if _LINK.fullmatch(link) is None or (parts := _split(link)) is None:
                yield violation("link", "a link is an absolute URL in http or https, or a path or query")
                continue
            if parts.netloc and not self._is_known(_host_of(parts), called, links):
                known = ", ".join(sorted({name for name, _ in [*self._hosts, *([called] if called else [])]}))
                yield violation("link-origin", f"a link leads to the host of the request or of the servers: {known}")
            elif is_page and (message := self._wrong_page(name, parts, request.target, asked)):
                yield violation("link-page", message)

    def _is_known(self, host: tuple[str, int], called: tuple[str, int] | None, links: Json) -> bool:
        # If it is not known which host was called, all links must at least lead to one.
        return host in self._hosts or host == called or (called is None and _has_one_host(links))

    def _wrong_page(self, name: str, link: SplitResult, target: str, asked: Sequence[tuple[str, str]]) -> str:
        """Return what a link between pages should be; empty if it is right, or not known."""
        found = link if link.scheme else urlsplit(urljoin(target, link.geturl()))
        linked = parse_qsl(found.query, keep_blank_values=True)
        own, number = self._number(asked), self._number(linked)
        if name == "current":
            return f"the page is number {own}" if number != own else ""
        path = target.partition("?")[0]
        if unquote(found.path) != unquote(path):
            return f"the page is one of the same list, {path}"
        if name == "next" and sorted(linked) == sorted(asked):
            return "the next page is another one than this"
        if not own or self._page_key not in dict(linked):
            # Pages can be named by other parameters than numbers.
            return ""
        is_right = number > own if name == "next" else number < own
        return "" if is_right else f"the number of the page is {'greater' if name == 'next' else 'less'} than {own}"

    def _number(self, query: Sequence[tuple[str, str]]) -> int:
        """Return the number of the page that a query names, the first by default; 0 for what is not a number."""
        return read_count(dict(query).get(self._page_key, "1"))


def _below(pointer: str, resources: Iterator[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    for inner, resource in resources:
        yield f"{pointer}{inner}", resource


def _identity(link: Mapping[str, Any]) -> tuple[str, str]:
    return str(link.get("type")), str(link.get("id"))


def _linkage(resource: Json) -> Iterator[Json]:
    """Yield the identifiers of the resources that one names, among its relationships or beside them."""
    for relationship in [*as_object(resource.get("relationships")).values(), *resource.values()]:
        yield from linked(relationship)


def _repeated(operation: str, location: str, items: Sequence[Any]) -> Iterator[Violation]:
    """Check that a list of resources has each once."""
    try:
        identities = [(item["type"], item["id"]) for item in items]
        if len(set(identities)) == len(identities):
            return
    except (TypeError, KeyError):
        return
    seen: set[object] = set()
    for index, (kind, identifier) in enumerate(identities):
        if (kind, identifier) in seen:
            message = "a resource is in a document once"
            yield Violation(
                operation, f"{location}/{index}", "repeated-resource", message, short_repr(f"{kind} {identifier}")
            )
        seen.add((kind, identifier))


def _comparable(value: object) -> tuple[str, Any]:
    """Return a value and of what kind it is; values of one kind can be compared."""
    if (number := read_number(value)) is not None:
        return "number", number
    time = read_time(value) if isinstance(value, str) else None
    return ("", 0) if time is None else ("time", time)


def _split(link: str) -> SplitResult | None:
    try:
        parts = urlsplit(link)
        is_usable = parts.port != 0
    except ValueError:
        return None
    return parts if is_usable else None


@functools.lru_cache(maxsize=64)
def _called_host(header: str | None) -> tuple[str, int] | None:
    """Return the host that a Host header names; None if there is none."""
    parts = None if header is None else _split(f"//{header}")
    return None if parts is None else _host_of(parts)


def _has_one_host(links: Json) -> bool:
    """Return whether all links lead to one host, where that of the request is not known."""
    parts = [_split(link) for link in links.values() if isinstance(link, str)]
    return len({_host_of(found) for found in parts if found is not None and found.netloc}) == 1


def _host_of(parts: SplitResult) -> tuple[str, int]:
    # Links in http for https are the service's own: its published examples have them.
    port = parts.port
    return (parts.hostname or "").lower(), port if port and port not in _PORTS else _PORTS[-1]
