"""The code of one resource: the templates of `spec/scaffold`, and what they say about each kind of attribute."""

from __future__ import annotations

import functools
import operator
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jinja2
from contentgroove._openapi.pointers import resolve

from .names import camel, snake
from .resource import JSON, SORTABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .names import Kind
    from .resource import Field, Relationship, Resource, Role

TEMPLATES = Path(__file__).parents[2] / "scaffold"
SHOWN = 3
"""Attributes that reprs and tables show."""

TIME = "2026-01-31T12:00:00+00:00"
WIDTH = 108
_ID = "9b9a2e82-5b47-4f59-831d-4c239824b983"
_TYPES: dict[Kind, str] = {
    "text": "str",
    "number": "float",
    "integer": "int",
    "boolean": "bool",
    "time": "dt.datetime",
    "texts": "tuple[str, ...]",
    "json": "Any",
}
_ARGUMENTS: dict[Kind, str] = {**_TYPES, "texts": "Sequence[str]", "json": "Mapping[str, Any]"}
# The record's types of times are those that freezegun does not replace.
_RECORDS: dict[Kind, str] = {**_TYPES, "time": "Times.datetime", "texts": "list[str]", "json": "dict[str, Any]"}
_SAMPLES: dict[Kind, Any] = {
    "text": "Example",
    "number": 1.5,
    "integer": 2,
    "boolean": True,
    "time": TIME,
    "texts": ["one", "two"],
    "json": {},
}
_EMPTY: dict[Kind, str] = {
    "text": '""',
    "number": "0.0",
    "integer": "0",
    "boolean": "False",
    "time": "call.now",
    "texts": "[]",
    "json": "{}",
}
_MUST_BE: dict[Kind, str] = {
    "text": "must be a string",
    "number": "is not a number",
    "integer": "is not a whole number",
    "boolean": "must be true or false",
    "texts": "must be a list of strings",
    "json": "must be an object",
}


def model_type(field: Field) -> str:
    """Return the type of a model's attribute."""
    maybe = " | None" if field.optional and field.kind not in {"texts", "json"} else ""
    # The service may send values that the document does not list yet.
    listed = f"{field.values} | " if field.values else ""
    return listed + _TYPES[field.kind] + maybe


def model_value(field: Field) -> str:
    """Return the expression of a model's attribute."""
    wire = f"self._wire.attributes.{field.name}"
    if field.kind == "time":
        return f"utc_or_none({wire})" if field.optional else f"to_utc({wire})"
    if field.kind == "texts":
        return f"tuple(unset_to_none({wire}) or ())" if field.optional else f"tuple({wire})"
    if field.kind == "json":
        return f"plain_or_none({wire})"
    return f"unset_to_none({wire})" if field.optional else wire


def argument_type(field: Field, required: bool) -> str:  # noqa: FBT001 - called by templates
    """Return the type of a call's argument."""
    kind = _ARGUMENTS[field.kind] + (" | Secret" if field.is_url else "")
    return kind if required else f"{kind} | None"


def checked(field: Field) -> str:
    """Return the expression that checks an argument before it is sent."""
    name = field.name
    if is_id(field):
        return f'check_id({name}, "{name[:-3].replace("_", " ")}")'
    if field.kind == "text":
        return f'{"check_url" if field.is_url else "check_text"}({name}, "{name}")'
    if field.kind == "texts":
        return f'check_texts({name}, "{name}")'
    if field.kind == "json":
        return f'check_object({name}, "{name}")'
    return f'check_type({_TYPES[field.kind]}, {name}, "{name}")'


def is_id(field: Field) -> bool:
    """Return whether an attribute of a request names another resource."""
    return field.kind == "text" and field.name.endswith("_id")


def record_type(field: Field) -> str:
    """Return the type of a field of the simulator's record."""
    return f"{_RECORDS[field.kind]} | None" if field.optional else _RECORDS[field.kind]


def read(field: Field, required: bool) -> str:  # noqa: FBT001 - called by templates
    """Return the expression by which the simulator reads an attribute of a request."""
    more = ", required=True" if required else ""
    if field.kind == "time":
        return f'_time(fields, "{field.name}"{more})'
    if field.kind == "texts":
        return f'fields.texts("{field.name}")'
    if field.kind == "text":
        return f'fields.{"web_address" if field.is_url else "text"}("{field.name}"{more})'
    kind = "dict" if field.kind == "json" else _TYPES[field.kind]
    return f'fields.of_type({kind}, "{field.name}", "{_MUST_BE[field.kind]}"{more})'


def empty(field: Field) -> str:
    """Return what the simulator has for an attribute that no request sets (assumed)."""
    if field.kind == "time":
        return "call.now" if not field.optional or field.name in {"created_at", "updated_at"} else "None"
    if field.optional:
        return "None"
    if field.choices:
        return repr(field.choices[0])
    return '"https://files.example/unknown"' if field.is_url else _EMPTY[field.kind]


