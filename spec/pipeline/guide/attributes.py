"""The work that attributes of public models cause: new ones, removed ones, and those of another type."""

from __future__ import annotations

import ast
import json
import keyword
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pipeline.scaffold.code import model_type, model_value, sample
from pipeline.scaffold.names import Names, snake
from pipeline.scaffold.resource import SORTABLE, ScaffoldError, fields

from .listings import Listing, find_listings
from .models import public_values
from .removals import Removed, removal
from .tasks import Step, Task, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contentgroove_spec.documents import Document

    from pipeline.scaffold.names import Kind
    from pipeline.scaffold.resource import Field

    from .models import PublicModel

FILTERS = "mockserver/contentgroove_mock/simulator/core/listing.py"
MEANINGS = "tests/recorded/"
EXAMPLES = "tests/recorded/expected.py"
FACTORIES = "mockserver/contentgroove_mock/factories.py"
PAGE = "docs/cli.md"
_SCHEMAS: dict[Kind, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "json": {},
}
_OTHERS = 6
"""A listing of a resource has at most so many names beside its attributes: ids, relationships, what is derived."""


def removed_attributes(
    root: Path, model: PublicModel, others: tuple[PublicModel, ...], sorts: frozenset[str]
) -> Iterator[Task]:
    """Yield the work for attributes that were removed.

    Args:
        root: The repository.
        model: The model.
        others: The other models.
        sorts: The sort orders that lists of the model still have.
    """
    names = tuple(other.name for other in others)
    for name in sorted((model.old.keys() - model.new.keys()) & model.properties.keys()):
        sharing = tuple(other.name for other in others if name in other.old)
        removed = Removed(model, name, names, sharing, sorts)
        steps = [*removal(root, removed, filter_steps(root, model, name, None))]
        if name in sorts:
            still = (
                f"Lists can still be sorted by `{name}`, which the simulator cannot: remove the order by a correction"
            )
            steps.append(Step("decide", code=still))
        yield Task(f"`{model.name}.{name}` was removed", tuple(steps))


def changed_attributes(root: Path, model: PublicModel, contract: Document, open_names: set[str]) -> Iterator[Task]:
    """Yield the work for attributes of another type; of `open_names`, a conflict decides the type."""
    for name in sorted(model.old.keys() & model.new.keys() & model.properties.keys()):
        steps = tuple(_change(root, model, name, contract))
        if steps:
            if_right = ", if the document is right" if name in open_names else ""
            yield Task(f"`{model.name}.{name}` has another type{if_right}", steps)


def field_of(model: PublicModel, name: str, contract: Document, example: object) -> Field | None:
    """Return what the contract says about an attribute; None if code cannot have its name.

    Args:
        model: The model.
        name: The attribute.
        contract: The new contract.
        example: A value of it, None if none is known.
    """
    found = _field(model, name, model.new[name], contract)
    return found if found is None or example is None else replace(found, example=example)


def sample_of(field: Field) -> object:
    """Return a value for tests and the simulator: that of the examples, or else null where that is allowed.

    Recordings replace times by their order, so that no fixed one can stay.
    """
    if field.example is not None and field.kind != "time":
        return field.example
    return None if field.nullable else sample(field)


def _field(model: PublicModel, name: str, node: Any, contract: Document) -> Field | None:
    singular = snake(model.name)
    schema = {**model.schema, "properties": {name: node}}
    try:
        (found,) = fields(contract, schema, Names(f"{singular}s", f"{singular}s", singular, model.name))
    except ScaffoldError:
        return None
    return found


