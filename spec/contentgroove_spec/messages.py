"""Compares what is sent and received by an operation: bodies, responses, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .context import Site
from .media_types import compare_content
from .parameters import IGNORED_HEADERS, compare_header, compare_parameters
from .reading import Part
from .texts import report_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Direction
    from .context import Context
    from .operations import Operation
    from .reading import Reader


def compare_messages(context: Context, old: Operation, new: Operation) -> None:
    """Compare the messages of an operation that both documents have."""
    compare_parameters(context, old, new)
    _compare_body(context, old, new)
    _Responses(context, old, new).compare()
    context.locate(None)


def _compare_body(context: Context, old: Operation, new: Operation) -> None:
    site = Site(new.location("request"), new.direction())
    context.locate(site.location)
    before, after = old.definition.optional("requestBody"), new.definition.optional("requestBody")
    parents = old.definition.pointer, new.definition.pointer
    if before is not None and after is not None:
        bodies = context.follow(before, after)
        if bodies is not None:
            was, now = bodies
            context.compare_descriptions(was, now, site)
            rules = "request-body-became-required", "request-body-no-longer-required"
            context.compare_flag("required", was, now, site, rules=rules)
            compare_content(context, was.optional("content"), now.optional("content"), site)
    elif after is not None:
        body = context.readers[1].follow(after)
        if body is not None:
            required = body.value.get("required") is True
            rule = "required-request-body-added" if required else "request-body-added"
            context.findings.at(rule, None, after, *site, parents=parents)
    elif before is not None and context.readers[0].follow(before) is not None:
        context.findings.at("request-body-removed", before, None, *site, parents=parents)


class _Responses:
    """The comparison of the responses of one operation."""

    def __init__(self, context: Context, old: Operation, new: Operation) -> None:
        self._context = context
        self._operations = old, new
        self._direction: Direction = new.direction(response=True)
        context.locate(new.location("response"))
        self._old, self._new = _responses(context.readers[0], old), _responses(context.readers[1], new)

    def compare(self) -> None:
        """Compare all responses."""
        old, new = (operation.definition.optional("responses") for operation in self._operations)
        if old is not None and new is not None:
            location = self._operations[1].location("response")
            report_texts(self._context.findings, old, new, location, fields=frozenset())
        for before, after in self._pairs():
            self._pair(before, after)
        for status, part in self._old.items():
            if not _covering(status, self._new):
                self._report("removed", status, part)
        for status, part in self._new.items():
            if not _covering(status, self._old) and not any(status in _covering(old, self._new) for old in self._old):
                self._report("added", status, part)

    def _report(self, kind: str, status: str, part: Part) -> None:
        """Report a response that only one of the documents has."""
        removed = kind == "removed"
        operation, others = self._operations[0 if removed else 1], self._old if removed else self._new
        success = _is_success(status) or (status == "default" and not any(map(_is_success, others)))
        rule = f"{'success' if success else 'error'}-response-{kind}"
        parents = self._operations[0].definition.pointer, self._operations[1].definition.pointer
        location = operation.location("response", status)
        old, new = (part, None) if removed else (None, part)
        self._context.findings.at(rule, old, new, location, self._direction, name=status, parents=parents)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the statuses whose responses correspond."""
        for status in self._old:
            for other in _covering(status, self._new):
                # What a document says of a single status it does not say of the range.
                if other == status or not (other in self._old or status in self._new):
                    yield status, other
        if "default" in self._old and not any(map(_is_success, self._old)):
            yield from (("default", status) for status in self._new if _is_success(status))

    def _pair(self, before: str, after: str) -> None:
        old, new = self._old[before], self._new[after]
        site = Site(self._operations[1].location("response", after), self._direction)
        self._context.locate(site.location)
        if before != after and _is_success(before) and _is_success(after):
            rule = "success-response-widened" if after.endswith("XX") else "success-response-narrowed"
            self._context.findings.at(rule, Part(old.pointer, before), Part(new.pointer, after), *site)
        responses = self._context.follow(old, new)
        if responses is not None:
            was, now = responses
            self._context.compare_descriptions(was, now, site)
            compare_content(self._context, was.optional("content"), now.optional("content"), site)
            self._headers(was, now, after)

    def _headers(self, old: Part, new: Part, status: str) -> None:
        before, after = _headers(self._context.readers[0], old), _headers(self._context.readers[1], new)
        parents = old.pointer, new.pointer
        for key, (name, part) in before.items():
            if key not in after:
                location = self._operations[0].location("response", status, f"header {name}")
                add = self._context.findings.at
                add("response-header-removed", part, None, location, self._direction, name=name, parents=parents)
        for key, (name, part) in after.items():
            site = Site(self._operations[1].location("response", status, f"header {name}"), self._direction)
            self._context.locate(site.location)
            if key in before:
                headers = self._context.follow(before[key][1], part)
                if headers is not None:
                    compare_header(self._context, *headers, name, site)
            elif (header := self._context.readers[1].follow(part)) is not None:
                required = header.value.get("required") is True
                rule = "required-response-header-added" if required else "response-header-added"
                self._context.findings.at(rule, None, part, *site, name=name, parents=parents)


def _headers(reader: Reader, response: Part) -> dict[str, tuple[str, Part]]:
    """Return the headers of a response by their names in lower case."""
    found = {name.lower(): (name, part) for name, part in reader.members(response.optional("headers"))}
    return {key: header for key, header in found.items() if key not in IGNORED_HEADERS}


def _responses(reader: Reader, operation: Operation) -> dict[str, Part]:
    responses = reader.fields(operation.definition.optional("responses"))
    return {status.upper() if status != "default" else status: part for status, part in responses}


def _is_success(status: str) -> bool:
    return status[:1] in {"1", "2", "3"}


def _covering(status: str, others: dict[str, Part]) -> list[str]:
    """Return the statuses of a document that include one of the other document, or are included in it."""
    if status in others:
        return [status]
    if status.endswith("XX"):
        return [other for other in others if other[:1] == status[:1] and other != "default"]
    wide = f"{status[:1]}XX"
    return [wide] if wide in others else []
