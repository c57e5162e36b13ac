"""Compares what is sent and received: parameters, bodies, responses, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from .media_types import Content
from .operations import inherited_parameters, parameter_names
from .reading import Part
from .texts import report_texts
from .uses import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Direction, Location
    from .findings import Findings
    from .operations import Operation
    from .reading import Reader
    from .schema_comparison import SchemaComparer
    from .uses import Graph

_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_CONTAINERS = frozenset({"object", "array"})
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""OpenAPI ignores parameters with these names (OpenAPI 3.1, 4.8.12.2.1)."""


class Context(NamedTuple):
    """What a comparison of two documents shares.

    Attributes:
        readers: The readers of the old and of the new document.
        schemas: The comparison of schemas.
        graph: The pairs of schemas.
        findings: What was found.
    """

    readers: tuple[Reader, Reader]
    schemas: SchemaComparer
    graph: Graph
    findings: Findings

    def compare_schemas(
        self, old: Part | None, new: Part | None, location: Location, direction: Direction, holder: Part
    ) -> None:
        """Compare the schemas at a location.

        Args:
            old: The old schema; None if any value is valid.
            new: The new schema.
            location: The location.
            direction: Whether an app sends the value.
            holder: What has the schema in the old document.
        """
        pair = tuple(() if part is None else (part,) for part in (old, new))
        if all(pair):
            node = self.schemas.connect(*pair)
            if node is not None:
                self.graph.add_root(node, location, direction, holder)
        elif not all(
            views.view(parts).is_open for views, parts in zip((self.schemas.old, self.schemas.new), pair, strict=True)
        ):
            rule = "schema-specified" if old is None else "schema-unspecified"
            self.findings.add(
                rule, old, new, Source(location, direction, holder=holder), parents=(holder.pointer, None)
            )

    def locate(self, location: Location | None) -> None:
        """Set the location for parts that cannot be read."""
        for reader in self.readers:
            reader.location = location