def written(field: Field, holder: str) -> str:
    """Return the expression by which the simulator writes an attribute."""
    value = f"{holder}.{field.name}"
    return f"format_time({value})" if field.kind == "time" else value


def sample(field: Field, *, other: bool = False) -> Any:
    """Return a valid value of an attribute as JSON; another one with `other`."""
    if field.choices:
        return field.choices[-1 if other else 0]
    if field.is_url:
        return f"https://films.example/{'other' if other else 'one'}"
    if is_id(field):
        return _ID
    if field.kind == "text":
        return f"{'Another' if other else 'A'} {field.name.replace('_', ' ')}"
    value = _SAMPLES[field.kind] if field.kind != "json" or field.example is None else field.example
    return not value if other and field.kind == "boolean" else value


def cell(field: Field, holder: str) -> str:
    """Return the expression of a cell of the command line's tables."""
    value = f"{holder}.{field.name}"
    text = {
        "text": value,
        "time": f'{value}.isoformat(timespec="seconds")',
        "texts": f'" ".join({value})',
        "boolean": f'"yes" if {value} else "no"',
    }.get(field.kind, f"str({value})")
    if field.optional and field.kind not in {"text", "texts"}:
        return f"None if {value} is None else {text}"
    return text


def option(field: Field, required: bool) -> str:  # noqa: FBT001 - called by templates
    """Return the type, and the default, of an option of the command line."""
    kind = {"texts": "list[str]", "boolean": "bool"}.get(field.kind, _TYPES[field.kind])
    metavar = {"text": "TEXT", "number": "NUMBER", "integer": "N", "texts": "TEXT"}.get(field.kind)
    metavar = "URL" if field.is_url else "ID" if is_id(field) else metavar
    name = field.name.replace("_", "-")
    flag = f'"--{name}/--no-{name}"' if field.kind == "boolean" else f'"--{name}"'
    shown = f', metavar="{metavar}"' if metavar else ""
    text = field.text + (" Can be repeated." if field.kind == "texts" else "")
    text += f" One of {', '.join(field.choices)}." if field.choices else ""
    declared = f"typer.Option({flag}{shown}, help={text!r})"
    return f"Annotated[{kind}, {declared}]" if required else f"Annotated[{kind} | None, {declared}] = None"


def option_example(field: Field) -> str:
    """Return an option as it stands in an example of a command."""
    name = field.name.replace("_", "-")
    return f"--{name}" if field.kind == "boolean" else f"--{name} {str(sample(field)).split()[-1]}"


def linked(item: Relationship, created: tuple[Field, ...]) -> str:
    """Return what the simulator stores of a relationship of a new record."""
    if item.attribute in {field.name for field in created}:
        return (
            f"{item.attribute} or []" if item.many else item.attribute if item.optional else f'{item.attribute} or ""'
        )
    return "[]" if item.many else "None" if item.optional else "self._service.ids.uuid()"


def relationship(item: Relationship, holder: str) -> str:
    """Return the expression by which the simulator writes a relationship."""
    kind = item.name if item.many or item.name.endswith("s") else f"{item.name}s"
    if item.name == "user":
        return f'identifier("users", accounts.user_id({holder}.account))'
    value = f"{holder}.{item.attribute}"
    if item.many:
        return f'[identifier("{kind}", item) for item in {value}]'
    one = f'identifier("{kind}", {value})'
    return f"None if {value} is None else {one}" if item.optional else one


