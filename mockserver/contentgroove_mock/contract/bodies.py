"""Checks of bodies: media types, JSON, forms and texts; bodies of other kinds are only counted."""

from __future__ import annotations

import re
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.documents import as_object
from contentgroove._openapi.pointers import join

from contentgroove_mock.contract.exchanges import is_utf8
from contentgroove_mock.contract.parameters import Parameter, Query
from contentgroove_mock.contract.values import decode_json, duplicate_key, member_schema, scalars, types_of
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove_mock.contract.schemas import CompiledSchema, Components, Finding, Side

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_JSON_TYPE = re.compile(r"[^/]+/(?:[^/]+\+)?json", re.IGNORECASE)


class _Media:
    """One of the media types that a body may have."""

    def __init__(self, declared: str, media: dict[str, Any], components: Components, side: Side, location: str) -> None:
        self.essence = _essence(declared)
        self.schema: dict[str, Any] = as_object(media.get("schema"))
        self.compiled: CompiledSchema = components.compiled(media.get("schema", {}), side, f"{location} {declared}")
        self._components = components
        self._side: Side = side
        self._encoding = as_object(media.get("encoding"))
        self._form: Query | None = None

    @property
    def form(self) -> Query:
        """The properties of a form, read like parameters of a query."""
        if self._form is None:
            names = _properties(self.compiled.resolved, self._components)
            self._form = Query([self._property(name) for name in names], frozenset(), self._components)
        return self._form

    def _property(self, name: str) -> Parameter:
        encoding = as_object(self._encoding.get(name))
        schema = member_schema(name, self.compiled.resolved, self._components)
        compiled = self._components.compiled_as_it_is(as_object(schema), self._side)
        types = types_of(compiled.resolved, self._components)
        # By default, an object in a form is JSON; libraries write it in brackets, too.
        style = str(encoding.get("style", "deepObject" if "object" in types else "form"))
        return Parameter(
            name=name,
            location="query",
            required=False,
            style=style,
            explode=bool(encoding.get("explode", style in {"form", "deepObject"})),
            is_json=False,
            may_be_empty=False,
            side=self._side,
            compiled=compiled,
            types=types,
            components=self._components,
        )


