"""Coverage reports: JSON, JUnit's XML, and a table for the terminal; `page` has the one for browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec

from contentgroove_mock.coverage.page import html_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contentgroove_mock.coverage.matrix import CoverageMatrix

VERSION = 1
"""The version of the JSON report; new members may be added without a new version."""

_MAX_LISTED = 5


def json_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as JSON, for tools that check whether a change of the contract matters.

    Members: `version`, `contract` (its SHA-256), `percent`, `covered`, `total`, `missing`, `operations` (those that
    were called: `method`, `path`, `statuses`, `query`, `request_fields`, `response_fields`, `query_values`,
    `request_values`), `webhooks`, `faults`, `violations`. Fields are JSON pointers with `*` for the items of lists.
    `response_fields` are those that the application read from the SDK's models of that kind; values are those that
    were sent and that the contract lists.
    """
    operations: dict[str, object] = {}
    for row in matrix.rows:
        if row.call_count:
            statuses = sorted({**row.documented, **row.undocumented}.items())
            operations[row.name] = {
                "method": row.method,
                "path": row.path,
                "statuses": {status: {"calls": times} for status, times in statuses if times},
                "query": row.query,
                "request_fields": row.request_fields,
                "response_fields": row.response_fields,
                **({"query_values": row.query_values} if row.query_values else {}),
                **({"request_values": row.request_values} if row.request_values else {}),
            }
    delivered = [event for event in matrix.events if event.deliveries]
    report = {
        "version": VERSION,
        "contract": matrix.contract,
        "percent": matrix.percent,
        "covered": matrix.covered_count,
        "total": matrix.total,
        "missing": matrix.missing,
        "operations": operations,
        "webhooks": {event.name: {"deliveries": event.deliveries, "fields": event.fields} for event in delivered},
        "faults": matrix.faults,
        "violations": matrix.violations,
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def junit_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as JUnit's XML: a test case for each documented response and webhook, skipped if not seen."""
    suite = ET.Element("testsuite", name="contentgroove contract coverage")
    suite.set("tests", str(matrix.total + len(matrix.violations)))
    suite.set("skipped", str(len(matrix.missing)))
    suite.set("failures", str(len(matrix.violations)))
    suite.set("errors", "0")
    cases = [(row.name, status, times) for row in matrix.rows for status, times in row.documented.items()]
    cases += [("webhook", event.name, event.deliveries) for event in matrix.events]
    for group, name, times in cases:
        case = ET.SubElement(suite, "testcase", classname=group, name=name, time="0")
        if not times:
            ET.SubElement(case, "skipped", message="not seen in this run")
    for number, violation in enumerate(matrix.violations, 1):
        case = ET.SubElement(suite, "testcase", classname="violation", name=str(number), time="0")
        failure = ET.SubElement(case, "failure", message=_printable(violation.partition("\n")[0]))
        failure.text = _printable(violation)
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def table_lines(matrix: CoverageMatrix) -> Iterator[str]:
    """Yield the lines of a table: `·` is not documented, `-` documented and not seen, a number counts responses."""
    statuses = matrix.statuses
    width = max(len(name) for name in ("operation", *(row.name for row in matrix.rows)))
    yield f"{'operation':<{width}}  " + " ".join(f"{status:>4}" for status in statuses)
    for row in matrix.rows:
        cells: list[str] = []
        for status in statuses:
            if status in row.documented:
                cells.append(str(row.documented[status] or "-"))
            else:
                cells.append(f"{row.undocumented[status]}!" if status in row.undocumented else "·")
        yield f"{row.name:<{width}}  " + " ".join(f"{cell:>4}" for cell in cells)
    for event in matrix.events:
        yield f"webhook {event.name}: {f'{event.deliveries} delivered' if event.deliveries else 'not delivered'}"
    if matrix.faults:
        yield "faults: " + ", ".join(f"{name} ({times})" for name, times in matrix.faults.items())
    if any(row.undocumented for row in matrix.rows):
        yield "(! is a status that the contract does not document)"
    if 0 < len(matrix.missing) <= _MAX_LISTED:
        yield f"not seen: {', '.join(matrix.missing)}"
    yield f"{matrix.covered_count} of {matrix.total} documented responses and webhooks seen: {matrix.percent:g} %"


def write(matrix: CoverageMatrix, path: Path) -> None:
    """Write a report in the format of the file's suffix."""
    text = format_of(path)(matrix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def format_of(path: Path) -> Callable[[CoverageMatrix], str]:
    """Return the report function for a file's suffix; raise `ValueError` if it is not a known format."""
    formats = {".json": json_report, ".xml": junit_report, ".html": html_report, ".htm": html_report}
    if path.suffix not in formats:
        raise ValueError(f"{path}: the suffix must be .json, .xml (JUnit) or .html")
    return formats[path.suffix]


def _printable(text: str) -> str:
    # XML 1.0 cannot contain most control characters.
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)
