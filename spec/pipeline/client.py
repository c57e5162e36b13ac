"""Generates a client from any document: what the generator refuses is left out and named, and the rest is generated."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import jsonschema_rs
from contentgroove._openapi.compositions import without_empty_parts
from contentgroove._openapi.documents import as_object
from contentgroove._openapi.operations import METHODS, operations
from contentgroove._openapi.schemas import COMPONENTS
from contentgroove_spec import PipelineError

from .generate import run_generator
from .pull import replace_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_spec.documents import Document

    from .folders import Folder

_SKIPPED = re.compile(r"^WARNING parsing (?P<operation>\S+ \S+) within .*Endpoint will not be generated\.$")
_PARTIAL = re.compile(r"^WARNING parsing (?P<operation>\S+ \S+) within [^.]*\.$")
_SCHEMA = re.compile(r"Unable to (?:parse|process) schema /components/schemas/(?P<name>.+?):?")
_ROUNDS = 100
_ATTEMPTS = 4
_IMPORT_SECONDS = 300.0
_IMPORT_ALL = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
package = importlib.import_module(sys.argv[2])
broken = {}
for module in pkgutil.walk_packages(package.__path__, f"{sys.argv[2]}.", onerror=lambda name: None):
    try:
        importlib.import_module(module.name)
    except Exception as error:
        broken[module.name] = f"{type(error).__name__}: {error}"
print(json.dumps(broken))
"""


@dataclass(frozen=True, slots=True)
class Client:
    """A generated client.

    Attributes:
        package: Its folder.
        operations: The number of operations that it has.
        skipped: The operations that could not be generated, each with the reason.
        warnings: What else was left out.
    """

    package: Path
    operations: int
    skipped: tuple[str, ...]
    warnings: tuple[str, ...]


def generate_client(folder: Folder, log: Callable[[str], None] = lambda _: None) -> Client:
    """Generate the client of a folder's document, and replace an older one.

    Raises:
        PipelineError: The generator could make nothing of the document.
    """
    config = folder.config
    by_title = config.generator.get("use_path_prefixes_for_title_model_names") is False
    document, skipped, warnings = acceptable(folder.contract, by_title=by_title)
    config.package.parent.mkdir(parents=True, exist_ok=True)
    config.contract_json.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.package.parent, prefix=".generate-") as name:
        made, package = Path(name, "contract.json"), Path(name, config.package.name)
        log("Generating the client; a document of a megabyte takes about a minute.")
        output: list[str] = []
        for _ in range(_ATTEMPTS):
            made.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
            shutil.rmtree(package, ignore_errors=True)
            output = run_generator(config, made, package, strict=False).splitlines()
            refused = _refused_schemas(output, document)
            if not refused:
                break
            for schema, reason in refused.items():
                document["components"]["schemas"][schema] = {}
                warnings.append(f"schema {schema}: it is any value in the client: {reason}")
        skipped += _parsed(output, _SKIPPED)
        warnings += _parsed(output, _PARTIAL)
        broken = _broken_modules(package)
        skipped += [f"{module}: its module cannot be imported: {reason}" for module, reason in broken.items()]
        count = len([*package.glob("api/*/*.py")]) - len([*package.glob("api/*/__init__.py")])
        if not count and skipped:
            warnings.append("No operation could be generated; only models were.")
        replace_all({made: config.contract_json, package: config.package})
    return Client(config.package, count, tuple(dict.fromkeys(skipped)), tuple(dict.fromkeys(warnings)))


def acceptable(document: Document, *, by_title: bool = False) -> tuple[Document, list[str], list[str]]:
    """Return a document that the generator can read, the operations that were left out, and what else was changed.

    `by_title` says that models are named after the titles of their schemas.
    """
    # Loaded here, because the other commands do not need the generator.
    from openapi_python_client.schema import OpenAPI
    from pydantic import ValidationError

    result = without_empty_parts(copy.deepcopy(document))
    skipped: list[str] = []
    warnings: list[str] = []
    info = as_object(result.get("info"))
    result["info"] = {
        "title": str(info.get("title") or "API"),
        "version": str(info.get("version") or "0"),
        **({"description": info["description"]} if isinstance(info.get("description"), str) else {}),
    }
    for _ in range(_ROUNDS):
        try:
            OpenAPI.model_validate(result)
        except ValidationError as error:
            for found in error.errors(include_url=False, include_input=False):
                _leave_out(result, tuple(map(str, found["loc"])), found["msg"], skipped, warnings)
        else:
            break
    _name_operations(result, warnings)
    renamed = _new_names(result, warnings)
    for part in ("paths", "components"):
        if part in result:
            result[part] = _for_names(result[part], renamed, keep_titles=by_title, names=part == "paths")
    schemas = as_object(as_object(result.get("components")).get("schemas"))
    if renamed:
        result["components"]["schemas"] = {renamed.get(name, name): schema for name, schema in schemas.items()}
    return result, [*dict.fromkeys(skipped)], warnings


