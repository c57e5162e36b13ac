"""Compares parameters and headers: what identifies them, how their values are written, and which are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from .context import Site
from .media_types import compare_content
from .operations import inherited_parameters, parameter_names
from .reading import Part
from .schemas import bounds
from .values import default_changes

if TYPE_CHECKING:
    from .context import Context
    from .operations import Operation
    from .reading import Reader

_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_CONTAINERS = frozenset({"object", "array"})
_LIST = frozenset({"array"})
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""OpenAPI ignores parameters with these names (OpenAPI 3.1, 4.8.12.2.1)."""


def compare_parameters(context: Context, old: Operation, new: Operation) -> None:
    """Compare the parameters of an operation that both documents have."""
    context.locate(new.location())
    before, after = _identified(context.readers[0], old), _identified(context.readers[1], new)
    parents = old.definition.pointer, new.definition.pointer
    for key, (entry, parameter) in before.items():
        if key in after:
            continue
        site = _site(parameter, old)
        if key[0] == "path":
            context.compare_schemas(parameter.optional("schema"), None, site, parameter)
        else:
            context.findings.at("parameter-removed", entry, None, *site, parents=parents)
    for key, (entry, parameter) in after.items():
        site = _site(parameter, new)
        if key in before:
            _compare_parameter(context, before[key][1], parameter, site)
        elif key[0] == "path":
            # The path has it in both documents, but only the new one describes it.
            context.compare_schemas(None, parameter.optional("schema"), site, Part(parameter.pointer, {}))
        else:
            rule = "required-parameter-added" if parameter.value.get("required") is True else "parameter-added"
            context.findings.at(rule, None, entry, *site, parents=parents)


def _site(parameter: Part, operation: Operation) -> Site:
    name = f"{parameter.value.get('name')} in {parameter.value.get('in')}"
    return Site(operation.location("parameter", name), operation.direction())


def _identified(reader: Reader, operation: Operation) -> dict[tuple[str, str], tuple[Part, Part]]:
    """Return the parameters by what identifies them on the wire, each with its entry in the list.

    A path's parameters are identified by their position, headers by their name in any case, and others by their name
    in any encoding. Nothing else proves that a parameter was renamed.
    """
    positions = {name: str(number) for number, name in enumerate(parameter_names(operation.path))}
    found: dict[tuple[str, str], tuple[Part, Part]] = {}
    for entry, parameter in inherited_parameters(reader, operation):
        location, name = str(parameter.value.get("in")), str(parameter.value.get("name"))
        if location == "path":
            name = positions.get(name, name)
        elif location == "header":
            name = name.lower()
            if name in IGNORED_HEADERS:
                continue
        else:
            name = unquote(name)
        found[location, name] = entry, parameter
    return found


def _compare_parameter(context: Context, old: Part, new: Part, site: Site) -> None:
    if context.schemas.unchanged(old, new):
        return
    context.locate(site.location)
    context.compare_descriptions(old, new, site)
    within = str(new.value.get("in"))
    if within != "path":
        rules = "parameter-became-required", "parameter-no-longer-required"
        context.compare_flag("required", old, new, site, rules=rules)
    rules = "reserved-characters-permitted", "reserved-characters-forbidden"
    context.compare_flag("allowReserved", old, new, site, rules=rules)
    context.compare_flag("allowEmptyValue", old, new, site, rules=("empty-value-permitted", "empty-value-forbidden"))
    _compare_value(context, old, new, site, _STYLES.get(within, "simple"))


def compare_header(context: Context, old: Part, new: Part, name: str, site: Site) -> None:
    """Compare a header of a response."""
    context.compare_descriptions(old, new, site)
    rules = "response-header-became-required", "response-header-no-longer-required"
    context.compare_flag("required", old, new, site, rules=rules, subject=name)
    _compare_value(context, old, new, site, "simple")


def _compare_value(context: Context, old: Part, new: Part, site: Site, style: str) -> None:
    """Compare what parameters and headers have in common: how a value is written, and its schema."""
    before, after = old.optional("content"), new.optional("content")
    if before is not None and after is not None:
        compare_content(context, before, after, site)
        return
    if before is not None or after is not None:
        parents = old.pointer, new.pointer
        rule = "parameter-serialization-changed"
        context.findings.at(rule, before, after, *site, name="content", parents=parents)
        return
    _compare_form(context, old, new, site, style)
    required = all(part.value.get("required") is True for part in (old, new))
    for rule, had, has in default_changes(*context.views(old, new), required=required):
        context.findings.at(rule, had, has, *site, parents=(old.pointer, new.pointer))
    schema, items = old.optional("schema"), _items_of_new_list(context, old, new, style)
    if items is not None:
        context.findings.at("parameter-became-list", schema, items, *site)
    context.compare_schemas(schema, items or new.optional("schema"), site, old, textual=True)


def _compare_form(context: Context, old: Part, new: Part, site: Site, style: str) -> None:
    """Compare the style of a value, and whether it is exploded."""
    scalar = not any(view.types is None or view.types & _CONTAINERS for view in context.views(old, new))
    for name, before, after in zip(("style", "explode"), _form(old, style), _form(new, style), strict=True):
        if before != after:
            # How the parts of a value are joined does not matter for values without parts.
            matters = not scalar or (name == "style" and new.value.get("in") == "path")
            rule = "parameter-serialization-changed" if matters else "keyword-without-effect"
            was, now = Part(f"{old.pointer}/{name}", before), Part(f"{new.pointer}/{name}", after)
            context.findings.at(rule, was, now, *site, name=name)


def _form(holder: Part, style: str) -> tuple[str, bool]:
    name = str(holder.value.get("style", style))
    # Objects that are written deep are always exploded.
    return name, name == "deepObject" or holder.value.get("explode", name == "form") is True


def _items_of_new_list(context: Context, old: Part, new: Part, style: str) -> Part | None:
    """Return the schema of the items if a single value became a list that is written in the same way."""
    before, after = context.views(old, new)
    size = bounds(after, ("minItems", ""), lower=True)
    if (
        before.types is None
        or before.types & _CONTAINERS
        or after.types != _LIST
        or _form(new, style) != ("form", True)
    ):
        return None
    return after.keyword("items") if size is None or size[1][0] <= 1 else None