def new_attribute(
    root: Path, model: PublicModel, field: Field | None, name: str, listed: tuple[str, ...], *, is_always: bool
) -> Task:
    """Return the work for a new attribute.

    Args:
        root: The repository.
        model: The model.
        field: What the contract says about it; None if code cannot have its name.
        name: Its name.
        listed: The modules that list all attributes of resources.
        is_always: Whether each resource has it.
    """
    what = f"`{model.name}.{name}` is new"
    if field is None or keyword.iskeyword(name):
        question = f"{name!r} cannot be the name of an attribute: until it has another one, it is in `extra`"
        return Task(what, (Step("decide", code=question),))
    last = _last_attribute(model)
    code = ["@property", f"def {name}(self) -> {model_type(field)}:", f'    """{_docstring(field.text)}"""']
    code.append(f"    return {model_value(field)}")
    text = "\n" + "\n".join(f"    {line}" for line in code)
    steps = [*_imports(root, model, text), Step("add", model.file, last, 0, text, line_of(root, model.file, last))]
    complete = [item for item in find_listings(root, model.old, listed) if is_listing_of(item, model.old)]
    if field.values:
        steps += public_values(root, model.file, field)
    for listing in complete:
        value = _value_in(listing.file, field, is_always=is_always)
        if name not in listing.entries and value:
            steps.append(_entry(root, listing, name, value))
    steps += _example_steps(root, model, field)
    steps += filter_steps(root, model, name, SORTABLE.get(field.kind))
    steps += page_steps(root, model, field)
    steps.append(Step("decide", code=f"Decide what the simulator sends as `{name}`: what is written here is assumed"))
    if is_always:
        why = "each example has it; stored events have not, so the contract does not require it"
        steps.append(Step("decide", code=f"Decide whether `{name}` can be missing: {why}"))
    return Task(what, tuple(steps))


def _example_steps(root: Path, model: PublicModel, field: Field) -> Iterator[Step]:
    """Yield the line of a time that the document's examples have, where tests list what differs in these."""
    for listing in find_listings(root, model.old, (EXAMPLES,)) if field.kind == "time" and field.example else ():
        known = listing.entries.keys() & model.old.keys()
        if listing.owner.startswith("_EXAMPLE_") and listing.is_dict and len(known) > len(listing.entries) / 2:
            yield _entry(root, listing, field.name, _model_value(field, field.example))