class BodySpec:
    """The body of a request or a response, as the contract describes it.

    Attributes:
        types: The media types and ranges of them that it may have; empty if there must not be a body.
        json_schema: The schema of a JSON body; empty if there is none.
        json_prepared: The same, prepared and not a reference.
    """

    def __init__(
        self, declaration: dict[str, Any], components: Components, side: Side = "response", location: str = "a body"
    ) -> None:
        content = as_object(declaration.get("content"))
        self.types = tuple(content)
        self._required = bool(declaration.get("required", False))
        self._media = {
            declared: _Media(declared, as_object(media), components, side, location)
            for declared, media in content.items()
        }
        self._components = components
        json_types = [media for media in self._media.values() if _JSON_TYPE.fullmatch(media.essence)]
        preferred = next(
            (media for media in json_types if media.essence == _JSON), json_types[0] if json_types else None
        )
        self.json_schema: dict[str, Any] = {} if preferred is None else preferred.schema
        self.json_prepared: dict[str, Any] = {} if preferred is None else preferred.compiled.resolved
        self._is_json = bool(json_types) and len(json_types) == len(self._media)

    def check(
        self,
        content: bytes,
        media_type: str | None,
        operation: str,
        side: str,
        *,
        required: bool = False,
        further: Callable[[object], Iterator[Violation]] | None = None,
    ) -> Iterator[Violation]:
        """Check a body, decompressed, and its Content-Type.

        Args:
            content: The body.
            media_type: Its Content-Type.
            operation: The name for violations.
            side: `request`, `response` or `webhook`.
            required: Whether a body is required even if the contract does not declare it as required, unless other
                media types than JSON's are possible: a text can be empty.
            further: Checks the value of a JSON body, which may have any structure.
        """
        location = f"{side}.body"
        if not self.types:
            if content:
                yield Violation(operation, location, "unexpected-body", "there is no body", short_repr(content[:200]))
            return
        if not content:
            if self._required or (required and self._is_json):
                message = f"a body of {' or '.join(self.types)} is required"
                yield Violation(operation, location, "missing-body", message, "nothing")
            return
        media = None if media_type is None else self._find(media_type)
        if media is None or media_type is None:
            message = f"the body is {' or '.join(self.types)}, in UTF-8"
            actual = "nothing" if media_type is None else short_repr(media_type)
            yield Violation(operation, f"{side}.headers.content-type", "media-type", message, actual)
            return
        essence = _essence(media_type)
        if _JSON_TYPE.fullmatch(essence):
            yield from self._check_json(media, content, operation, location, further)
        elif essence == _FORM:
            yield from self._check_form(media, content, operation, location)
        elif essence == _MULTIPART:
            yield from self._check_multipart(media, content, media_type, operation, location)
        elif essence.startswith("text/plain"):
            yield from self._check_text(media, content, operation, location)

    def _find(self, media_type: str) -> _Media | None:
        """Return what is declared for a media type; the most specific, if a range covers it as well."""
        if (exact := self._media.get(media_type)) is not None:
            return exact
        essence = _essence(media_type)
        if _JSON_TYPE.fullmatch(essence) and not is_utf8(media_type):
            return None
        kind = essence.partition("/")[0]
        for wanted in (essence, f"{kind}/*", "*/*", "*"):
            for media in self._media.values():
                if media.essence == wanted:
                    return media
        return None

    def _check_json(
        self,
        media: _Media,
        content: bytes,
        operation: str,
        location: str,
        further: Callable[[object], Iterator[Violation]] | None,
    ) -> Iterator[Violation]:
        try:
            value = decode_json(content)
        except ValueError as error:
            yield Violation(operation, location, "json", f"the body is JSON: {error}", short_repr(content[:200]))
            return
        if (key := duplicate_key(content, value)) is not None:
            message = "the names in an object are different (RFC 8259, section 4)"
            yield Violation(operation, location, "duplicate-key", message, f"{short_repr(key)} twice")
        for finding in self._components.value_rules.findings(media.compiled, value):
            yield _violation(finding, operation, location)
        if further is not None:
            yield from further(value)

    def _check_form(self, media: _Media, content: bytes, operation: str, location: str) -> Iterator[Violation]:
        found = media.form.read(content.decode("utf-8", "replace"))
        value: dict[str, Any] = dict(found.unknown)
        for name, texts in found.plain.items():
            value[name] = media.form.value_of(name, texts)
        for members in (found.deep, found.spread):
            value.update({name: media.form.read_members(name, tree) for name, tree in members.items()})
        yield from _violations(media, value, operation, location)

    def _check_multipart(
        self, media: _Media, content: bytes, media_type: str, operation: str, location: str
    ) -> Iterator[Violation]:
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + media_type.encode() + b"\r\n\r\n" + content)
        if not message.is_multipart():
            yield Violation(operation, location, "schema", "the body has parts and a boundary between them", "no parts")
            return
        value: dict[str, Any] = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            if not isinstance(name, str):
                yield Violation(operation, location, "schema", "each part has a name", "a part without one")
                continue
            payload = part.get_payload(decode=True)
            data = payload if isinstance(payload, bytes) else b""
            try:
                item = self._part(media, name, data, is_json=bool(_JSON_TYPE.fullmatch(part.get_content_type())))
            except ValueError as error:
                yield Violation(
                    operation, f"{location}#/{name}", "json", f"the part is JSON: {error}", short_repr(data)
                )
                continue
            self._put(media, value, name, item)
        yield from _violations(media, value, operation, location)

    def _put(self, media: _Media, value: dict[str, Any], name: str, item: Any) -> None:
        schema = member_schema(name, media.compiled.resolved, self._components)
        if "array" in types_of(schema, self._components) and not isinstance(item, list):
            value.setdefault(name, []).append(item)
        else:
            value[name] = item

    def _part(self, media: _Media, name: str, data: bytes, *, is_json: bool) -> Any:
        schema = self._components.resolved(member_schema(name, media.compiled.resolved, self._components))
        types = types_of(schema, self._components)
        if is_json or {*types} == {"object"}:
            return decode_json(data)
        if "array" in types:
            types = types_of(schema.get("items", {}), self._components)
        # A file's content is not text; what is checked is that it is there.
        return scalars(data.decode("utf-8", "replace"), types)[0]

    def _check_text(self, media: _Media, content: bytes, operation: str, location: str) -> Iterator[Violation]:
        text = content.decode("utf-8", "replace")
        options = scalars(text, types_of(media.compiled.resolved, self._components))
        if not any(media.compiled.is_valid(option) for option in options):
            yield from _violations(media, options[0], operation, location)


def _violations(media: _Media, value: object, operation: str, location: str) -> Iterator[Violation]:
    for finding in media.compiled.findings(value):
        yield _violation(finding, operation, location)


def _violation(finding: Finding, operation: str, location: str) -> Violation:
    return Violation(operation, f"{location}#{join(finding.steps)}", finding.rule, finding.message, finding.actual)


def _properties(schema: dict[str, Any], components: Components, depth: int = 0) -> list[str]:
    names = [*as_object(schema.get("properties"))]
    if depth < 10:  # noqa: PLR2004 - compositions of compositions end somewhere
        for keyword in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(keyword, ()):
                names += _properties(components.resolved(part), components, depth + 1)
    return [*dict.fromkeys(names)]


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