@dataclass(frozen=True)
class Templates:
    """The templates, filled with one resource."""

    resource: Resource

    @cached_property
    def _environment(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            trim_blocks=True,
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701 - code, not HTML
        )
        created = self.resource.created
        filters: dict[str, Callable[..., Any]] = {
            function.__name__: function
            for function in (
                snake, model_type, model_value, argument_type, checked, record_type, read, written, cell, option,
                option_example, relationship,
            )
        }  # fmt: skip
        filters |= {
            "words": _words,
            "dashed": _dashed,
            "lower_first": _lower_first,
            "docstring": _docstring,
            "argument": _argument,
            "linked": functools.partial(linked, created=created),
            "created_value": self.created_value,
            "seed": self.seed,
            "option_value": operator.attrgetter("name"),
            "sample_text": _as_argument,
            "sample_json": _as_json,
            "other_text": functools.partial(_as_argument, other=True),
            "other_json": functools.partial(_as_json, other=True),
        }
        # Its own type of them knows only the built-in ones.
        cast("dict[str, Any]", environment.filters).update(filters)
        return environment

    def render(self, template: str, **more: Any) -> str:
        """Return the text of a template."""
        resource, names = self.resource, self.resource.names
        shown = [field for field in resource.attributes if field.kind in {"text", "number", "integer", "boolean"}]
        options: set[Kind] = {"text", "number", "integer", "boolean", "texts"}
        kinds: dict[str, str] = {"id": "text", "media_id": "text"}
        kinds |= {field.name: SORTABLE[field.kind] for field in resource.attributes if field.kind in SORTABLE}
        texts = [name for name in self.filters if kinds.get(name) == "text" and not name.endswith("id")]
        context: dict[str, Any] = {
            "r": resource,
            "n": names,
            "shown": [field.name for field in shown[:SHOWN]],
            "columns": shown[:SHOWN],
            "tag": self.tag,
            "module": self.module,
            "sort_class": camel(f"{self.module('list')}_sort") if resource.sorts else "",
            "bodies": {role: self.bodies(role) for role in ("create", "update") if role in resource.operations},
            "raw": [role for role in ("get", "create", "update", "delete") if role in resource.operations],
            "lacks": "" if "update" in resource.operations else " The API has no update.",
            "metavar": f"{names.singular.upper().replace('_', '-')}-ID",
            "commands": {
                "create": [field for field in resource.created if field.kind in options],
                "update": [field for field in resource.updated if field.kind in options],
            },
            "stored": {"create": self.stored(resource.created), "update": self.stored(resource.updated)},
            "attribute_names": {field.name for field in resource.attributes},
            "filters": [(name, kinds[name]) for name in self.filters if name in kinds],
            "filter_example": f"{self.filters[-1]}_eq" if self.filters else "",
            "filter_in_help": f"{texts[0] if texts else 'id'}_cont=moon",
            "parameters": {"filter"} if resource.filters else set(),
            "has_updated_at": any(field.name == "updated_at" for field in resource.attributes),
            "has_quota": self.has_quota,
            "seeded": "create" not in resource.operations,
            "reads_time": any(field.kind == "time" for field in (*resource.created, *resource.updated)),
            "sample": _samples,
        }  # fmt: skip
        return self._environment.get_template(template).render({**context, **more})

    @property
    def has_quota(self) -> bool:
        """Whether an account can create only so many."""
        return "create" in self.resource.operations and "402" in self.resource.operations["create"].responses

    @staticmethod
    def default(field: Field) -> str:
        """Return what the simulator has for an attribute that no request sets."""
        return empty(field)

    @property
    def filters(self) -> tuple[str, ...]:
        """The attributes that a list can filter by, the most telling one last."""
        names = self.resource.filters
        best = next((name for name in ("name", "title", "text") if name in names), None)
        return tuple(name for name in names if name != best) + ((best,) if best else ())

    def tag(self, role: Role) -> str:
        """Return the package of generated code that an operation is in."""
        return snake(str(self.resource.operations[role].definition["tags"][0]))

    def module(self, role: Role) -> str:
        """Return the module of generated code of an operation."""
        return snake(self.resource.operations[role].operation_id)

    def bodies(self, role: Role) -> tuple[str, str, str]:
        """Return the generated classes of a request's body: the whole, its data and the attributes."""
        operation = self.resource.operations[role]
        node = operation.body.get("content", {}).get(JSON, {}).get("schema", {})
        body = resolve(operation.document, node)
        data = resolve(operation.document, body["properties"]["data"])
        attributes = resolve(operation.document, data["properties"]["attributes"])
        return str(body["title"]), str(data["title"]), str(attributes["title"])

    def stored(self, fields: tuple[Field, ...]) -> list[Field]:
        """Return the attributes of a request that the simulator stores; the others change nothing (assumed)."""
        known = {field.name for field in self.resource.attributes}
        known |= {item.attribute for item in self.resource.relationships if item.name != "user"}
        return [field for field in fields if field.name in known]

    def created_value(self, field: Field) -> str:
        """Return the expression of an attribute of a new record."""
        sent = {item.name: item for item in self.stored(self.resource.created)}
        default = empty(field)
        if field.name not in sent:
            return default
        return field.name if default == "None" else f"{default} if {field.name} is None else {field.name}"

    def seed(self, field: Field) -> str:
        """Return the value of an attribute of the first record, that of the contract's example."""
        if field.kind == "time":
            return empty(field)
        return empty(field) if field.example is None else repr(field.example)


def _words(text: str) -> str:
    return text.replace("_", " ")


def _dashed(text: str) -> str:
    return text.replace("_", "-")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _argument(text: str) -> str:
    return textwrap.fill(text, WIDTH - 12, subsequent_indent=" " * 16)


def _samples(fields: Iterable[Field]) -> str:
    return repr({field.name: sample(field) for field in fields})


def _as_json(field: Field, *, other: bool = False) -> str:
    value = sample(field, other=other)
    return repr(value[:1] if field.kind == "texts" else value)


def _as_argument(field: Field, *, other: bool = False) -> str:
    value = sample(field, other=other)
    return str(value[0] if field.kind == "texts" else value)
