"""Compares the content of bodies, parameters and headers by media types."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.documents import as_object
from contentgroove._openapi.pointers import escape

from .reading import Part
from .schemas import comparable
from .texts import report_texts

if TYPE_CHECKING:
    from .changes import Direction, Location
    from .messages import Messages

_JSON = "application/json"
_WITH_ENCODING = ("multipart/", "application/x-www-form-urlencoded")


class Content:
    """The comparison of the content at one location."""

    def __init__(self, messages: Messages, location: Location, direction: Direction) -> None:
        self._messages = messages
        self._context = messages.context
        self._location = location
        self._direction = direction

    def compare(self, old: Part | None, new: Part | None) -> None:
        """Compare two maps of media types; None means that there is no content."""
        before, after = (
            {_normalised(name): (name, part) for name, part in reader.members(content)}
            for reader, content in zip(self._context.readers, (old, new), strict=True)
        )
        if before and not after:
            self._add("content-removed", old, None)
            return
        if after and not before:
            self._add("content-added", None, new)
            return
        covered: set[str] = set()
        for key, (name, part) in before.items():
            if key in after:
                self._media(part, after[key][1], name)
                continue
            wider, narrower = _ranges(key, after, before), _narrower(key, after, before)
            covered.update(wider, narrower)
            for other in [*wider, *narrower]:
                pair = Part(part.pointer, name), Part(after[other][1].pointer, after[other][0])
                self._add("media-type-widened" if wider else "media-type-narrowed", *pair)
                self._media(part, after[other][1], name)
            if not wider and not narrower:
                self._add("media-type-removed", part, None, name)
        for key, (name, part) in after.items():
            if key not in before and key not in covered:
                self._add("media-type-added", None, part, name)

    def _add(self, rule: str, old: Part | None, new: Part | None, name: str = "") -> None:
        self._context.findings.at(rule, old, new, self._location, self._direction, name=name)

    def _media(self, old: Part, new: Part, name: str) -> None:
        if self._context.schemas.unchanged(old, new):
            return
        before, after = (reader.follow(part) for reader, part in zip(self._context.readers, (old, new), strict=True))
        if before is None or after is None:
            return
        # JSON is expected and is not mentioned.
        location = self._location if _normalised(name) == _JSON else dataclasses.replace(self._location, detail=name)
        report_texts(self._context.findings, before, after, location)
        for keyword in ("schema", "itemSchema"):
            parts = before.optional(keyword), after.optional(keyword)
            if any(parts):
                self._context.compare_schemas(*parts, location, self._direction, before)
        if _normalised(name).startswith(_WITH_ENCODING):
            self._encoding(before, after, location)

    def _encoding(self, old: Part, new: Part, location: Location) -> None:
        had, has = (as_object(part.value.get("encoding")) for part in (old, new))
        for name in dict.fromkeys([*had, *has]):
            before, after = as_object(had.get(name)), as_object(has.get(name))
            for keyword in ("contentType", "style", "explode", "allowReserved"):
                was, now = (_form_value(encoding, keyword) for encoding in (before, after))
                if was != now:
                    parts = [
                        Part(f"{part.pointer}/encoding/{escape(name)}/{keyword}", value) if value is not None else None
                        for part, value in ((old, was), (new, now))
                    ]
                    where = dataclasses.replace(location, field=f"/{escape(name)}")
                    self._context.findings.at(
                        "encoding-changed",
                        *parts,
                        where,
                        self._direction,
                        name=name,
                        parents=(old.pointer, new.pointer),
                    )
            self._encoding_headers(old, new, name, location)

    def _encoding_headers(self, old: Part, new: Part, name: str, location: Location) -> None:
        before, after = (
            as_object(as_object(part.value.get("encoding")).get(name)).get("headers") for part in (old, new)
        )
        if comparable(before) != comparable(after):
            parts = [
                Part(f"{part.pointer}/encoding/{escape(name)}/headers", value) if value is not None else None
                for part, value in ((old, before), (new, after))
            ]
            where = dataclasses.replace(location, field=f"/{escape(name)}")
            self._context.findings.at(
                "encoding-changed", *parts, where, self._direction, name=name, parents=(old.pointer, new.pointer)
            )


def _form_value(encoding: dict[str, Any], keyword: str) -> Any:
    """Return a field of an encoding; None if it has its default value."""
    value = encoding.get(keyword)
    if keyword == "contentType" and isinstance(value, str):
        return ",".join(sorted(map(_normalised, value.split(","))))
    style = encoding.get("style", "form")
    default = {"style": "form", "explode": style == "form", "allowReserved": False}.get(keyword)
    return None if value == default else value


def _normalised(name: str) -> str:
    """Return a media type in a form that can be compared: names have no case, and UTF-8 is the default."""
    return name.lower().replace(" ", "").replace(";charset=utf-8", "").replace(';charset="utf-8"', "")


def _includes(wide: str, narrow: str) -> bool:
    if wide == narrow or not wide.endswith("*"):
        return False
    return wide in {"*", "*/*"} or narrow.startswith(wide[:-1])


def _ranges(key: str, others: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """Return the range of the other document that includes a media type, unless this document has it, too."""
    return [other for other in others if other not in own and _includes(other, key)][:1]


def _narrower(key: str, others: dict[str, Any], own: dict[str, Any]) -> list[str]:
    return [other for other in others if other not in own and _includes(key, other)]