class Messages:
    """Compares the messages of one operation.

    Attributes:
        context: What the comparison shares.
        old: The operation in the old document.
        new: The operation in the new one.
    """

    def __init__(self, context: Context, old: Operation, new: Operation) -> None:
        self.context = context
        self.old, self.new = old, new

    def compare(self) -> None:
        """Compare all messages."""
        self._parameters()
        self._body()
        self._responses()
        self.context.locate(None)

    def _add(
        self, rule: str, old: Part | None, new: Part | None, location: Location, direction: Direction, name: str = "",
        parents: tuple[str | None, str | None] | None = None,
    ) -> None:  # fmt: skip
        above = parents or (self.old.definition.pointer, self.new.definition.pointer)
        self.context.findings.at(rule, old, new, location, direction, name=name, parents=above)

    def _parameters(self) -> None:
        direction = self.new.direction()
        self.context.locate(self.new.location())
        old, new = (
            _parameters(reader, operation)
            for reader, operation in zip(self.context.readers, (self.old, self.new), strict=True)
        )
        for key, (entry, parameter) in old.items():
            if key not in new and key[0] != "path":
                self._add("parameter-removed", entry, None, self._parameter_location(parameter, self.old), direction)
        for key, (entry, parameter) in new.items():
            location = self._parameter_location(parameter, self.new)
            if key in old:
                self._parameter(old[key][1], parameter, location, direction)
            elif key[0] != "path":
                required = parameter.value.get("required") is True
                rule = "required-parameter-added" if required else "parameter-added"
                self._add(rule, None, entry, location, direction)

    @staticmethod
    def _parameter_location(parameter: Part, operation: Operation) -> Location:
        name = f"{parameter.value.get('name')} in {parameter.value.get('in')}"
        return operation.location("parameter", name)

    def _parameter(self, old: Part, new: Part, location: Location, direction: Direction) -> None:
        if self.context.schemas.unchanged(old, new):
            return
        self.context.locate(location)
        report_texts(self.context.findings, old, new, location)
        self._deprecated(old, new, location, direction)
        if new.value.get("in") != "path":
            rules = "parameter-became-required", "parameter-no-longer-required"
            self._flag("required", old, new, location, direction, *rules)
        rules = "reserved-characters-permitted", "reserved-characters-forbidden"
        self._flag("allowReserved", old, new, location, direction, *rules)
        rules = "empty-value-permitted", "empty-value-forbidden"
        self._flag("allowEmptyValue", old, new, location, direction, *rules)
        self._value(old, new, location, direction, _STYLES.get(str(new.value.get("in")), "simple"))

    def _flag(
        self, name: str, old: Part, new: Part, location: Location, direction: Direction, gained: str, lost: str,
        subject: str = "",
    ) -> None:  # fmt: skip
        before, after = (part.value.get(name) is True for part in (old, new))
        if before != after:
            parts = old.optional(name), new.optional(name)
            self._add(
                gained if after else lost, *parts, location, direction, subject, parents=(old.pointer, new.pointer)
            )

    def _deprecated(self, old: Part, new: Part, location: Location, direction: Direction) -> None:
        self._flag("deprecated", old, new, location, direction, "deprecation-added", "deprecation-removed")

    def _value(self, old: Part, new: Part, location: Location, direction: Direction, style: str) -> None:
        """Compare what parameters and headers have in common: how a value is written, and its schema."""
        has_content = ["content" in part.value for part in (old, new)]
        if all(has_content):
            Content(self, location, direction).compare(old.optional("content"), new.optional("content"))
            return
        if any(has_content):
            parts = old.optional("content"), new.optional("content")
            self._add("parameter-serialization-changed", *parts, location, direction, "content")
            return
        forms = [_form(part, style) for part in (old, new)]
        scalar = self._is_scalar(old, new)
        for name, before, after in zip(("style", "explode"), *forms, strict=True):
            # How the parts of a value are joined does not matter for values without parts.
            matters = not scalar or (name == "style" and location.name.endswith(" in path"))
            if before != after and matters:
                parts = Part(f"{old.pointer}/{name}", before), Part(f"{new.pointer}/{name}", after)
                self._add("parameter-serialization-changed", *parts, location, direction, name)
        self.context.compare_schemas(old.optional("schema"), new.optional("schema"), location, direction, old)

    def _is_scalar(self, old: Part, new: Part) -> bool:
        for views, part in ((self.context.schemas.old, old), (self.context.schemas.new, new)):
            schema = part.optional("schema")
            types = None if schema is None else views.view((views.resolved(schema),)).types
            if types is None or types & _CONTAINERS:
                return False
        return True

    def _body(self) -> None:
        location, direction = self.new.location("request"), self.new.direction()
        self.context.locate(location)
        old, new = (operation.definition.optional("requestBody") for operation in (self.old, self.new))
        before, after = (
            None if part is None else reader.follow(part)
            for reader, part in zip(self.context.readers, (old, new), strict=True)
        )
        if before is not None and after is not None:
            if self.context.schemas.unchanged(before, after):
                return
            report_texts(self.context.findings, before, after, location)
            rules = "request-body-became-required", "request-body-no-longer-required"
            self._flag("required", before, after, location, direction, *rules)
            Content(self, location, direction).compare(before.optional("content"), after.optional("content"))
        elif old is None and new is not None and after is not None:
            rule = "required-request-body-added" if after.value.get("required") is True else "request-body-added"
            self._add(rule, None, new, location, direction)
        elif old is not None and new is None and before is not None:
            self._add("request-body-removed", old, None, location, direction)

    def _responses(self) -> None:
        direction = self.new.direction(response=True)
        self.context.locate(self.new.location("response"))
        old, new = (
            _responses(reader, operation)
            for reader, operation in zip(self.context.readers, (self.old, self.new), strict=True)
        )
        has_success = [any(_is_success(status) for status in responses) for responses in (old, new)]
        for before, after in _paired_statuses(old, new, default_is_success=not has_success[0]):
            self._paired_response(old, new, before, after, direction)
        for status, part in old.items():
            if not _covering(status, new):
                success = _is_success(status) or (status == "default" and not has_success[0])
                rule = f"{'success' if success else 'error'}-response-removed"
                self._add(rule, part, None, self.old.location("response", status), direction, status)
        for status, part in new.items():
            if not _covering(status, old) and not any(status in _covering(known, new) for known in old):
                success = _is_success(status) or (status == "default" and not has_success[1])
                rule = f"{'success' if success else 'error'}-response-added"
                self._add(rule, None, part, self.new.location("response", status), direction, status)

    def _paired_response(
        self, old: dict[str, Part], new: dict[str, Part], before: str, after: str, direction: Direction
    ) -> None:
        location = self.new.location("response", after)
        self.context.locate(location)
        if before != after and _is_success(before) and _is_success(after):
            rule = "success-response-widened" if after.endswith("XX") else "success-response-narrowed"
            pair = Part(old[before].pointer, before), Part(new[after].pointer, after)
            self._add(rule, *pair, location, direction)
        parts = (
            reader.follow(part) for reader, part in zip(self.context.readers, (old[before], new[after]), strict=True)
        )
        was, now = parts
        if was is None or now is None or self.context.schemas.unchanged(was, now):
            return
        report_texts(self.context.findings, was, now, location)
        Content(self, location, direction).compare(was.optional("content"), now.optional("content"))
        self._headers(was, now, after, direction)

    def _headers(self, old: Part, new: Part, status: str, direction: Direction) -> None:
        before, after = (
            {name.lower(): (name, part) for name, part in reader.members(holder.optional("headers"))}
            for reader, holder in zip(self.context.readers, (old, new), strict=True)
        )
        parents = old.pointer, new.pointer
        for key, (name, part) in before.items():
            if key not in after and key not in _IGNORED_HEADERS:
                location = self.old.location("response", status, f"header {name}")
                self._add("response-header-removed", part, None, location, direction, name, parents)
        for key, (name, part) in after.items():
            location = self.new.location("response", status, f"header {name}")
            self.context.locate(location)
            header = self.context.readers[1].follow(part)
            if header is None or key in _IGNORED_HEADERS:
                continue
            if key not in before:
                required = header.value.get("required") is True
                rule = "required-response-header-added" if required else "response-header-added"
                self._add(rule, None, part, location, direction, name, parents)
                continue
            known = self.context.readers[0].follow(before[key][1])
            if known is not None and not self.context.schemas.unchanged(known, header):
                self.header(known, header, name, location, direction)

    def header(self, old: Part, new: Part, name: str, location: Location, direction: Direction) -> None:
        """Compare a header of a response or of a part of a form."""
        report_texts(self.context.findings, old, new, location)
        self._deprecated(old, new, location, direction)
        rules = "response-header-became-required", "response-header-no-longer-required"
        self._flag("required", old, new, location, direction, *rules, name)
        self._value(old, new, location, direction, "simple")


