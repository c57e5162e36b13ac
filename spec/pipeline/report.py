"""Reports what the document of a folder describes, and which problems it has."""

from __future__ import annotations

import itertools
import json
import time
import warnings
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.operations import operations, server_urls
from contentgroove_mock.contract.checker import Checker
from contentgroove_mock.contract.conventions import Conventions

from .verify import wrong_examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contentgroove._openapi.operations import Operation
    from contentgroove_spec.documents import Document

    from .folders import Folder

CHECK_SECONDS = 60.0
"""How long each of the slow checks may take, in seconds: they need about ten for a document of a megabyte."""

MAX_OF_A_CHECK = 100
MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation of a report; `id` and `summary` are empty if the document has none."""

    method: str
    path: str
    id: str
    summary: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a document describes.

    Attributes:
        file: Its name.
        title: Its title.
        version: The API's version.
        openapi: The version of OpenAPI.
        servers: The URLs of its servers, variables replaced by their defaults.
        security: The names of its security schemes, each with its kind.
        schemas: The number of shared schemas.
        webhooks: The names of webhooks and callbacks.
        operations: Its operations.
        hints: What it lacks that clients, mocks or readers could use.
        problems: Its mistakes; each is a warning, because the rest is used without it.
    """

    file: str
    title: str
    version: str
    openapi: str
    servers: tuple[str, ...]
    security: dict[str, str]
    schemas: int
    webhooks: tuple[str, ...]
    operations: tuple[OperationRow, ...]
    hints: tuple[str, ...]
    problems: tuple[str, ...]


def make_report(folder: Folder, *, seconds: float = CHECK_SECONDS) -> Report:
    """Make the report of a folder's document.

    Args:
        folder: The folder.
        seconds: How long each of the slow checks may take.
    """
    document = folder.contract
    info, components = as_object(document.get("info")), as_object(document.get("components"))
    found = [*operations(document)]
    checker = Checker(document, conventions=Conventions())
    problems = [
        *folder.problems,
        *_limited(_structure(folder.published), seconds, "The structure"),
        *checker.problems,
        *_limited(wrong_examples(document), seconds, "The examples"),
    ]
    return Report(
        file=folder.config.published.name,
        title=str(info.get("title", "")),
        version=str(info.get("version", "")),
        openapi=str(document.get("openapi", "")),
        servers=tuple(server_urls(document)),
        security={name: str(as_object(scheme).get("type", "")) for name, scheme in _schemes(components)},
        schemas=len(as_object(components.get("schemas"))),
        webhooks=tuple(checker.event_schemas),
        operations=tuple(
            OperationRow(
                operation.method,
                operation.path,
                operation.operation_id,
                " ".join(str(operation.definition.get("summary") or "").split()),
            )
            for operation in found
        ),
        hints=tuple(_hints(document, found)),
        problems=tuple(dict.fromkeys(problems)),
    )


def as_text(report: Report) -> str:
    """Write a report for a terminal."""
    lines = [
        f"{report.title or 'An API without a title'} {report.version}".rstrip(),
        f"  {report.file}, OpenAPI {report.openapi}",
        f"  servers: {', '.join(report.servers) or 'none; requests go to the host of the document'}",
        f"  security: {', '.join(f'{name} ({kind})' for name, kind in report.security.items()) or 'none'}",
        f"  operations: {len(report.operations)}, schemas: {report.schemas}, webhooks: {len(report.webhooks)}",
        "",
        "Operations",
    ]
    for row in report.operations:
        told = " ".join(part for part in (row.id, f"({row.summary})" if row.summary else "") if part)
        lines.append(f"  {row.method:<7} {row.path}{f'  {told}' if told else ''}")
    if not report.operations:
        lines.append("  none")
    lines += ["", "Webhooks", *(f"  {name}" for name in report.webhooks)] if report.webhooks else []
    lines += ["", "Hints", *(f"  {hint}" for hint in report.hints)] if report.hints else []
    lines += ["", f"Problems: {len(report.problems) or 'none'}"]
    lines += [f"  {problem}" for problem in report.problems[:MAX_SHOWN]]
    if len(report.problems) > MAX_SHOWN:
        lines.append(f"  … and {len(report.problems) - MAX_SHOWN} more: --format json lists all")
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """Write a report for programs."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n"


def _schemes(components: Document) -> Iterator[tuple[str, Any]]:
    yield from as_object(components.get("securitySchemes")).items()


def _hints(document: Document, found: list[Operation]) -> Iterator[str]:
    if not document.get("servers"):
        yield "It has no servers: clients need a base URL."
    ids = Counter(operation.operation_id for operation in found)
    if ids[""]:
        yield f"Operations without operationId: {ids['']}. Names are made from method and path."
    for name, count in ids.items():
        if name and count > 1:
            yield f"{count} operations have the operationId {name!r}."
    if without_tags := sum(not as_list(operation.definition.get("tags")) for operation in found):
        yield f"Operations without tags: {without_tags}. Their functions are in the module `default`."
    if bare := sum(not _has_example(operation) for operation in found):
        yield f"Operations without an example of a success: {bare}. The mock makes up their responses from the schemas."


def _has_example(operation: Operation) -> bool:
    return any(
        {"example", "examples"} & as_object(media).keys() or '"example"' in json.dumps(media)
        for status, response in operation.responses.items()
        if status.startswith("2")
        for media in as_object(response.get("content")).values()
    )


def _structure(document: Document) -> Iterator[str]:
    """Yield what violates the OpenAPI Specification; references are not expanded, so that loops do not matter."""
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    version = str(document.get("openapi", ""))
    validator = OpenAPIV30SpecValidator if version.startswith("3.0") else OpenAPIV31SpecValidator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for error in validator(cast("Any", document)).iter_errors():
                steps: Iterable[Any] = error.absolute_path
                location = "/".join(map(str, steps))
                yield f"{location or 'the document'}: {' '.join(str(error.message).split())[:200]}"
        except Exception as error:  # noqa: BLE001 - the validator raises anything for documents that it did not expect
            yield f"The structure could only be checked in part: {type(error).__name__}: {error!s:.150}"


def _limited(found: Iterator[str], seconds: float, subject: str) -> Iterator[str]:
    """Yield findings until there are too many or time is up, and say so then."""
    end = time.monotonic() + seconds
    for count in itertools.count(1):
        finding = next(found, None)
        if finding is None:
            return
        yield finding
        if count == MAX_OF_A_CHECK or time.monotonic() > end:
            yield f"{subject} was not checked to the end, because that takes long; there can be more problems."
            return