def _filters(root: Path, model: PublicModel) -> dict[str, ast.Constant]:
    """Return the words of the simulator's filters of a model, by their kind."""
    if not (root / FILTERS).is_file():
        return {}
    for node in ast.walk(ast.parse((root / FILTERS).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_attributes":
            kinds = {str(item.arg): item.value for item in node.keywords if isinstance(item.value, ast.Constant)}
            words = {word for value in kinds.values() for word in str(value.value).split()}
            # A model without a list has no filters.
            if len(model.old.keys() & words) > len(model.old) / 2 > 1:
                return kinds
    return {}


def filter_steps(root: Path, model: PublicModel, name: str, kind: str | None) -> Iterator[Step]:
    """Yield the line of the simulator's filters, with a name or without it if it has no kind."""
    for key, node in _filters(root, model).items():
        words = str(node.value).split()
        if (kind == key) is (name in words):
            continue
        if kind is not None and kind != key:
            continue
        line = line_of(root, FILTERS, node.lineno)
        changed = " ".join([*words, name] if kind else [word for word in words if word != name])
        start, end = node.col_offset, node.end_col_offset or 0
        code = f'{line[:start]}"{changed}"{line[end:]}'
        yield Step("replace", FILTERS, node.lineno, 0, code, line)


def _value_in(file: str, field: Field, *, is_always: bool) -> str:
    """Return the code of a new attribute's value in a module that lists attributes; empty if it needs none there."""
    if file.startswith(MEANINGS):
        return _model_value(field, sample_of(field) if is_always else None)
    if is_always or file == FACTORIES or file.startswith("tests/"):
        return _literal(sample_of(field))
    # The simulator omits what is neither always there nor null.
    return "None" if field.nullable else ""


def _model_value(field: Field, value: Any) -> str:
    """Return the code of what a model has for a value of JSON."""
    if field.kind == "time" and value is not None:
        return f'dt.datetime.fromisoformat("{value}")'
    return repr(tuple(cast("list[Any]", value))) if isinstance(value, list) else _literal(value)


def is_listing_of(listing: Listing, attributes: Document) -> bool:
    """Return whether a literal lists the attributes of a resource, and not another resource that has them too."""
    others = listing.entries.keys() - attributes.keys()
    return listing.is_complete(attributes) and len(others) <= min(_OTHERS, 2 + len(attributes))


def _docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _last_attribute(model: PublicModel) -> int:
    """Return the last line of the last property that reads an attribute, or of the class."""
    read = [item for item in model.properties.values() if "self._wire.attributes." in ast.unparse(item)]
    return max((item.end_lineno or 0 for item in read), default=model.node.end_lineno or 0)


def _imports(root: Path, model: PublicModel, code: str) -> Iterator[Step]:
    """Yield what the module must import for the code of a property."""
    known = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(model.module)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    needed = set(re.findall(r"\b(?:utc_or_none|to_utc|unset_to_none|plain_or_none)(?=\()|\bdt(?=\.)|\bAny\b", code))
    missing = needed - known
    base = [node for node in model.module.body if isinstance(node, ast.ImportFrom) and "base" in str(node.module)]
    helpers = missing - {"dt", "Any"}
    if helpers and base:
        names = sorted({*helpers, *(alias.name for alias in base[0].names)}, key=lambda name: (name[0].islower(), name))
        line = f"from {'.' * base[0].level}{base[0].module} import {', '.join(names)}"
        first, last = base[0].lineno, base[0].end_lineno or 0
        yield Step("replace", model.file, first, last, line, line_of(root, model.file, first))
    if "Any" in missing:
        typing = next(
            node for node in model.module.body if isinstance(node, ast.ImportFrom) and node.module == "typing"
        )
        names = sorted({"Any", *(alias.name for alias in typing.names)}, key=lambda name: (not name.isupper(), name))
        code = f"from typing import {', '.join(names)}"
        yield Step(
            "replace", model.file, typing.lineno, typing.end_lineno or 0, code, line_of(root, model.file, typing.lineno)
        )
    if "dt" in missing:
        block = next(node for node in model.module.body if isinstance(node, ast.If))
        yield Step(
            "add", model.file, block.lineno, 0, "    import datetime as dt", line_of(root, model.file, block.lineno)
        )


def _entry(root: Path, listing: Listing, name: str, value: str) -> Step:
    """Return the line of a new attribute in a listing."""
    written = f'"{name}": {value}'
    line = line_of(root, listing.file, listing.last)
    if listing.first == listing.last:
        # All on one line: it is written again, with the attribute at its end.
        position = listing.end_column - 1
        code = f"{line[:position]}, {written}{line[position:]}"
        return Step("replace", listing.file, listing.first, listing.first, code, line)
    *_, last = listing.entries.values()
    before = line_of(root, listing.file, last.first)
    indent = before[: len(before) - len(before.lstrip())]
    return Step("add", listing.file, last.last, 0, f"{indent}{written},", line_of(root, listing.file, last.last))


def page_steps(root: Path, model: PublicModel, field: Field) -> Iterator[Step]:
    """Yield the lines of a new attribute in the JSON schema that a page has of the model's output."""
    lines = (root / PAGE).read_text(encoding="utf-8").splitlines()
    heading = f"### {model.name}"
    start = lines.index(heading) if heading in lines else len(lines)
    names = tuple(f'"{name}": ' for name in model.old)
    last = 0
    for number, line in enumerate(lines[start:], start + 1):
        if line.lstrip().startswith('"required": ['):
            code = line.replace(', "extra"]', f', "{field.name}", "extra"]')
            yield Step("replace", PAGE, number, 0, code, line)
        elif line.lstrip().startswith(names):
            last = number
        elif line == "```" and last:
            break
    if last:
        schema = dict(_SCHEMAS[field.kind])
        if "type" in schema and field.kind != "texts" and field.optional:
            schema["type"] = [schema["type"], "null"]
        yield Step("add", PAGE, last, 0, f'    "{field.name}": {json.dumps(schema)},', lines[last - 1])


def _literal(value: Any) -> str:
    text = repr(value)
    return f'"{text[1:-1]}"' if isinstance(value, str) and text.startswith("'") and '"' not in text else text


def _change(root: Path, model: PublicModel, name: str, contract: Document) -> Iterator[Step]:
    old, new = (_field(model, name, attributes[name], contract) for attributes in (model.old, model.new))
    if old is None or new is None or (model_type(old), model_value(old)) == (model_type(new), model_value(new)):
        return
    node = model.properties[name]
    if node.returns is not None:
        code = f"    def {name}(self) -> {model_type(new)}:"
        yield Step("replace", model.file, node.lineno, node.lineno, code, line_of(root, model.file, node.lineno))
    last = node.body[-1]
    if isinstance(last, ast.Return):
        code = f"        return {model_value(new)}"
        first, end = last.lineno, last.end_lineno or last.lineno
        yield Step("replace", model.file, first, end, code, line_of(root, model.file, first))
    yield from _imports(root, model, f"{model_type(new)} {model_value(new)}")
    for listing in find_listings(root, model.old):
        if is_listing_of(listing, model.old) and name in listing.entries:
            entry = listing.entries[name]
            text = line_of(root, listing.file, entry.first).strip()
            yield Step("decide", code=f"{listing.file}:{entry.first} needs a value of the new type: `{text}`")