def _parameters(reader: Reader, operation: Operation) -> dict[tuple[str, str], tuple[Part, Part]]:
    """Return the parameters by what identifies them on the wire, each with its entry in the list.

    A path's parameters are identified by their position, headers by their name in any case, and others by their name
    in any encoding. Nothing else proves that a parameter was renamed.
    """
    positions = {name: str(number) for number, name in enumerate(parameter_names(operation.path))}
    found: dict[tuple[str, str], tuple[Part, Part]] = {}
    for entry, parameter in inherited_parameters(reader, operation):
        location, name = str(parameter.value.get("in")), str(parameter.value.get("name"))
        if location == "path":
            if name not in positions:
                reader.note(entry.pointer, f"The path has no parameter {name!r}.")
                continue
            name = positions[name]
        elif location == "header":
            name = name.lower()
            if name in _IGNORED_HEADERS:
                continue
        else:
            name = unquote(name)
        found[location, name] = entry, parameter
    return found


def _form(holder: Part, style: str) -> tuple[str, bool]:
    """Return how a value is written: its style, and whether it is exploded."""
    name = str(holder.value.get("style", style))
    return name, holder.value.get("explode", name == "form") is True


def _responses(reader: Reader, operation: Operation) -> dict[str, Part]:
    return {
        status.upper() if status != "default" else status: part
        for status, part in reader.members(operation.definition.optional("responses"))
    }


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


def _paired_statuses(
    old: dict[str, Part], new: dict[str, Part], *, default_is_success: bool
) -> Iterator[tuple[str, str]]:
    for status in old:
        for other in _covering(status, new):
            # What a document says of a single status it does not say of the range.
            if other == status or not (other in old or status in new):
                yield status, other
    if default_is_success and "default" in old:
        yield from (("default", status) for status in new if _is_success(status) and not _covering(status, old))
