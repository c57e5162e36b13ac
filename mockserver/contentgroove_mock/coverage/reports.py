"""Coverage reports for other programs: JSON, and JUnit's XML."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contentgroove_mock.coverage.matrix import CoverageMatrix

VERSION = 1
"""The version of the JSON report; new members may be added without a new version."""


def json_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as JSON, for tools that check whether a change of the contract matters.

    Members: `version`, `contract` (its SHA-256), `percent`, `covered`, `total`, `missing`, `operations` (those that
    were called: `method`, `path`, `statuses`, `query`, `request_fields`, `response_fields`), `webhooks`, `faults`,
    `violations`. Fields are JSON pointers with `*` for the items of lists; `response_fields` are those that the
    application read from the SDK's models of that kind.
    """
    operations = {
        row.name: {
            "method": row.method,
            "path": row.path,
            "statuses": {
                status: {"calls": times}
                for status, times in sorted({**row.documented, **row.undocumented}.items())
                if times
            },
            "query": row.query,
            "request_fields": row.request_fields,
            "response_fields": row.response_fields,
        }
        for row in matrix.rows
        if row.call_count
    }
    report = {
        "version": VERSION,
        "contract": matrix.contract,
        "percent": matrix.percent,
        "covered": matrix.covered_count,
        "total": matrix.total,
        "missing": matrix.missing,
        "operations": operations,
        "webhooks": {
            event.name: {"deliveries": event.deliveries, "fields": event.fields}
            for event in matrix.events
            if event.deliveries
        },
        "faults": matrix.faults,
        "violations": matrix.violations,
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def junit_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as JUnit's XML: a test case for each documented response and webhook, skipped if not seen."""
    suite = ET.Element("testsuite", name="contentgroove contract coverage", tests=str(matrix.total))
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
    suite.set("tests", str(matrix.total + len(matrix.violations)))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def write(matrix: CoverageMatrix, path: Path) -> None:
    """Write a report in the format of the file's suffix: `.json`, `.xml` or `.html`.

    Raises:
        OSError: The file cannot be written.
        ValueError: The suffix is not a known format.
    """
    text = format_of(path)(matrix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def format_of(path: Path) -> Callable[[CoverageMatrix], str]:
    """Return the report function for a file's suffix.

    Raises:
        ValueError: The suffix is not a known format.
    """
    if path.suffix == ".json":
        return json_report
    if path.suffix == ".xml":
        return junit_report
    if path.suffix in {".html", ".htm"}:
        from contentgroove_mock.coverage.page import html_report

        return html_report
    raise ValueError(f"{path}: the suffix must be .json, .xml (JUnit) or .html")


def _printable(text: str) -> str:
    # XML 1.0 cannot contain most control characters.
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)
