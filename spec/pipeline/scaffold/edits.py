"""Every file that a resource is written into: new modules from templates, and lines in what exists."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .code import Templates, sample
from .insertions import Module
from .resource import examples, import_of_values, success
from .simulator_edits import RECORDING, SimulatorEdits

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove._openapi.operations import Operation

    from .resource import Field, Resource, Role

SDK = "overlay/contentgroove"
ROLE_ORDER: tuple[Role, ...] = ("list", "create", "get", "update", "delete")
_PAGE_NUMBER = re.compile(r"\bpage\[number\]=(\d+)")
_TOOL_ROW = "| `webhookSubscriptions_"


class Edits:
    """The new and the changed files, none of them written yet.

    Attributes:
        made: The texts of new files, by their paths in the repository.
        changed: The files that change, by their paths.
    """

    def __init__(self, root: Path, resource: Resource, tools: list[str]) -> None:
        self.made: dict[str, str] = {}
        self.changed: dict[str, Module] = {}
        self._root, self._resource, self._names = root, resource, resource.names
        self._templates = Templates(resource)
        self._sdk()
        self._public_names()
        self._command()
        self.made |= SimulatorEdits(self._templates, self._open).made
        self._recording()
        self._tests()
        self._pages(tools)

    def _open(self, path: str) -> Module:
        if path not in self.changed:
            self.changed[path] = Module.read(self._root, path)
        return self.changed[path]

    def _render(self, template: str, **more: Any) -> str:
        return self._templates.render(f"{template}.py.jinja", **more)

    def _sdk(self) -> None:
        names, resource = self._names, self._resource
        models = self._open(f"{SDK}/models.py")
        wire = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", names.model).lower()
        models.import_for_types(f"from contentgroove_api.models.{wire} import {names.model} as Wire{names.model}")
        models.alias_for_types(f"_{names.model}Model", f"Model[Wire{names.model}]", "Model")
        readers = "ids_of, plain_or_none, to_utc, unset_to_none, utc_or_none"
        models.import_at_top(f"from ._models.base import Model, {readers}")
        kinds = {field.kind for field in resource.attributes}
        if "json" in kinds:
            models.import_for_types("from typing import Any")
        for field in resource.attributes:
            if field.values:
                models.import_for_types(f"from contentgroove._core.names import {field.values}")
        models.append(self._render("model"))
        models.into_literal("__all__", f'"{names.model}"')
        operations = self._open(f"{SDK}/_core/operations.py")
        operations.import_at_top(f"from contentgroove.models import {names.model}")
        operations.import_for_types("import datetime as dt")
        operations.import_for_types("from typing import Any")
        operations.import_for_types("from collections.abc import Mapping, Sequence")
        operations.append(self._render("operations"))
        code = operations.text
        used = {name for name in ("check_object", "check_texts", "check_type") if f"{name}(" in code}
        operations.import_at_top(f"from .inputs import check_id, {', '.join(sorted(used))}".rstrip(", "))
        inputs = self._open(f"{SDK}/_core/inputs.py")
        if "check_type" in used and not inputs.has("check_type"):
            inputs.import_at_top("from typing import TypeVar")
            inputs.append(self._render("check_type"))
        if "check_object" in used and not inputs.has("check_object"):
            inputs.import_for_types("from typing import Any")
            inputs.append(self._render("check_object"))
        client = self._open(f"{SDK}/_async/client.py")
        client.import_for_types(f"from .{names.plural} import Async{names.models}")
        client.into_class("AsyncContentGroove", self._render("property"), after="direct_uploads")
        self._open(f"{SDK}/_core/error_mapping.py").into_literal("_RESOURCES", f'["{names.segment}"]')
        self.made[f"{SDK}/_async/{names.plural}.py"] = self._render("calls")

    def _public_names(self) -> None:
        names, resource = self._names, self._resource
        known = self._open(f"{SDK}/_core/names.py")
        typed: list[str] = []
        if resource.filters:
            typed.append(f"{names.model}Filter")
            module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", f"{names.model}Filter").lower()
            known.import_at_top(f"from contentgroove_api.models.{module} import {names.model}Filter")
        if resource.sorts:
            typed.append(f"{names.model}Sort")
            made = "".join(part.capitalize() for part in f"{self._templates.module('list')}_sort".split("_"))
            module = f"{self._templates.module('list')}_sort"
            known.import_at_top(f"from contentgroove_api.models.{module} import {made} as {names.model}Sort")
        for field in resource.attributes:
            if field.values:
                typed.append(field.values)
                known.import_at_top(import_of_values(field))
        calls = {
            "_async": [f"Async{names.models}", f"AsyncRaw{names.models}"],
            "_sync": [names.models, f"Raw{names.models}"],
        }
        types = self._open(f"{SDK}/types.py")
        for folder, classes in calls.items():
            types.import_for_types(f"from .{folder}.{names.plural} import {', '.join(classes)}")
            types.into_literal("_MODULES", f'".{folder}.{names.plural}": {_tuple(classes)}')
        for name in typed:
            known.into_literal("__all__", f'"{name}"')
            types.import_for_types(f"from ._core.names import {name}")
            types.into_literal("_MODULES", f'"{name}"', key="._core.names")
        for name in (*calls["_async"], *calls["_sync"], *typed):
            types.into_literal("__all__", f'"{name}"')
        package = self._open(f"{SDK}/__init__.py")
        package.import_for_types(f"from .models import {names.model}")
        package.into_literal("_MODULES", f'"{names.model}"', key=".models")
        package.into_literal("__all__", f'"{names.model}"')

    def _command(self) -> None:
        names = self._names
        self.made[f"{SDK}/cli/{names.plural}.py"] = self._render("command")
        words = {"list": "List", "get": "show", "create": "create", "update": "change", "delete": "delete"}
        verbs = [words[role] for role in words if role in self._resource.operations]
        text = ", ".join(verbs[:-1]) + (f" and {verbs[-1]} " if len(verbs) > 1 else f"{verbs[0]} ") + f"{names.many}."
        self._open(f"{SDK}/cli/app.py").into_literal("GROUPS", f'"{names.command}": "{text[0].upper()}{text[1:]}"')
        if "list" in self._resource.operations:
            self._open(f"{SDK}/cli/doctor.py").into_literal("RESOURCES", f'"{names.segment}"')

    def _recording(self) -> None:
        names, resource = self._names, self._resource
        journey = self._open(f"{RECORDING}/journey.py")
        journey.into_literal("Resource", f'"{names.singular}"')
        roles = resource.operations
        sent = {"create": self._sent(resource.created), "update": self._sent(resource.updated)}
        for role, operation in roles.items():
            name = operation.operation_id
            attributes = ", ".join(f"{key}={value!r}" for key, value in sent.get(role, {}).items())
            usual = {
                "list": f'RequestSpec(query=(("filter[id_eq]", "{{{names.singular}}}"),))'
                if resource.filters
                else "RequestSpec()",
                "create": f"_write({attributes})",
                "update": f'_write("{names.singular}", {attributes})',
            }.get(role, f'RequestSpec(resource="{names.singular}")')
            journey.into_literal("USUAL", f'"{name}": {usual}')
            if sent.get(role):
                first = next(iter(sent[role]))
                wrong = {**sent["create"], first: None} if role == "create" else {first: None}
                target = f'resource="{names.singular}", ' if role == "update" else ""
                fault = f'fault="{_a_sentence(first)} is null."'
                journey.into_literal("_INVALID", f'"{name}": RequestSpec({target}attributes={wrong!r}, {fault})')
        for role in ("create", "get", "list", "update"):
            if role in roles:
                saved = f', save_as="{names.singular}"' if role == "create" else ""
                # Nothing could delete it again.
                only = ", simulated=True" if role == "create" and "delete" not in roles else ""
                journey.into_literal("SUCCESSES", f'_step("{roles[role].operation_id}"{saved}{only})')
        if "delete" in roles:
            journey.into_literal("_DELETED", f'"{roles["delete"].operation_id}"', first=True)
            if "create" in roles:
                pair = f'"{roles["create"].operation_id}": "{roles["delete"].operation_id}"'
                self._open(f"{RECORDING}/recorder.py").into_literal("_DELETIONS", pair, first=True)
        if "list" in roles:
            targets = self._open(f"{RECORDING}/targets.py")
            targets.into_literal("_LISTS", f'"{names.singular}": "/{names.segment}"')

    @staticmethod
    def _sent(fields: tuple[Field, ...]) -> dict[str, Any]:
        return {field.name: "{media}" if field.name == "media_id" else sample(field) for field in fields}

    def _tests(self) -> None:
        names, resource = self._names, self._resource
        calls = self._open("tests/sdk_calls.py")
        for role, fields in (
            ("list", ()),
            ("create", resource.created),
            ("get", ()),
            ("update", resource.updated),
            ("delete", ()),
        ):
            if role in resource.operations:
                values = {
                    field.name: "{medias}" if field.name == "media_id" else sample(field)
                    for field in fields
                    if role == "create" or field in fields[:1]
                }
                sent = f", {values!r}" if values else ""
                name = resource.operations[role].operation_id
                calls.into_literal("SDK_METHODS", f'"{name}": SdkMethod("{names.plural}", "{role}"{sent})')
        links = "".join(f'("{item.name}", "{item.attribute}"), ' for item in resource.relationships)
        values_ = self._open("tests/sdk/contract_values.py")
        values_.into_literal(
            "RESOURCES", f'"{names.singular}": Resource("{resource.schema}", "{names.plural}", ({links}))'
        )
        models = self._open("tests/sdk/test_models.py")
        models.import_at_top(f"from contentgroove import {names.model}")
        models.into_literal("MODELS", f'({names.model}, "{resource.schema}")')
        for path, variable in (
            ("tests/simulator/test_factories.py", "MAKERS"),
            ("tests/sdk/test_pydantic_models.py", "MODELS"),
        ):
            module = self._open(path)
            module.import_at_top(f"from contentgroove import {names.model}")
            module.into_literal(variable, f"{names.model}: factories.{names.singular}")
        self._open("tests/sdk/test_shown_models.py").into_literal("MAKERS", f"factories.{names.singular}")
        if "get" in resource.operations:
            self._open("tests/simulator/test_factories.py").into_literal(
                "RESPONSES", f'("/{names.segment}/x", factories.{names.singular}())'
            )
        self._open("tests/prism/test_sdk.py").into_literal(
            "MODELS", f'"{names.plural}": ("{names.model}", "{resource.schema}")'
        )
        for folder, template in (("sdk", "test_sdk"), ("cli", "test_cli")):
            self.made[f"tests/{folder}/test_{names.plural}.py"] = self._render(template)
        self._meanings()

    def _meanings(self) -> None:
        """Write what each recorded success means: of the simulator by the journey, of an example by the contract."""
        expected = self._open("tests/recorded/expected.py")
        roles = self._resource.operations
        for role, fields in (("create", self._resource.created), ("update", self._resource.updated)):
            if role in roles and fields:
                label = fields[0].name.replace("_", " ").capitalize()
                meaning = (fields[0].name, "blank", f"{label} can't be blank")
                expected.into_literal("_INVALID_VALUES", f'"{roles[role].operation_id}": {meaning!r}')
        for role in ("create", "get", "list", "update", "delete"):
            if role not in roles:
                continue
            operation = roles[role]
            (status, *_) = [name for name in operation.responses if name.startswith("2")]
            name = f"{operation.operation_id}-{status}"
            if role == "delete":
                expected.into_literal("_SUCCESSES", f'"{name}": None')
                continue
            recorded = self._recorded(updated=role == "update")
            shown = [self._shown(item) for item in examples({role: operation})]
            if role == "list":
                # Nothing else was created.
                recorded = f"Listed([{recorded}], next_page=None, is_last=True)"
                next_page, is_last = _next_page(operation)
                shown = [f"Listed([{', '.join(shown)}], next_page={next_page}, is_last={is_last})"]
            expected.into_literal("_SUCCESSES", f'"{name}": {recorded}')
            if shown:
                expected.into_literal("_SUCCESSES", f'"{name}-example": {shown[0]}')

    def _recorded(self, *, updated: bool) -> str:
        resource = self._resource
        sent = self._sent(resource.created) | (self._sent(resource.updated) if updated else {})
        stored = {field.name for field in (*resource.created, *resource.updated)}
        items = ['"id": ID(1)']
        for field in resource.attributes:
            value = sent[field.name] if field.name in sent and field.name in stored else None
            items.append(f'"{field.name}": {self._meaning(field, value)}')
        number = 1
        for item in resource.relationships:
            if item.many:
                value = "()"
            elif item.optional and item.attribute not in sent:
                value = "None"
            else:
                number += 1
                value = f"ID({number})"
            items.append(f'"{item.attribute}": {value}')
        return f"{{{', '.join(items)}}}"

    def _meaning(self, field: Field, value: Any) -> str:
        if value is not None:
            return _python(field, value)
        if "create" not in self._resource.operations and field.example is not None and field.kind != "time":
            return _python(field, field.example)
        default = self._templates.default(field)
        if field.kind == "time":
            return "None" if default == "None" else "at(0)"
        return "()" if field.kind == "texts" else default

    def _shown(self, item: dict[str, Any]) -> str:
        sent, links = item.get("attributes", {}), item.get("relationships", {})
        items = [f'"id": {item["id"]!r}']
        items += [f'"{field.name}": {_python(field, sent.get(field.name))}' for field in self._resource.attributes]
        for relationship in self._resource.relationships:
            data = links.get(relationship.name, {}).get("data")
            if relationship.many:
                value: object = tuple(link["id"] for link in data or ())
            else:
                value = None if data is None else data["id"]
            items.append(f'"{relationship.attribute}": {value!r}')
        return f"{{{', '.join(items)}}}"

    def _pages(self, tools: list[str]) -> None:
        names, roles = self._names, self._resource.operations
        verbs = {"list": "list", "create": "create", "get": "show", "update": "update", "delete": "delete"}
        listed = ", ".join(f"`{tool}`" for tool in tools)
        done = ", ".join(verb for role, verb in verbs.items() if role in roles)
        self._open("docs/mcp.md").row_after(_TOOL_ROW, f"| {listed} | {done} {names.many} |")
        commands = ", ".join(f"`{verb}`" for role, verb in verbs.items() if role in roles)
        self._open("docs/cli.md").row_after("| `clips` |", f"| `{names.command}` | {commands} |")
        pointer = f"/components/schemas/{self._resource.schema}/properties/attributes/properties"
        line = f'"contentgroove:{names.model}" = "{pointer}"'
        self._open("spec/pipeline.toml").row_after('"contentgroove:', line)
        self._open("CHANGELOG.md").row_after(
            "- Python 3.11", f"- `client.{names.plural}`: {self._resource.description}"
        )


def _next_page(operation: Operation) -> tuple[int | None, bool]:
    """Return the number in the example's link to the next page, and whether it states that there is none."""
    links = success(operation)[1].get("example", {}).get("links", {})
    link = links.get("next")
    number = _PAGE_NUMBER.search(unquote(str(link)))
    return (int(number[1]) if number else None), "next" in links and not link


def _tuple(names: list[str]) -> str:
    return f"({', '.join(repr(name) for name in names)},)"


def _a_sentence(name: str) -> str:
    return f"The {name.replace('_', ' ')}"


def _python(field: Field, value: Any) -> str:
    """Return what a model's attribute is for a value of JSON, as code."""
    if value is None:
        return "()" if field.kind == "texts" else "None"
    if field.kind == "time":
        moment = dt.datetime.fromisoformat(str(value))
        return f"dt.datetime.fromisoformat({moment.isoformat()!r})"
    if field.kind == "texts":
        return repr(tuple(value))
    return repr(float(value)) if field.kind == "number" else repr(value)
