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
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import as_object
from contentgroove._openapi.operations import METHODS, operations
from contentgroove_spec import PipelineError

from .generate import run_generator
from .pull import replace_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_spec.documents import Document

    from .folders import Folder

_SKIPPED = re.compile(r"^WARNING parsing (?P<operation>\S+ \S+) within .*Endpoint will not be generated\.$")
_ROUNDS = 100
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
    document, skipped, warnings = acceptable(folder.contract)
    config.package.parent.mkdir(parents=True, exist_ok=True)
    config.contract_json.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.package.parent, prefix=".generate-") as name:
        made, package = Path(name, "contract.json"), Path(name, config.package.name)
        made.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
        log("Generating the client; a document of a megabyte takes about a minute.")
        output = run_generator(config, made, package, strict=False)
        skipped += _skipped(output)
        broken = _broken_modules(package)
        skipped += [f"{module}: its module cannot be imported: {reason}" for module, reason in broken.items()]
        count = len([*package.glob("api/*/*.py")]) - len([*package.glob("api/*/__init__.py")])
        if not count and skipped:
            listed = "".join(f"\n  {line}" for line in skipped[:10])
            warnings.append(f"No operation could be generated; only models were.{listed}")
        replace_all({made: config.contract_json, package: config.package})
    return Client(config.package, count, tuple(dict.fromkeys(skipped)), tuple(dict.fromkeys(warnings)))


def acceptable(document: Document) -> tuple[Document, list[str], list[str]]:
    """Return a document that the generator can read, the operations that were left out, and what else was changed."""
    # Loaded here, because the other commands do not need the generator.
    from openapi_python_client.schema import OpenAPI
    from pydantic import ValidationError

    result = copy.deepcopy(document)
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


def _function_name(text: str) -> str:
    from openapi_python_client.schema.untrusted_string import UntrustedString
    from openapi_python_client.strings import PythonIdentifier

    return str(PythonIdentifier(UntrustedString(text), "field_"))


def _skipped(output: str) -> list[str]:
    """Return the operations that the generator says it has left out, each with its reason."""
    lines = output.splitlines()
    found: list[str] = []
    for index, line in enumerate(lines):
        if (match := _SKIPPED.match(line.strip())) is not None:
            reason = next((text.strip() for text in lines[index + 1 : index + 4] if text.strip()), "no reason was given")
            found.append(f"{match['operation']}: {reason}")
    return found


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