def _leave_out(
    document: Document, location: tuple[str, ...], reason: str, skipped: list[str], warnings: list[str]
) -> None:
    """Take the smallest part with an error out of a document: an operation, a component, or a field."""
    match location:
        case ("paths", path, method, *_) if method in METHODS:
            if as_object(document["paths"].get(path)).pop(method, None) is not None:
                skipped.append(f"{method.upper()} {path}: {_below(location[3:])}{reason}")
        case ("paths", path, field, *_) if field in as_object(document["paths"].get(path)):
            del document["paths"][path][field]
            warnings.append(f"{path}: its {field} were left out: {reason}")
        case ("paths", path, *_):
            if document["paths"].pop(path, None) is not None:
                skipped.append(f"{path}: {reason}")
        case ("components", "schemas", name, *_) if document["components"]["schemas"].get(name) != {}:
            document["components"]["schemas"][name] = {}
            warnings.append(f"schema {name}: it is any value: {_below(location[3:])}{reason}")
        case ("components", kind, name, *_):
            if as_object(as_object(document["components"]).get(kind)).pop(name, None) is None:
                document["components"].pop(kind, None)
            warnings.append(f"components/{kind}/{name}: it was left out: {reason}")
        case ("openapi", *_):
            document["openapi"] = "3.1.0"
        case (field, *_):
            document.pop(field, None)
            warnings.append(f"{field}: it was left out: {reason}")
        case _:
            pass


def _below(steps: tuple[str, ...]) -> str:
    return f"{'/'.join(steps)}: " if steps else ""


def _name_operations(document: Document, warnings: list[str]) -> None:
    """Give operations whose functions would have the same name different ids."""
    taken: set[str] = set()
    for operation in operations(document):
        given = operation.operation_id
        name = _function_name(given or f"{operation.method}_{re.sub(r'[/{}]+', '_', operation.path).strip('_')}")
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free)
        if free != name:
            operation.definition["operationId"] = free
            if given:
                warnings.append(f"{operation}: its operationId {given!r} is not unique; its function is {free}.")


def _new_names(document: Document, warnings: list[str]) -> dict[str, str]:
    """Return new names for the shared schemas whose classes would have the name of another one's."""
    from openapi_python_client.strings import ClassName

    taken: set[str] = set()
    renamed: dict[str, str] = {}
    for name in as_object(as_object(document.get("components")).get("schemas")):
        free, number = name, 1
        while str(ClassName(free, "")).lower() in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(str(ClassName(free, "")).lower())
        if free != name:
            renamed[name] = free
            warnings.append(f"schema {name}: another one has a similar name; its class is named after {free}.")
    return renamed


def _for_names(value: Any, renamed: dict[str, str], *, keep_titles: bool, names: bool = False) -> Any:
    """Rename schemas, and leave out what the generator refuses whole operations for: titles and wrong defaults."""
    if isinstance(value, list):
        return [_for_names(item, renamed, keep_titles=keep_titles) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    members = cast("Document", value)
    result: Document = {}
    for key, item in members.items():
        if not names and key in {"example", "examples"}:
            result[key] = item
        elif not names and key == "$ref" and isinstance(item, str) and item.startswith(COMPONENTS):
            own = unquote(item.removeprefix(COMPONENTS))
            result[key] = f"{COMPONENTS}{renamed[own]}" if own in renamed else item
        elif names or not (_is_wrong_default(key, item, members) or (key == "title" and not keep_titles)):
            below = key in {"properties", "schemas", "parameters", "responses"} and not names
            result[key] = _for_names(item, renamed, keep_titles=keep_titles, names=below)
    return result


def _is_wrong_default(key: str, value: Any, schema: Document) -> bool:
    rules: Document = {name: schema[name] for name in ("type", "enum", "format") if name in schema}
    if key != "default" or not rules:
        return False
    try:
        return not jsonschema_rs.Draft202012Validator(rules, validate_formats=True).is_valid(value)
    except ValueError:
        return True


def _function_name(text: str) -> str:
    from openapi_python_client.schema.untrusted_string import UntrustedString
    from openapi_python_client.strings import PythonIdentifier

    return str(PythonIdentifier(UntrustedString(text), "field_"))


def _parsed(lines: list[str], pattern: re.Pattern[str]) -> list[str]:
    """Return the operations of which the generator left something out, each with its reason."""
    found: list[str] = []
    for index, line in enumerate(lines):
        if (match := pattern.fullmatch(line.strip())) is not None:
            # The reason contains objects of the generator, which mean nothing to a reader.
            reason = re.sub(r"<openapi_python_client\S* object at \S+>", "…", _reason(lines, index))
            found.append(f"{match['operation']}: {reason}")
    return found


def _refused_schemas(lines: list[str], document: Document) -> dict[str, str]:
    """Return the shared schemas that the generator could not read, each with the reason."""
    schemas = as_object(as_object(document.get("components")).get("schemas"))
    found: dict[str, str] = {}
    for index, line in enumerate(lines):
        match = _SCHEMA.fullmatch(line.strip())
        if match is not None and schemas.get(match["name"]):
            found[match["name"]] = _reason(lines, index)
    return found


def _reason(lines: list[str], index: int) -> str:
    return next((text.strip() for text in lines[index + 1 : index + 4] if text.strip()), "no reason was given")


def _broken_modules(package: Path) -> dict[str, str]:
    """Import all modules of a package in a process of its own, and return the errors by module."""
    command = [sys.executable, "-c", _IMPORT_ALL, str(package.parent), package.name]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_IMPORT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PipelineError(f"The modules of the client could not be imported within {_IMPORT_SECONDS:g} s.") from error
    for cache in package.rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise PipelineError(f"The client cannot be imported: {lines[-1] if lines else 'it gave no reason'}")
    broken: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return broken
