"""Compares the content of bodies, parameters and headers by media types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove._openapi.documents import as_object
from contentgroove._openapi.pointers import escape
from msgspec import structs

from .context import Site
from .reading import Part, comparable
from .texts import report_texts

if TYPE_CHECKING:
    from .context import Context
    from .reading import Reader
    from .schemas import View

_JSON = "application/json"
_TEXT = frozenset({"string"})
_WITH_ENCODING = ("multipart/", "application/x-www-form-urlencoded")


def compare_content(context: Context, old: Part | None, new: Part | None, site: Site) -> None:
    """Compare two maps of media types; None means that there is no content."""
    before, after = _by_type(context.readers[0], old), _by_type(context.readers[1], new)
    add = context.findings.at
    if before and not after:
        add("content-removed", old, None, *site)
        return
    if after and not before:
        add("content-added", None, new, *site)
        return
    covered: set[str] = set()
    for key, (name, part) in before.items():
        if key in after:
            _compare_media(context, part, after[key][1], name, site)
            continue
        wider, narrower = _ranges(key, after, before), _narrower(key, after, before)
        covered.update(wider, narrower)
        for other in [*wider, *narrower]:
            rule = "media-type-widened" if wider else "media-type-narrowed"
            add(rule, Part(part.pointer, name), Part(after[other][1].pointer, after[other][0]), *site)
            _compare_media(context, part, after[other][1], name, site)
        if not wider and not narrower:
            add("media-type-removed", part, None, *site, name=name)
    for key, (name, part) in after.items():
        if key not in before and key not in covered:
            add("media-type-added", None, part, *site, name=name)


def _by_type(reader: Reader, content: Part | None) -> dict[str, tuple[str, Part]]:
    return {_normalised(name): (name, part) for name, part in reader.members(content)}


def _compare_media(context: Context, old: Part, new: Part, name: str, outer: Site) -> None:
    media = context.follow(old, new)
    if media is None:
        return
    before, after = media
    # JSON is expected and is not mentioned.
    is_json = _normalised(name) == _JSON
    site = outer if is_json else Site(structs.replace(outer.location, detail=name), outer.direction)
    context.compare_descriptions(before, after, site)
    for keyword in ("schema", "itemSchema"):
        if is_json or keyword != "schema" or not all(map(_is_unread, context.views(before, after))):
            context.compare_schemas(before.optional(keyword), after.optional(keyword), site, before)
    if _normalised(name).startswith(_WITH_ENCODING):
        _compare_encodings(context, before, after, site)


def _is_unread(view: View) -> bool:
    """Return whether a schema only says that a body is bytes, which OpenAPI 3.1 says without one (4.8.14.3)."""
    value = view.keyword("format")
    return view.is_open or (view.types == _TEXT and value is not None and value.value == "binary")


def _compare_encodings(context: Context, old: Part, new: Part, site: Site) -> None:
    had, has = (as_object(part.value.get("encoding")) for part in (old, new))
    views = context.views(old, new)
    properties = [view.mapped("properties") for view in views]
    for name in dict.fromkeys([*had, *has]):
        if (name in properties[0]) != (name in properties[1]):
            # The encoding comes or goes with its property.
            continue
        before, after = as_object(had.get(name)), as_object(has.get(name))
        location = structs.replace(site.location, field=f"/{escape(name)}")
        pointers = [f"{part.pointer}/encoding/{escape(name)}" for part in (old, new)]
        had_part, has_part = (Part(pointer, value) for pointer, value in zip(pointers, (before, after), strict=True))
        report_texts(context.findings, had_part, has_part, location, fields=frozenset())
        types = _default_type(views[0], name), _default_type(views[1], name)
        for keyword in ("contentType", "style", "explode", "allowReserved", "headers"):
            was, now = _form_value(before, keyword, types[0]), _form_value(after, keyword, types[1])
            if comparable(was) != comparable(now):
                context.findings.at(
                    _encoding_rule(keyword, was, now),
                    None if was is None else Part(f"{pointers[0]}/{keyword}", was),
                    None if now is None else Part(f"{pointers[1]}/{keyword}", now),
                    location,
                    site.direction,
                    name=name,
                    parents=(old.pointer, new.pointer),
                )


def _encoding_rule(keyword: str, old: Any, new: Any) -> str:
    """Return the rule for a change of an encoding; its media types are alternatives."""
    if keyword == "contentType" and isinstance(old, str) and isinstance(new, str):
        had, has = set(old.split(",")), set(new.split(","))
        if had < has or has < had:
            return "encoding-widened" if had < has else "encoding-narrowed"
    return "encoding-changed"


def _default_type(view: View, name: str) -> str | None:
    """Return the media type of a part of a form that names none (OpenAPI 3.1, 4.8.15.1)."""
    for part in view.mapped("properties").get(name, ()):
        value = as_object(part.value)
        match value.get("type"):
            case "object":
                return "application/json"
            case "string":
                return "application/octet-stream" if value.get("format") == "binary" else "text/plain"
            case "integer" | "number" | "boolean":
                return "text/plain"
            case _:
                continue
    return None


def _form_value(encoding: dict[str, Any], keyword: str, default_type: str | None) -> Any:
    """Return a field of an encoding; None if it has its default value."""
    value = encoding.get(keyword)
    if keyword == "contentType" and isinstance(value, str):
        names = sorted(map(_normalised, value.split(",")))
        return None if names == [default_type] else ",".join(names)
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
